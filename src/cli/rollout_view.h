#pragma once
// Where a domain stands in its rollout, for people. Pure.

#include <string>
#include <vector>

#include "plan/rollout_state.h"

namespace stsctl::cli {

/// A line of what is done and why, then one for each gate and the brake. Empty where nothing is
/// decided: the plan's error says why.
std::vector<std::string> rollout_lines(const plan::RolloutState& state);

/// Is it worth a line in a plan that changes nothing? Not at the end of the road.
bool is_under_way(const plan::RolloutState& state);

}  // namespace stsctl::cli
