#include "plan/outlook.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/proof.h"

namespace stsctl::plan {

namespace {

std::string names(const std::vector<Kept>& kept, Kept::Why why) {
  std::vector<std::string> names;
  for (const Kept& one : kept)
    if (one.why == why) names.push_back(sts::format_mx_pattern(one.pattern));
  return join(names, ", ");
}

bool any(const std::vector<Kept>& kept, Kept::Why why) {
  return std::ranges::find(kept, why, &Kept::why) != kept.end();
}

// As soon as every sender of a kind knows the policy that is published, or is about to be.
std::optional<SafeFrom> known_from(const DomainPlan& plan, const Observed& observed,
                                   const Moment& moment) {
  const bool announces = std::ranges::any_of(
      plan.steps, [](const Step& step) { return step.stage == Stage::announce; });
  if (announces) return safe_from(plan, observed, moment.now + moment.valid_for);
  return safe_since(observed, plan.desired.edge_delay);
}

Later while_named(const MxState& mx, SenderKind safety, Time now) {
  const std::string hosts = names(mx.kept, Kept::Why::named);
  if (mx.may_change && safe_for(safety, *mx.may_change) > now)
    return {fmt::format("the MX records need not name {} any more (senders that look at the id "
                        "each time {}, daily {}, never {})",
                        hosts, format_time(mx.may_change->prompt),
                        format_time(mx.may_change->daily), format_time(mx.may_change->strict)),
            safe_for(safety, *mx.may_change)};
  return {hosts + " leaves the policy when the MX records have not named it for a day", {}};
}

}  // namespace

void look_ahead(DomainPlan& plan, const Target& target, const Observed& observed,
                const Moment& moment) {
  if (!observed.mx) return;
  MxState mx{.kept = target.kept};
  if (*observed.mx) mx.hosts = (*observed.mx)->hosts;
  if (any(mx.kept, Kept::Why::named)) {
    mx.may_change = known_from(plan, observed, moment);
    plan.later.push_back(while_named(mx, plan.desired.safety, moment.now));
  }
  if (any(mx.kept, Kept::Why::leaving)) {
    const auto leaving = std::ranges::find(mx.kept, Kept::Why::leaving, &Kept::why);
    plan.later.push_back(
        {names(mx.kept, Kept::Why::leaving) + " leaves the policy", leaving->until});
  }
  if (any(mx.kept, Kept::Why::unknown))
    plan.later.push_back(
        {names(mx.kept, Kept::Why::unknown) + " stays until the MX records can be read", {}});
  plan.mx = std::move(mx);
}

void add_next_stage(DomainPlan& plan, Time now) {
  const RolloutState& state = *plan.desired.rollout;
  if (state.next_is.empty()) return;
  const bool due = !state.earliest || *state.earliest <= now;
  if (due)
    plan.later.push_back({state.next_is + ", when every gate holds", {}});
  else
    plan.later.push_back({state.next_is + ", if every gate holds", state.earliest});
}

std::vector<Note> rollout_notes(const RolloutState& state) {
  std::vector<Note> notes;
  if (state.evidence_left_out)
    notes.push_back({Note::Kind::warning, "evidence-left-out",
                     "reports and the look at it are left out: no gate on them holds, and no brake "
                     "is pulled"});
  if (state.action == RolloutAction::brake)
    notes.push_back({Note::Kind::warning, "rollout-brake",
                     "it goes back to testing: " + state.reasons.front()});
  else if (state.brake && state.brake->holds)
    notes.push_back(
        {Note::Kind::warning, "rollout-brake-pinned",
         fmt::format("too much fails ({}), and 'stage' pins it here", state.brake->figure)});
  return notes;
}

}  // namespace stsctl::plan
