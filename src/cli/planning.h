#pragma once
// From an open session to a plan, with progress shown. Shared by plan, apply and status.

#include <vector>

#include "cli/session.h"
#include "plan/make.h"

namespace stsctl::cli {

/// What is published now; pairs with session.desired.
std::vector<plan::Observed> observe(Context& context, const Session& session);

/// The plan for the session as of now.
plan::Plan make_plan(Context& context, const Session& session, Duration valid_for);

/// The exit code of a plan that is only shown: domains that are refused or cannot be read count,
/// changes only with `detailed`.
int plan_exit(const plan::Plan& plan, bool detailed);

}  // namespace stsctl::cli
