#pragma once
// Proves of a plan that no sender refuses good mail because of it, or says which does and for how
// long. Pure.

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "plan/plan.h"
#include "plan/senders.h"

namespace stsctl::plan {

/// All that a sender may see while a plan is taken: its first `steps` steps, one after another, as
/// a crash after them would leave it. The MX records are those seen now; senders may have seen
/// what is published now at any time before.
Timeline timeline(const DomainPlan& plan, const Observed& observed, std::size_t steps);

/// What the model says of a plan.
struct Proof {
  std::size_t states = 0;           ///< Examined: a crash after each step, for each kind of sender.
  std::array<Refusal, 3> refusals;  ///< The worst of each kind, prompt, daily, strict.
  std::array<Refusal, 3> before;    ///< The same if nothing is done.
  /// The shortest example: after so many steps some sender refuses what none refuses now.
  std::optional<std::size_t> first_worse;
  bool stale = false;  ///< may_store_stale() of the whole plan.
};
Proof prove(const DomainPlan& plan, const Observed& observed);

/// When the MX records may change to hosts that only the new policy allows, if the plan is applied
/// at `now`.
SafeFrom safe_from(const DomainPlan& plan, const Observed& observed, Time now);

/// The same for the policy that is published, as its id tells; none if it is not one of ours. A
/// saved plan that was applied late makes the times for prompt and daily senders later by as much.
std::optional<SafeFrom> safe_since(const Observed& observed, Duration edge_delay);

}  // namespace stsctl::plan
