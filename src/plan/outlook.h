#pragma once
// What is to come after a plan's steps, and when. Pure.

#include <vector>

#include "plan/make.h"
#include "plan/target.h"

namespace stsctl::plan {

/// Fills `plan.mx` and `plan.later` in, for steps that lead to `target`.
void look_ahead(DomainPlan& plan, const Target& target, const Observed& observed,
                const Moment& moment);

/// Adds to `plan.later` the stage that its rollout leads to next, if any.
void add_next_stage(DomainPlan& plan, Time now);

/// What an operator must know of a rollout's decision.
std::vector<Note> rollout_notes(const RolloutState& state);

}  // namespace stsctl::plan
