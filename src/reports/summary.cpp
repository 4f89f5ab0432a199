#include "reports/summary.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace stsctl::reports {

namespace {

constexpr std::size_t most_reasons = 5;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool validates(PolicyType type) {
  return type == PolicyType::sts || type == PolicyType::tlsa;
}

std::vector<std::string> texts(const std::set<TextId>& ids, const Tally::TextOf& text_of) {
  std::vector<std::string> list;
  list.reserve(ids.size());
  for (const TextId id : ids)
    list.push_back(text_of(id));
  std::ranges::sort(list);
  return list;
}

// The texts with the largest numbers first, at most `most`; empty texts are left out.
std::vector<std::pair<std::string, std::uint64_t>> ranked(
    const std::map<TextId, std::uint64_t>& sums, const Tally::TextOf& text_of, std::size_t most) {
  std::vector<std::pair<std::string, std::uint64_t>> list;
  for (const auto& [id, sum] : sums)
    if (std::string text = text_of(id); !text.empty()) list.emplace_back(std::move(text), sum);
  std::ranges::sort(list, [](const auto& left, const auto& right) {
    return std::tie(right.second, left.first) < std::tie(left.second, right.first);
  });
  if (list.size() > most) list.resize(most);
  return list;
}

// When a policy was applied.
struct Span {
  Time first = Time::max();
  Time last;
  void add(const Span& other) {
    first = std::min(first, other.first);
    last = std::max(last, other.last);
  }
};
using Spans = std::map<TextId, Span>;  // by policy

// The policy that was applied last; of several on that day, the one that turned up last.
std::pair<TextId, Span> newest(const Spans& spans) {
  std::pair<TextId, Span> best;
  for (const auto& [policy, span] : spans)
    if (best.first == 0 ||
        std::tie(span.last, span.first) > std::tie(best.second.last, best.second.first))
      best = {policy, span};
  return best;
}

// The MTA-STS side of a domain, in numbers.
struct Uptake {
  std::map<TextId, std::uint64_t> sessions;  // by policy, 0: none was named
  std::map<TextId, Spans> by_organization;
  Spans spans;

  void add(TextId organization, TextId policy, std::uint64_t count, const Span& span) {
    sessions[policy] += count;
    if (policy == 0) return;
    by_organization[organization][policy].add(span);
    spans[policy].add(span);
  }
};

Following following(const Uptake& uptake, const std::optional<std::string>& published,
                    const Tally::TextOf& text_of) {
  Following result{.current = published.value_or(text_of(newest(uptake.spans).first)),
                   .published = published.has_value()};
  for (const auto& [policy, sessions] : uptake.sessions) {
    std::uint64_t& sum = policy == 0                         ? result.unnamed
                         : text_of(policy) == result.current ? result.on_current
                                                             : result.on_older;
    sum += sessions;
  }
  for (const auto& [organization, spans] : uptake.by_organization) {
    const auto [id, span] = newest(spans);
    if (std::string policy = text_of(id); policy != result.current)
      result.lagging.push_back({text_of(organization), std::move(policy), span.last});
  }
  std::ranges::sort(result.lagging, {}, &Lagging::organization);
  return result;
}

}  // namespace

double Sessions::failure_share() const {
  return share(failed, total());
}

double Sessions::validated_share() const {
  return share(validated, total());
}

Sessions& Sessions::operator+=(const Sessions& other) {
  successful += other.successful;
  failed += other.failed;
  validated += other.validated;
  return *this;
}

std::size_t Tally::KeyHash::operator()(const Key& key) const noexcept {
  std::uint64_t hash = 0;
  for (const TextId part :
       {key.domain, key.organization, key.policy, key.signer, static_cast<TextId>(key.type)}) {
    // The finalizer of SplitMix64: neighbouring numbers end far apart.
    hash = (hash ^ static_cast<std::uint64_t>(part)) + 0x9E3779B97F4A7C15U;
    hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9U;
  }
  return static_cast<std::size_t>(hash ^ (hash >> 31U));
}

void Tally::add(const PolicyRow& row) {
  Cell& cell = cells_[{row.domain, row.organization, row.policy, row.signer, row.type}];
  cell.sessions += row.successful + row.failed;
  cell.first = std::min(cell.first, row.begin);
  cell.last = std::max(cell.last, row.begin);
  if (row.first) ++cell.reports;
  if (!row.counted) return;
  const Sessions sessions{.successful = row.successful,
                          .failed = row.failed,
                          .validated = validates(row.type) ? row.successful : 0};
  cell.counted += sessions;
  const Day day = std::chrono::floor<std::chrono::days>(row.begin);
  if (of_day_ == nullptr || day != day_) {
    of_day_ = &days_[day];
    day_ = day;
  }
  *of_day_ += sessions;
}

void Tally::add(const FailureRow& row) {
  FailureCell& cell = failures_[{row.result, row.mx, row.domain, row.organization, row.reason}];
  cell.sessions += row.sessions;
  cell.last = std::max(cell.last, row.begin);
}

Summary Tally::summary(const TextOf& text_of, const PolicyOf& policy_of) const {
  Summary summary{.organizations = organizations(text_of), .domains = domains(text_of, policy_of)};
  for (const OrganizationLine& line : summary.organizations) {
    summary.reports += line.reports;
    summary.verified_reports += line.verified_reports;
    summary.sessions += line.sessions;
  }
  summary.results = results(text_of);
  summary.mx_hosts = mx_hosts(text_of);
  for (const auto& [day, sessions] : days_)
    if (sessions.total() > 0) summary.days.push_back({day, sessions});
  return summary;
}

std::vector<OrganizationLine> Tally::organizations(const TextOf& text_of) const {
  std::map<TextId, OrganizationLine> lines;
  std::map<TextId, std::set<TextId>> signers;
  for (const auto& [key, cell] : cells_) {
    OrganizationLine& line = lines[key.organization];
    line.reports += cell.reports;
    line.sessions += cell.counted;
    line.last = std::max(line.last, cell.last);
    if (key.signer == 0) continue;
    line.verified_reports += cell.reports;
    signers[key.organization].insert(key.signer);
  }
  std::vector<OrganizationLine> list;
  for (auto& [id, line] : lines) {
    line.name = text_of(id);
    line.signers = texts(signers[id], text_of);
    list.push_back(std::move(line));
  }
  std::ranges::sort(list, [](const OrganizationLine& left, const OrganizationLine& right) {
    const auto l = left.sessions.total();
    const auto r = right.sessions.total();
    return std::tie(r, left.name) < std::tie(l, right.name);
  });
  return list;
}

std::vector<DomainLine> Tally::domains(const TextOf& text_of, const PolicyOf& policy_of) const {
  std::map<TextId, DomainLine> lines;
  std::map<TextId, Uptake> uptakes;
  for (const auto& [key, cell] : cells_) {
    DomainLine& line = lines[key.domain];
    line.reports += cell.reports;
    line.sessions += cell.counted;
    if (key.type == PolicyType::sts)
      uptakes[key.domain].add(key.organization, key.policy, cell.sessions, {cell.first, cell.last});
  }
  std::vector<DomainLine> list;
  for (auto& [id, line] : lines) {
    line.name = text_of(id);
    const auto published = policy_of ? policy_of(line.name) : std::nullopt;
    line.following = following(uptakes[id], published, text_of);
    list.push_back(std::move(line));
  }
  std::ranges::sort(list, {}, &DomainLine::name);
  return list;
}

std::vector<ResultLine> Tally::results(const TextOf& text_of) const {
  struct Sum {
    ResultLine line;
    std::set<TextId> domains, organizations;
    std::map<TextId, std::uint64_t> reasons;
  };
  std::map<TextId, Sum> sums;
  for (const auto& [key, cell] : failures_) {
    Sum& sum = sums[key.result];
    sum.line.sessions += cell.sessions;
    sum.line.last = std::max(sum.line.last, cell.last);
    sum.domains.insert(key.domain);
    sum.organizations.insert(key.organization);
    sum.reasons[key.reason] += cell.sessions;
  }
  std::vector<ResultLine> list;
  for (auto& [id, sum] : sums) {
    sum.line.name = text_of(id);
    sum.line.type = sum.line.name == to_string(ResultType::unspecified)
                        ? ResultType::unspecified
                        : parse_result_type(sum.line.name);
    sum.line.domains = texts(sum.domains, text_of);
    sum.line.organizations = texts(sum.organizations, text_of);
    for (auto& [reason, sessions] : ranked(sum.reasons, text_of, most_reasons))
      sum.line.reasons.push_back(std::move(reason));
    list.push_back(std::move(sum.line));
  }
  std::ranges::sort(list, [](const ResultLine& left, const ResultLine& right) {
    return std::tie(right.sessions, left.name) < std::tie(left.sessions, right.name);
  });
  return list;
}

std::vector<MxLine> Tally::mx_hosts(const TextOf& text_of) const {
  std::map<TextId, std::map<TextId, std::uint64_t>> sums;
  for (const auto& [key, cell] : failures_)
    sums[key.mx][key.result] += cell.sessions;
  std::vector<MxLine> list;
  for (const auto& [id, results] : sums) {
    MxLine line{.host = text_of(id), .results = ranked(results, text_of, results.size())};
    for (const auto& [name, sessions] : line.results)
      line.sessions += sessions;
    list.push_back(std::move(line));
  }
  std::ranges::sort(list, [](const MxLine& left, const MxLine& right) {
    return std::tie(right.sessions, left.host) < std::tie(left.sessions, right.host);
  });
  return list;
}

}  // namespace stsctl::reports
