#include "plan/rollout_state.h"

#include <tuple>

#include <fmt/format.h>

namespace stsctl::plan {

const char* to_string(RolloutAction action) {
  switch (action) {
    case RolloutAction::undecided:
      return "undecided";
    case RolloutAction::stay:
      return "stay";
    case RolloutAction::enter:
      return "enter";
    case RolloutAction::promote:
      return "promote";
    case RolloutAction::brake:
      return "brake";
    case RolloutAction::refuse:
      return "refuse";
  }
  return "undecided";
}

bool same_decision(const RolloutState& left, const RolloutState& right) {
  const auto decision = [](const RolloutState& state) {
    return std::tie(state.rollout, state.action, state.stage, state.target, state.target_is);
  };
  return decision(left) == decision(right);
}

std::string describe(const RolloutState& state) {
  return fmt::format("stage {} of {} of '{}' ({})", state.target, state.stages, state.rollout,
                     state.target_is);
}

}  // namespace stsctl::plan
