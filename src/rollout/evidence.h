#pragma once
// What is known of how a published policy fares: reports of senders, and a look at it. Knows no
// store and no network; whoever gathers it fills it in.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/name.h"
#include "sts/policy.h"

namespace stsctl::rollout {

/// What one TLS-RPT report (RFC 8460 §4) says of sessions under MTA-STS.
struct ReportedSessions {
  Time begin{};  ///< The period it covers, usually a day.
  Time end{};
  std::uint64_t sessions = 0;                     ///< All, successful and failed.
  std::uint64_t failed = 0;                       ///< As its summary says.
  std::map<std::string, std::uint64_t> failures;  ///< As its details say, by result type.
  bool operator==(const ReportedSessions&) const = default;
};

/// How verify judged what senders see, as if the policy enforced.
struct LiveCheck {
  bool passed = false;
  std::string what;  ///< The worst it found; empty if it passed.
  bool operator==(const LiveCheck&) const = default;
};

/// What there is for one domain. An Error is evidence that could not be had, and why.
struct Evidence {
  /// Reports that are sure to come from those who send them, on exactly the policy published, in
  /// entries of type `sts` alone: those of other policies, of DANE and of no policy are not among
  /// them. Entries that name no policy because none could be fetched are, if they are of a time
  /// when it was published.
  Result<std::vector<ReportedSessions>> reports = fail(Code::not_found, "no reports");
  /// None: nobody looked.
  std::optional<Result<LiveCheck>> verify;
  bool left_out = false;  ///< On purpose: --no-evidence.
};

/// Where reports come from: those of `domain` on `policy` that end later than `since`.
using ReportSource = std::function<Result<std::vector<ReportedSessions>>(
    const dns::Name& domain, const sts::Policy& policy, Time since)>;

/// A report is about a past day; sending it takes up to four hours (RFC 8460 §4.1) and is tried
/// for a day (§5.5).
inline constexpr Duration report_delay{28 * 3600};

}  // namespace stsctl::rollout
