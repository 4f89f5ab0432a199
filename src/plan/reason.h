#pragma once
// Why a policy file is written, in words. Knows no step.

#include <optional>
#include <string>

#include "sts/policy.h"

namespace stsctl::plan {

/// What changes from the body there is (none: there is none) to the policy wanted: "first policy",
/// "mode testing -> enforce, max_age 1d -> 1w".
std::string policy_reason(const std::optional<std::string>& body, const sts::Policy& wanted);

}  // namespace stsctl::plan
