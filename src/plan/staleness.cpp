#include <fmt/format.h>

#include "plan/make.h"

namespace stsctl::plan {

namespace {

void compare_name(const dns::Name& owner, const Result<NameState>& saved,
                  const Result<NameState>& now, std::vector<std::string>& differences) {
  if (!saved) return;  // it was not needed for the plan
  if (!now) {
    differences.push_back(fmt::format("{} cannot be read: {}", owner.text(), now.error().what));
  } else if (saved->zone != now->zone) {
    differences.push_back(fmt::format("{} lies in zone {} now, not {}", owner.text(),
                                      now->zone.text(), saved->zone.text()));
  } else if (saved->sets != now->sets) {
    differences.push_back(fmt::format("the records at {} changed", owner.text()));
  }
}

// What was written by hand; what a rollout chose of it is compared as a decision.
bool same_configuration(const Desired& saved, const Desired& now) {
  if (static_cast<bool>(saved.rollout) != static_cast<bool>(now.rollout)) return false;
  Desired as_saved = now;
  as_saved.rollout = saved.rollout;
  if (saved.rollout && saved.policy && as_saved.policy) {
    as_saved.policy->mode = saved.policy->mode;
    as_saved.policy->max_age = saved.policy->max_age;
  }
  return saved == as_saved;
}

void compare_decision(const Desired& saved, const Desired& now,
                      std::vector<std::string>& differences) {
  if (!saved.rollout || !now.rollout || same_decision(*saved.rollout, *now.rollout)) return;
  const RolloutState& state = *now.rollout;
  const std::string reason = state.reasons.empty() ? "" : ": " + state.reasons.front();
  if (state.target == 0)
    differences.push_back("its rollout stops now" + reason);
  else
    differences.push_back(fmt::format("its rollout now leads to {}, not to {}{}", describe(state),
                                      describe(*saved.rollout), reason));
}

std::vector<std::string> refusals(const DomainPlan& plan) {
  std::vector<std::string> ids;
  for (const Note& note : plan.notes)
    if (note.kind == Note::Kind::refusal) ids.push_back(note.id);
  return ids;
}

// Would the plan have been another with the MX records that are there now?
void compare_mx(const DomainPlan& saved, const Observed& observed, const Moment& moment,
                std::vector<std::string>& differences) {
  if (!saved.observed->mx || saved.observed->mx == observed.mx) return;
  Observed seen = *saved.observed;
  seen.mx = observed.mx;
  const DomainPlan now = make_domain(saved.desired, seen, moment);
  if (now.steps == saved.steps && refusals(now) == refusals(saved)) return;
  if (observed.mx && *observed.mx)
    differences.emplace_back("its MX records changed");
  else
    differences.push_back(now.error ? now.error->what : "its MX records cannot be read any more");
}

}  // namespace

std::vector<std::string> staleness(const DomainPlan& saved, const Desired& desired,
                                   const Observed& observed, const Moment& moment) {
  std::vector<std::string> differences;
  if (!same_configuration(saved.desired, desired))
    differences.emplace_back("its configuration changed");
  compare_decision(saved.desired, desired, differences);
  if (!saved.observed) return differences;
  const Owners names = owners(saved.domain());
  compare_name(names.sts, saved.observed->sts, observed.sts, differences);
  compare_name(names.tlsrpt, saved.observed->tlsrpt, observed.tlsrpt, differences);
  compare_name(names.address, saved.observed->address, observed.address, differences);
  compare_mx(saved, observed, moment, differences);
  if (!saved.observed->policy) return differences;
  if (!observed.policy)
    differences.push_back("the policy cannot be read: " + observed.policy.error().what);
  else if (*saved.observed->policy != *observed.policy)
    differences.emplace_back("the policy at its host changed");
  return differences;
}

}  // namespace stsctl::plan
