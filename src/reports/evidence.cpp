#include "reports/evidence.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "reports/result_type.h"
#include "reports/store.h"

namespace stsctl::reports {

namespace {

// Most reports are about a day; none that began longer before is known to end in time.
constexpr Duration longest_report{7 * 86400};
constexpr Time endless = Time::max();

// Collects the rows that count.
class Collector {
 public:
  Collector(Store& store, const Question& question, std::optional<TextId> policy)
      : store_(store), question_(question), policy_(policy) {}

  void add(const PolicyRow& row) {
    if (!counts(row) || row.end <= question_.since) return;
    ReportedSessions& to = sessions_[key(row)];
    to.begin = row.begin;
    to.end = std::max(to.end, row.end);
    to.sessions += row.successful + row.failed;
    to.failed += row.failed;
  }

  void add(const FailureRow& row) {
    const auto to = counts(row) ? sessions_.find(key(row)) : sessions_.end();
    if (to == sessions_.end() || row.sessions == 0) return;
    const std::string type = text(row.result);
    // What nobody explains is what is left of the failed ones.
    if (type != to_string(ResultType::unspecified)) to->second.failures[type] += row.sessions;
  }

  Result<std::vector<ReportedSessions>> finish() && {
    if (fault_) return std::unexpected(*fault_);
    std::vector<ReportedSessions> all;
    for (auto& [key, one] : sessions_)
      all.push_back(std::move(one));
    return all;
  }

 private:
  using Key = std::tuple<Time, TextId, TextId, TextId>;

  template <class Row>
  static Key key(const Row& row) {
    return {row.begin, row.organization, row.signer, row.policy};
  }

  template <class Row>
  bool counts(const Row& row) {
    if (row.type != PolicyType::sts || !accepted(row.signer)) return false;
    return row.policy == 0 ? row.begin >= question_.since : policy_ == row.policy;
  }

  bool accepted(TextId signer) {
    if (signer == 0) return false;
    if (question_.signers.empty()) return true;
    const auto [known, fresh] = accepted_.try_emplace(signer, false);
    if (fresh)
      known->second = std::ranges::find(question_.signers, text(signer)) != question_.signers.end();
    return known->second;
  }

  std::string text(TextId id) {
    const Result<std::string> text = store_.text(id);
    if (!text && !fault_) fault_ = text.error();
    return text.value_or("");
  }

  Store& store_;
  const Question& question_;
  std::optional<TextId> policy_;
  std::map<Key, ReportedSessions> sessions_;
  std::map<TextId, bool> accepted_;
  std::optional<Error> fault_;
};

}  // namespace

Result<std::vector<ReportedSessions>> sessions_under(Store& store, const Question& question) {
  const auto domain = store.find_text(question.domain.text());
  if (!domain) return fail(domain);
  if (!*domain) return std::vector<ReportedSessions>{};
  const auto policy = store.find_text(question.policy);
  if (!policy) return fail(policy);
  Collector collector(store, question, *policy);
  const Time from = std::max(question.since, Time(longest_report)) - longest_report;
  const Window window{*domain, from, endless};
  auto done = store.each_policy(window, [&](const PolicyRow& row) { collector.add(row); });
  if (done) done = store.each_failure(window, [&](const FailureRow& row) { collector.add(row); });
  if (!done) return fail(done);
  return std::move(collector).finish();
}

}  // namespace stsctl::reports
