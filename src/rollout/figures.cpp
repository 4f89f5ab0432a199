#include "rollout/figures.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace stsctl::rollout {

namespace {

// No report has more; a million and one times as many still fit.
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / (whole_share + 1);

void add(std::uint64_t& sum, std::uint64_t number) {
  sum = std::min(most, sum + std::min(most, number));
}

std::uint64_t failures_of(const ReportedSessions& report, const Rollout& rollout, Effect least) {
  std::uint64_t explained = 0;
  std::uint64_t counted = 0;
  for (const auto& [type, number] : report.failures) {
    add(explained, number);
    if (effect_of(rollout, type) >= least) add(counted, number);
  }
  if (report.failed > explained) add(counted, report.failed - explained);
  return counted;
}

}  // namespace

Figures add_up(const std::vector<ReportedSessions>& reports, const Rollout& rollout, Effect least,
               Time after) {
  Figures figures;
  for (const ReportedSessions& report : reports) {
    if (report.end <= after) continue;
    const std::uint64_t failed = failures_of(report, rollout, least);
    // Details of some senders add up to more than their summary.
    add(figures.sessions, std::max(report.sessions, failed));
    add(figures.failed, failed);
  }
  return figures;
}

bool exceeds(const Figures& figures, const Share& share) {
  return figures.failed * whole_share > figures.sessions * share.millionths;
}

std::string describe(const Figures& figures) {
  if (figures.sessions == 0) return "no reports";
  // Rounded up: what is over a bound must not read as if it were not.
  const std::uint64_t share =
      (figures.failed * whole_share + figures.sessions - 1) / figures.sessions;
  return fmt::format("{} of {} sessions ({})", figures.failed, figures.sessions,
                     format_share({static_cast<std::uint32_t>(share)}));
}

}  // namespace stsctl::rollout
