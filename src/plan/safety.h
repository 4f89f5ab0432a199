#pragma once
// What an operator must know about a planned change before it is made. Pure.

#include <vector>

#include "plan/plan.h"

namespace stsctl::plan {

/// Notes on the steps of one domain; Note::Kind::refusal for those that `apply` does not take
/// unless they are allowed by their id.
std::vector<Note> check_safety(const DomainPlan& plan, const Observed& observed, Time now);

}  // namespace stsctl::plan
