#pragma once
// Turns Desired and Observed into a Plan. Pure: equal arguments give equal plans.

#include <vector>

#include "plan/plan.h"

namespace stsctl::plan {

/// What the steps of a plan depend on besides the two states.
struct Moment {
  Time now{};             ///< When the plan is made.
  Duration valid_for{0};  ///< How long after `now` it may still be applied (saved plans).
};

/// The plan of one domain: target, diff, id, order, safety, in a row.
DomainPlan make_domain(const Desired& desired, const Observed& observed, const Moment& moment);

/// The plan of many, sorted by domain. `desired` and `observed` pair by index.
Plan make(const std::vector<Desired>& desired, const std::vector<Observed>& observed,
          const Moment& moment);

/// What differs between what a saved plan has seen and what is there now, a sentence each; empty if
/// it may be applied. Compares the configuration (`desired`) and the world (`observed`), MX records
/// only as far as the plan would have been another with them. `moment` is that of the plan.
std::vector<std::string> staleness(const DomainPlan& saved, const Desired& desired,
                                   const Observed& observed, const Moment& moment);

}  // namespace stsctl::plan
