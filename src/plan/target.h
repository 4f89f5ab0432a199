#pragma once
// Which policy to publish now: the one wanted, fitted to the MX records. Pure.

#include "plan/desired.h"
#include "plan/observed.h"

namespace stsctl::plan {

/// The answer.
struct Target {
  sts::Policy policy;  ///< To be published now.
  bool operator==(const Target&) const = default;
};

/// `desired.policy` must be set. Errors, where the patterns are those of the MX records: what
/// reading them failed with; Code::refused where there are none that a policy can name.
Result<Target> choose_target(const Desired& desired, const Observed& observed);

}  // namespace stsctl::plan
