#pragma once
// What a commit says about the policies it changes. Pure.

#include <string>
#include <vector>

#include "plan/plan.h"

namespace stsctl::providers::github {

/// "Change the MTA-STS policy of example.com" and, below, "mode testing -> enforce"; for several a
/// line each, at most 100. Precondition: there is at least one.
std::string commit_message(const std::vector<plan::PolicyEdit>& edits);

}  // namespace stsctl::providers::github
