#pragma once
// What is published, as far as a rollout asks: the policy, and since when. Pure.

#include <optional>

#include "plan/desired.h"
#include "plan/observed.h"
#include "rollout/rollout.h"

namespace stsctl::rollout {

struct Published {
  /// The policy served. Where none is, or an invalid one, the policy of a stage that the id of ours
  /// still announces, if it does.
  std::optional<sts::Policy> policy;
  /// When it was published: what its id says, if the id is of ours, announces this policy, and the
  /// policy is served.
  std::optional<Time> since;
  /// No policy is served, and an id of ours announces one that is no stage: something is lost.
  bool lost = false;
  bool operator==(const Published&) const = default;
};

/// Reads `observed`, whose `sts` and `policy` must be known. `desired` gives the patterns that a
/// lost policy may have had.
Published read_published(const Rollout& rollout, const plan::Desired& desired,
                         const plan::Observed& observed);

}  // namespace stsctl::rollout
