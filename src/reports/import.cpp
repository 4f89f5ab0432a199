#include "reports/import.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::reports {

namespace {

constexpr std::size_t batch_size = 1000;
constexpr std::size_t raw_kept = std::size_t{64} << 10U;

}  // namespace

Result<Done> Importer::take(Arrival arrival) {
  if (const auto begun = in_batch(); !begun) return begun;
  const auto done = [&]() -> Result<Done> {
    if (!arrival.json) return set_aside(to_string(arrival.json.error()), arrival.raw, arrival);
    Result<Report> report = read_report(*arrival.json, now_, options_.limits);
    if (!report) return set_aside(to_string(report.error()), *arrival.json, arrival);
    return store(std::move(*report), arrival);
  }();
  if (!done) {
    store_.roll_back();
    in_batch_ = 0;
  }
  return done;
}

Result<Done> Importer::in_batch() {
  if (in_batch_ == batch_size)
    if (const auto done = finish(); !done) return done;
  if (in_batch_++ > 0) return Done{};
  return store_.begin();
}

Result<Done> Importer::finish() {
  if (std::exchange(in_batch_, 0) == 0) return Done{};
  return store_.commit();
}

Result<Done> Importer::store(Report report, const Arrival& arrival) {
  std::set<std::optional<dns::Name>> domains;
  std::set<dns::Name> foreign;
  for (PolicyEntry& entry : report.policies) {
    // What the mail says that it is about is a hint, good enough for entries that prove nothing.
    if (!entry.domain) entry.domain = arrival.domain;
    if (entry.domain && options_.ours && !options_.ours(*entry.domain))
      foreign.insert(*entry.domain);
    else
      domains.insert(entry.domain);
  }
  const Origin origin{shortened(arrival.source, 1000), arrival.signer, now_};
  for (const auto& domain : domains) {
    const Result<Kept> kept = store_.add(report, domain, origin);
    if (!kept) return fail(kept);
    count(*kept, origin.signer.has_value());
  }
  if (!domains.empty() || foreign.empty()) return Done{};
  return set_aside(fmt::format("it is about {}, which is not configured", foreign.begin()->text()),
                   *arrival.json, arrival);
}

void Importer::count(Kept kept, bool verified) {
  switch (kept) {
    case Kept::stored:
      ++counts_.stored;
      break;
    case Kept::replaced:
      ++counts_.replaced;
      break;
    case Kept::duplicate:
      ++counts_.duplicates;
      return;
  }
  if (verified) ++counts_.verified;
}

Result<Done> Importer::set_aside(const std::string& reason, const std::string& content,
                                 const Arrival& arrival) {
  const Origin origin{shortened(arrival.source, 1000), arrival.signer, now_};
  const auto kept = store_.set_aside(reason, content.substr(0, raw_kept), origin);
  if (!kept) return fail(kept);
  ++counts_.set_aside;
  if (options_.refused) options_.refused({arrival.source, reason});
  return Done{};
}

}  // namespace stsctl::reports
