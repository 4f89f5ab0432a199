#pragma once
// The ids stsctl generates: which policy, published when, and until when older policies may live in
// a sender's cache. See docs/policy-id.md.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sts/policy.h"

namespace stsctl::sts {

/// What a generated id says. 32 letters and digits, read left to right:
///   YYYYMMDDTHHMMSSZ   16  `published`, UTC
///   base-36, 0-9A-Z     3  `horizon`, days since 1970-01-01 (to the year 2097)
///   base-32 (RFC 4648) 13  `digest`, the first 65 bits of the SHA-256 of the canonical policy with
///                          its mx patterns sorted: their order has no meaning
struct PolicyId {
  Time published;  ///< When the policy it announces was published.
  Day horizon;     ///< At 00:00 UTC of this day every policy served before `published` has ended
                   ///< in every sender's cache (the ledger of RFC 8461 §8.3).
  std::string digest;  ///< policy_digest() of the policy it announces.
  bool operator==(const PolicyId&) const = default;
};

/// The digest of an id that stands in for a foreign one while no valid policy is served.
inline constexpr std::string_view no_policy_digest = "AAAAAAAAAAAAA";

/// The last 13 characters of an id that announces `policy`. Policies equal by meaning (the order
/// and repetition of mx patterns apart) have equal digests. `leaving` are those of its patterns
/// that no MX record named any more when the id was published.
std::string policy_digest(const Policy& policy, const std::vector<MxPattern>& leaving = {});
/// 32 characters; `horizon` outside 1970..2097 is clamped.
std::string format_policy_id(const PolicyId& id);
/// nullopt unless `id` has exactly the form that format_policy_id writes: then it is foreign.
std::optional<PolicyId> parse_policy_id(std::string_view id);
/// Does a generated id announce `policy`, whichever of its patterns are leaving?
bool announces(const PolicyId& id, const Policy& policy);
/// Which patterns of the policy that it announces the id says are leaving, sorted; nullopt if it
/// announces another. They are found by trying: all sets among up to 12 patterns, among more those
/// of two at most.
std::optional<std::vector<MxPattern>> leaving_patterns(const PolicyId& id, const Policy& policy);

}  // namespace stsctl::sts
