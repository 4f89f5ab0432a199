#include "plan/safety.h"

#include <algorithm>

#include <fmt/format.h>

#include "sts/record.h"

namespace stsctl::plan {

namespace {

bool has_stage(const DomainPlan& plan, Stage stage) {
  return std::ranges::any_of(plan.steps, [&](const Step& step) { return step.stage == stage; });
}

void check_fixed_id(const DomainPlan& plan, const std::optional<sts::Policy>& before,
                    std::vector<Note>& notes) {
  const Desired& desired = plan.desired;
  if (desired.id_strategy != IdStrategy::fixed || has_stage(plan, Stage::announce) || !before ||
      sts::same_policy(*before, *desired.policy))
    return;
  notes.push_back({Note::Kind::refusal, "fixed-id-unchanged",
                   fmt::format("the policy changes but its fixed id '{}' does not: senders keep "
                               "the old policy until it expires; give the new policy a new id",
                               desired.fixed_id)});
}

void check_enforce(const DomainPlan& plan, const std::optional<sts::Policy>& before,
                   std::vector<Note>& notes) {
  const sts::Policy& policy = *plan.desired.policy;
  if (policy.mode != sts::Mode::enforce) return;
  if (!before || before->mode != sts::Mode::enforce)
    notes.push_back({Note::Kind::warning, "enforce-begins",
                     fmt::format("senders will refuse every MX that no pattern matches or whose "
                                 "certificate fails, for up to {} after a mistake",
                                 format_duration(policy.max_age))});
}

void check_patterns(const DomainPlan& plan, const std::optional<sts::Policy>& before,
                    std::vector<Note>& notes) {
  if (!before || before->mode != sts::Mode::enforce) return;
  const sts::Policy& policy = *plan.desired.policy;
  for (const sts::MxPattern& old : before->mx) {
    const bool covered = std::ranges::any_of(
        policy.mx, [&](const sts::MxPattern& pattern) { return sts::covers(pattern, old); });
    if (!covered && policy.mode == sts::Mode::enforce)
      notes.push_back({Note::Kind::warning, "mx-pattern-removed",
                       fmt::format("'{}' is no longer allowed: make sure no MX record has named "
                                   "such a host for the MX TTL",
                                   sts::format_mx_pattern(old))});
  }
  for (const sts::MxPattern& fresh : policy.mx) {
    const bool known = std::ranges::any_of(
        before->mx, [&](const sts::MxPattern& pattern) { return sts::covers(pattern, fresh); });
    if (!known)
      notes.push_back(
          {Note::Kind::warning, "mx-pattern-added",
           fmt::format("senders may enforce the old policy for up to {}: keep a host "
                       "it allows until then beside '{}'",
                       format_duration(before->max_age), sts::format_mx_pattern(fresh))});
  }
}

// chasquid and Stalwart reject a policy without mx, so they may go on with an older, stricter one.
void check_none(const DomainPlan& plan, std::vector<Note>& notes) {
  const sts::Policy& policy = *plan.desired.policy;
  if (policy.mode == sts::Mode::none && policy.mx.empty())
    notes.push_back({Note::Kind::warning, "none-without-mx",
                     "some senders reject a policy without mx lines and keep the one they have: "
                     "list the mx hosts in mode none too"});
}

void check_move(const DomainPlan& plan, std::vector<Note>& notes) {
  if (has_stage(plan, Stage::redirect) && has_stage(plan, Stage::announce))
    notes.push_back({Note::Kind::warning, "policy-host-moves",
                     "resolvers may send senders to the old host for the TTL of its address: keep "
                     "serving the new policy there until then"});
}

}  // namespace

std::vector<Note> check_safety(const DomainPlan& plan, const Observed& observed) {
  std::vector<Note> notes;
  if (!plan.changed() || !plan.desired.policy) return notes;
  std::optional<sts::Policy> before;
  if (*observed.policy) before = sts::parse_policy(**observed.policy).value;
  const bool policy_changes = has_stage(plan, Stage::publish) &&
                              !(before && sts::same_policy(*before, *plan.desired.policy));
  check_fixed_id(plan, before, notes);
  if (policy_changes) {
    check_enforce(plan, before, notes);
    check_patterns(plan, before, notes);
    check_none(plan, notes);
  }
  check_move(plan, notes);
  return notes;
}

}  // namespace stsctl::plan
