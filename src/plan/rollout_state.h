#pragma once
// Where a domain stands in its rollout, as a plan shows it and a saved plan is held against. How
// that is decided is src/rollout's.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace stsctl::plan {

/// What a rollout does with a domain now.
enum class RolloutAction {
  undecided,  ///< Nobody looked yet: nothing may be planned.
  stay,       ///< What is published stays.
  enter,      ///< A stage begins where none was, or where its begin is not known.
  promote,    ///< The next stage begins: every gate holds.
  brake,      ///< Back to testing: too much fails.
  refuse,     ///< It must not be led from what is published; reasons.front() says why.
};
const char* to_string(RolloutAction action);

/// One condition on the way to the next stage, and how it stands.
struct RolloutGate {
  std::string what;    ///< "time", "sessions", "failures", "verify"; "brake" for that.
  std::string wanted;  ///< For people: "at least 100".
  std::string figure;  ///< "1204", "no reports: …".
  bool holds = false;  ///< Of a brake: it is pulled.
  bool operator==(const RolloutGate&) const = default;
};

/// Where a domain stands.
struct RolloutState {
  std::string rollout;  ///< Key under `rollouts:`.
  RolloutAction action = RolloutAction::undecided;
  std::size_t stages = 0;
  std::size_t stage = 0;   ///< That is published, from 1; 0: none of them.
  std::size_t target = 0;  ///< To be published now, from 1; 0: refused or undecided.
  std::string target_is;   ///< For people: "enforce, max_age 1w".
  std::string next_is;     ///< The stage after it; empty: there is none, or it is held or pinned.
  std::optional<Time> since;         ///< When `stage` began, if known.
  std::optional<Duration> in_stage;  ///< For how long it has lasted, if known.
  std::vector<RolloutGate> gates;    ///< On the way out of `stage`.
  std::optional<RolloutGate> brake;  ///< Of `stage`, if it has one.
  std::optional<Time> earliest;      ///< From when on the stage after `target` may begin.
  std::vector<std::string> reasons;  ///< Sentences.
  std::string hint;                  ///< refuse: what to do.
  bool evidence_left_out = false;    ///< --no-evidence.
  bool operator==(const RolloutState&) const = default;
};

/// Do two decisions lead to the same, whatever their figures?
bool same_decision(const RolloutState& left, const RolloutState& right);
/// "stage 2 of 3 of 'careful' (enforce, max_age 1w)", of what is to be published.
std::string describe(const RolloutState& state);

}  // namespace stsctl::plan
