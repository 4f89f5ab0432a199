#pragma once
// Which mx patterns to publish so that a change of MX records loses no mail: expand and contract.
// Pure; knows no policy and no id.

#include <optional>
#include <vector>

#include "plan/plan.h"

namespace stsctl::plan {

/// Resolvers may hold MX records for at least so long: a resolver's answer tells only what is left
/// of their TTL, and a day is the longest that is usual.
inline constexpr Duration least_mx_memory{86400};

/// What is known when patterns are chosen.
struct CoverQuestion {
  std::vector<sts::MxPattern> wanted;
  std::vector<sts::MxPattern> published;  ///< By the policy that is served.
  const LiveMx* live = nullptr;           ///< Null: they could not be read.
  /// What the published id says: that no MX record named `leaving` any more at `since`.
  std::vector<sts::MxPattern> leaving;
  Time since{};
  bool remembers = true;  ///< Can the next id say such a thing?
  Time now{};
};

/// The answer.
struct CoverAnswer {
  std::vector<sts::MxPattern> patterns;  ///< To be published: those wanted, then those kept.
  std::vector<Kept> kept;                ///< Which are not wanted, and why they stay.
  std::vector<sts::MxPattern> leaving;   ///< What the id is to say.
  bool operator==(const CoverAnswer&) const = default;
};

/// Published is what is wanted, what the MX records name, and what resolvers may still hold of
/// older ones. A pattern that was published and is not wanted goes when the id has said for the
/// resolvers' memory that no MX record names it (docs/mx-changes.md).
CoverAnswer cover(const CoverQuestion& question);

}  // namespace stsctl::plan
