#pragma once
// Which policy to publish now: the one wanted, fitted to the MX records. Pure.

#include <vector>

#include "plan/plan.h"

namespace stsctl::plan {

/// The answer.
struct Target {
  sts::Policy policy;                   ///< To be published now.
  std::vector<Kept> kept;               ///< Its patterns that are not wanted, and why they stay.
  std::vector<sts::MxPattern> leaving;  ///< What its id is to say is leaving (sts::policy_digest).
  bool operator==(const Target&) const = default;
};

/// `desired.policy` must be set. Errors, where the
/// patterns are those of the MX records: what reading them failed with; Code::refused where there
/// are none that a policy can name.
Result<Target> choose_target(const Desired& desired, const Observed& observed, Time now);

}  // namespace stsctl::plan
