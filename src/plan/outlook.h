#pragma once
// What is to come after a plan's steps, and when. Pure.

#include "plan/make.h"
#include "plan/target.h"

namespace stsctl::plan {

/// Fills `plan.mx` and `plan.later` in, for steps that lead to `target`.
void look_ahead(DomainPlan& plan, const Target& target, const Observed& observed,
                const Moment& moment);

/// Adds to `plan.later` the stage that its rollout leads to next, if any.
void add_next_stage(DomainPlan& plan, Time now);

}  // namespace stsctl::plan
