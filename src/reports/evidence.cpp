#include "reports/evidence.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "reports/store.h"

namespace stsctl::reports {

const std::set<ResultType>& blocking_results() {
  static const std::set<ResultType> types = [] {
    std::set<ResultType> all;
    for (const ResultInfo& one : result_types())
      if (!one.dane) all.insert(one.type);
    return all;
  }();
  return types;
}

std::uint64_t Evidence::failed(const std::set<ResultType>& blocking) const {
  std::uint64_t sum = 0;
  for (const Observation* group : {&current, &unnamed})
    for (const auto& [type, sessions] : group->failures)
      if (blocking.contains(type)) sum += sessions;
  return sum;
}

std::optional<double> Evidence::failure_share(const std::set<ResultType>& blocking) const {
  if (sessions() == 0) return std::nullopt;
  return static_cast<double>(failed(blocking)) / static_cast<double>(sessions());
}

Weighing::Weighing(Question question, std::optional<TextId> policy, TextOf text_of)
    : question_(std::move(question)), policy_(policy), text_of_(std::move(text_of)) {}

bool Weighing::accepted(TextId signer) {
  if (signer == 0) return false;
  if (question_.signers.empty()) return true;
  const auto known = accepted_.find(signer);
  if (known != accepted_.end()) return known->second;
  const bool good =
      std::ranges::find(question_.signers, text_of_(signer)) != question_.signers.end();
  return accepted_[signer] = good;
}

// Null: nothing that is weighed.
Observation* Weighing::group(PolicyType type, TextId policy, TextId signer) {
  const bool is_current = policy != 0 && policy == policy_;
  if (!accepted(signer)) {
    const bool about_it = type == PolicyType::sts && (is_current || policy == 0);
    return about_it ? &evidence_.unverified : nullptr;
  }
  switch (type) {
    case PolicyType::sts:
      return is_current ? &evidence_.current : policy == 0 ? &evidence_.unnamed : &evidence_.older;
    case PolicyType::tlsa:
      return &evidence_.dane;
    case PolicyType::no_policy_found:
      return &evidence_.no_policy;
    case PolicyType::other:
      break;
  }
  return nullptr;
}

void Weighing::add(const PolicyRow& row) {
  Observation* to = group(row.type, row.policy, row.signer);
  if (to == nullptr) return;
  ++to->reports;
  to->successful += row.successful;
  to->failed += row.failed;
  if (row.failed > 0) to->failures[ResultType::unspecified] += row.failed;
  if (to == &evidence_.unverified) return;
  evidence_.newest = std::max(evidence_.newest.value_or(row.end), row.end);
  if (to == &evidence_.current || to == &evidence_.unnamed)
    evidence_.organizations.insert(text_of_(row.organization));
}

void Weighing::add(const FailureRow& row) {
  Observation* to = group(row.type, row.policy, row.signer);
  if (to == nullptr || row.sessions == 0) return;
  const std::string name = text_of_(row.result);
  if (name == to_string(ResultType::unspecified)) return;
  // Its entry has counted it as unspecified.
  to->failures[parse_result_type(name)] += row.sessions;
  std::uint64_t& rest = to->failures[ResultType::unspecified];
  rest -= std::min(rest, row.sessions);
  if (rest == 0) to->failures.erase(ResultType::unspecified);
}

Result<Evidence> weigh(Store& store, const Question& question) {
  const auto domain = store.find_text(question.domain.text());
  if (!domain) return fail(domain);
  if (!*domain) return Evidence{};
  const auto policy = store.find_text(question.policy);
  if (!policy) return fail(policy);
  std::optional<Error> fault;
  Weighing weighing(question, *policy, [&](TextId id) {
    const Result<std::string> text = store.text(id);
    if (!text && !fault) fault = text.error();
    return text.value_or("");
  });
  const Window window{*domain, question.from, question.to};
  auto done = store.each_policy(window, [&](const PolicyRow& row) { weighing.add(row); });
  if (done) done = store.each_failure(window, [&](const FailureRow& row) { weighing.add(row); });
  if (!done) return fail(done);
  if (fault) return std::unexpected(*fault);
  return weighing.evidence();
}

}  // namespace stsctl::reports
