// Reports from outside, plain or gzip: nothing crashes, every text that is read is harmless, and
// what is read keeps the limits.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "reports/gunzip.h"
#include "reports/report.h"

namespace reports = stsctl::reports;

namespace {
void require(bool law) {
  if (!law) std::abort();
}

void harmless(const std::string& text) {
  require(stsctl::printable(text) == text);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(data, data + size);
  const reports::ReportLimits limits{.bytes = 100'000, .values = 5000};
  if (reports::is_gzip(text)) {
    const auto inflated = reports::gunzip(text, limits.bytes);
    if (!inflated) return 0;
    require(inflated->size() <= limits.bytes);
    text = *inflated;
  }
  const stsctl::Time now{std::chrono::seconds{1'800'000'000}};
  const auto report = reports::read_report(text, now, limits);
  if (!report) {
    require(!report.error().what.empty());
    harmless(stsctl::to_string(report.error()));
    return 0;
  }
  harmless(report->organization + report->id + report->contact);
  require(report->begin <= report->end && !report->policies.empty());
  for (const std::string& line : report->deviations)
    harmless(line);
  for (const reports::PolicyEntry& entry : report->policies) {
    require(entry.successful <= limits.sessions && entry.failed <= limits.sessions);
    if (entry.policy.size() < 1000)  // not cut
      require(reports::canonical_policy(entry.policy) == entry.policy);
    for (const reports::FailureDetail& detail : entry.failures)
      harmless(detail.result_name + detail.sending_ip + detail.receiving_mx +
               detail.receiving_helo + detail.receiving_ip + detail.information + detail.reason);
  }
  return 0;
}
