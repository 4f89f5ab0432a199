#pragma once
// What reports say for or against one policy of one domain: what a gate decides by.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/name.h"

namespace stsctl::reports {

class Store;

/// What is asked.
struct Question {
  dns::Name domain;
  std::string policy;  ///< The policy now published: canonical_policy() of its body.
  Time since{};        ///< When it was published. Only what ends later counts.
  /// Verified reports count when one of these signed them; empty: whoever did. Anybody can sign for
  /// a domain of their own, so a list of the senders whose word is taken keeps strangers from
  /// forcing or blocking a promotion.
  std::vector<std::string> signers = {};
};

/// Sessions under MTA-STS that one sender reports of one time.
struct ReportedSessions {
  Time begin{};
  Time end{};
  std::uint64_t sessions = 0;                     ///< Successful and failed.
  std::uint64_t failed = 0;                       ///< Explained or not.
  std::map<std::string, std::uint64_t> failures;  ///< Those explained, by result type.
  bool operator==(const ReportedSessions&) const = default;
};

/// What verified reports say of sessions under the policy, by time and sender. Entries that name no
/// policy, which is how failures to fetch one are reported, count against whatever is published
/// when they begin. Entries of another policy, of DANE and of no policy prove nothing about it.
/// Errors as those of the store.
Result<std::vector<ReportedSessions>> sessions_under(Store& store, const Question& question);

}  // namespace stsctl::reports
