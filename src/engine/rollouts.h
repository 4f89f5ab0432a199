#pragma once
// From what is published and what is known of it to the policies that rollouts choose, for many
// domains.

#include <vector>

#include "config/config.h"
#include "engine/look.h"
#include "plan/observed.h"
#include "rollout/evidence.h"

namespace stsctl::engine {

/// What a look at a domain says to the gate `verify`: whether senders would refuse mail if the
/// policy they see enforced. An Error where the look could not see enough: a mail host that
/// answered at none of its addresses, or that was left alone. `published` is the policy that the
/// look must have found.
Result<rollout::LiveCheck> check_live(const Facts& facts, const sts::Policy& published,
                                      const LookOptions& options);

/// For which of `domains` the decision hangs on such a look. Vectors pair.
std::vector<bool> wants_look(const std::vector<config::Domain>& domains,
                             const std::vector<plan::Desired>& desired,
                             const std::vector<plan::Observed>& observed, Time now);

/// Fills in the reports of those whose decision hangs on them; without a `source` there are none.
void read_reports(const std::vector<config::Domain>& domains,
                  const std::vector<plan::Desired>& desired,
                  const std::vector<plan::Observed>& observed, const rollout::ReportSource& source,
                  std::vector<rollout::Evidence>& evidence);

/// Gives each of `desired` that follows a rollout the mode and max_age that it chooses, and says
/// where it stands. What is published could not be read: it stays undecided.
void decide_rollouts(const std::vector<config::Domain>& domains,
                     const std::vector<plan::Observed>& observed,
                     const std::vector<rollout::Evidence>& evidence, Time now,
                     std::vector<plan::Desired>& desired);

}  // namespace stsctl::engine
