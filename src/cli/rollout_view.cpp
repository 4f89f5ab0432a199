#include "cli/rollout_view.h"

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::cli {

namespace {

using plan::RolloutAction;

std::string head(const plan::RolloutState& state) {
  const std::string stage = describe(state);
  const std::string& why = state.reasons.front();
  switch (state.action) {
    case RolloutAction::enter:
    case RolloutAction::promote:
      return fmt::format("{} begins: {}", stage, why);
    case RolloutAction::brake:
      return fmt::format("back to {}: {}", stage, why);
    default:
      break;
  }
  if (!state.in_stage) return fmt::format("{}: {}", stage, why);
  return fmt::format("{}, for {}: {}", stage, describe_duration(*state.in_stage), why);
}

std::string gate_line(const plan::RolloutGate& gate, const char* holds, const char* does_not) {
  return fmt::format("  {}: {} ({}): {}", gate.what, gate.figure, gate.wanted,
                     gate.holds ? holds : does_not);
}

}  // namespace

std::vector<std::string> rollout_lines(const plan::RolloutState& state) {
  if (state.target == 0 || state.reasons.empty()) return {};
  std::vector<std::string> lines{head(state)};
  lines.insert(lines.end(), state.reasons.begin() + 1, state.reasons.end());
  for (const plan::RolloutGate& gate : state.gates)
    lines.push_back(gate_line(gate, "holds", "does not hold"));
  if (state.brake) lines.push_back(gate_line(*state.brake, "pulled", "not pulled"));
  for (std::string& line : lines)
    line = printable(line);
  return lines;
}

bool is_under_way(const plan::RolloutState& state) {
  return state.action != RolloutAction::stay || state.stage < state.stages;
}

}  // namespace stsctl::cli
