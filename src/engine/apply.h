#pragma once
// Executes a plan: every domain's steps in their order, many domains at once, each with an outcome
// of its own.

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/accounts.h"
#include "engine/confirm.h"
#include "plan/plan.h"
#include "providers/provider.h"

namespace stsctl::engine {

/// How a domain ends.
enum class Ending {
  applied,    ///< Every step was taken.
  unchanged,  ///< There was nothing to do.
  failed,     ///< A step failed, or it could not be read; the steps after it were not taken.
  refused,    ///< Unsafe, or somebody else's record; no step was taken.
  stale,      ///< The world or the configuration is not what the saved plan saw; no step was taken.
  cancelled,  ///< Stopped by a signal; the steps taken are consistent, the next apply goes on.
};
const char* to_string(Ending ending);

struct Outcome {
  dns::Name domain;
  Ending ending = Ending::unchanged;
  std::size_t steps_taken = 0;
  std::size_t steps = 0;
  std::optional<Error> error;           ///< Why it failed or was refused.
  std::vector<plan::Later> later = {};  ///< Applied or unchanged: what is still to come.
};

struct ApplyOptions {
  std::set<std::string> allowed;  ///< Ids of refusals that may be overridden (--allow).
  ConfirmOptions confirm;
};

/// Is a domain's plan to be executed, given what is allowed?
bool refused(const plan::DomainPlan& plan, const ApplyOptions& options);

/// Takes the steps of `plan`; outcomes pair with plan.domains. `watch` advances by one a step.
std::vector<Outcome> apply(const plan::Plan& plan, const Accounts& accounts,
                           const ApplyOptions& options, const io::Services& services,
                           const providers::Watch& watch);

}  // namespace stsctl::engine
