#pragma once
// What an operator must know about a planned change before it is made. Pure.

#include <vector>

#include "plan/make.h"
#include "plan/target.h"

namespace stsctl::plan {

/// Notes on the steps of one domain that lead to `target`; Note::Kind::refusal for those that
/// `apply` does not take unless they are allowed by their id.
std::vector<Note> check_safety(const DomainPlan& plan, const Target& target,
                               const Observed& observed, const Moment& moment);

}  // namespace stsctl::plan
