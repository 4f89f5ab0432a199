#pragma once
// What reports say for or against one policy of one domain: what a gate decides by. Pure.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/name.h"
#include "reports/result_type.h"
#include "reports/rows.h"

namespace stsctl::reports {

class Store;

/// What is asked.
struct Question {
  dns::Name domain;
  std::string policy;  ///< The policy now published: canonical_policy() of its body.
  /// Reports that begin within [from, to). Most cover a day in UTC: one that begins before `from`
  /// may tell of the time before, and does not count. Ask from the start of the day to have it.
  Time from, to;
  /// Verified reports count when one of these signed them; empty: whoever did. Anybody can sign for
  /// a domain of their own, so a list of the senders whose word is taken keeps strangers from
  /// forcing or blocking a promotion.
  std::vector<std::string> signers = {};
};

/// Sessions of one kind of entry.
struct Observation {
  std::uint64_t reports = 0;  ///< Entries, which is reports but for odd senders.
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
  /// Failed sessions by result type; the sum is `failed`.
  std::map<ResultType, std::uint64_t> failures = {};
  std::uint64_t total() const { return successful + failed; }
  bool operator==(const Observation&) const = default;
};

/// The answer. All but `unverified` comes from verified reports alone; the groups share no session
/// but for `dane`, which may repeat Microsoft's.
struct Evidence {
  Observation current;  ///< MTA-STS entries under the policy asked about.
  /// MTA-STS entries that name no policy, which is how failures to fetch one are reported. They
  /// count against whatever is published.
  Observation unnamed;
  Observation older;       ///< MTA-STS entries under another policy: caches that lag behind.
  Observation no_policy;   ///< The sender applied neither: proves nothing about MTA-STS.
  Observation dane;        ///< Shown; stands in no gate's way.
  Observation unverified;  ///< The like of `current` and `unnamed`, of which no accepted signer.
  std::set<std::string> organizations = {};  ///< Who reported `current` or `unnamed` sessions.
  std::optional<Time> newest = {};           ///< The end of the newest verified report.

  /// What a gate on sessions holds against its minimum.
  std::uint64_t sessions() const { return current.total() + unnamed.total(); }
  /// Failed sessions of the types given, which stand in the way.
  std::uint64_t failed(const std::set<ResultType>& blocking) const;
  /// failed() of sessions(), 0 to 1; none without sessions: no evidence is not good evidence.
  std::optional<double> failure_share(const std::set<ResultType>& blocking) const;
  bool operator==(const Evidence&) const = default;
};

/// The types that block a promotion unless configured otherwise: every one that speaks of MTA-STS
/// or of TLS itself, and failures that nobody explains. DANE's own do not.
const std::set<ResultType>& blocking_results();

/// Weighs rows of the domain and window asked about. `text_of` gives the text of a number.
class Weighing {
 public:
  using TextOf = std::function<std::string(TextId)>;
  /// `policy`: the number of the question's policy; none if no report names it.
  Weighing(Question question, std::optional<TextId> policy, TextOf text_of);

  void add(const PolicyRow& row);
  void add(const FailureRow& row);
  /// The answer so far. Failures that were not added count as unspecified.
  const Evidence& evidence() const { return evidence_; }

 private:
  Observation* group(PolicyType type, TextId policy, TextId signer);
  bool accepted(TextId signer);

  Question question_;
  std::optional<TextId> policy_;
  TextOf text_of_;
  std::map<TextId, bool> accepted_;
  Evidence evidence_;
};

/// Asks a store.
Result<Evidence> weigh(Store& store, const Question& question);

}  // namespace stsctl::reports
