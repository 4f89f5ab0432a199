#pragma once
// From an open session to a plan, with progress shown. Shared by plan, apply and status.

#include <vector>

#include "cli/rollouts.h"
#include "cli/session.h"
#include "plan/make.h"

namespace stsctl::cli {

/// What is published now; pairs with session.desired.
std::vector<plan::Observed> observe(Context& context, const Session& session);

/// Looks, for those of `observed` with a true `wanted`, at their MX records as well; nowhere
/// without a resolver.
void look_at_mx(Context& context, const Session& session, const std::vector<bool>& wanted,
                std::vector<plan::Observed>& observed);

/// The same for those whose plan depends on them: policies that change, and patterns that are taken
/// from them.
void look_at_mx(Context& context, const Session& session, const plan::Moment& moment,
                std::vector<plan::Observed>& observed);

/// The plan for the session as of now; policies that change are held against the MX records.
/// Rollouts are decided first, with `evidence`, which sets session.desired.
plan::Plan make_plan(Context& context, Session& session, Duration valid_for,
                     const EvidenceOptions& evidence);

/// The exit code of a plan that is only shown: domains that are refused or cannot be read count,
/// changes, now or later, only with `detailed`.
int plan_exit(const plan::Plan& plan, bool detailed);

}  // namespace stsctl::cli
