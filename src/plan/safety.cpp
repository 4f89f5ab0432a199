#include "plan/safety.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/proof.h"
#include "plan/retire.h"
#include "sts/record.h"

namespace stsctl::plan {

namespace {

bool has_stage(const DomainPlan& plan, Stage stage) {
  return std::ranges::any_of(plan.steps, [&](const Step& step) { return step.stage == stage; });
}

void check_fixed_id(const DomainPlan& plan, const sts::Policy& policy,
                    const std::optional<sts::Policy>& before, std::vector<Note>& notes) {
  const Desired& desired = plan.desired;
  if (desired.id_strategy != IdStrategy::fixed || has_stage(plan, Stage::announce) || !before ||
      sts::same_policy(*before, policy))
    return;
  notes.push_back({Note::Kind::refusal, "fixed-id-unchanged",
                   fmt::format("the policy changes but its fixed id '{}' does not: senders keep "
                               "the old policy until it expires; give the new policy a new id",
                               desired.fixed_id)});
}

void check_enforce(const sts::Policy& policy, const std::optional<sts::Policy>& before,
                   std::vector<Note>& notes) {
  if (policy.mode != sts::Mode::enforce) return;
  if (!before || before->mode != sts::Mode::enforce)
    notes.push_back({Note::Kind::warning, "enforce-begins",
                     fmt::format("senders will refuse every MX that no pattern matches or whose "
                                 "certificate fails, for up to {} after a mistake",
                                 format_duration(policy.max_age))});
}

std::string when_safe(const SafeFrom& safe) {
  return fmt::format("{} for senders that look at the id each time, {} daily, {} never",
                     format_time(safe.prompt), format_time(safe.daily), format_time(safe.strict));
}

void check_removed(const sts::Policy& policy, const std::optional<sts::Policy>& before,
                   std::vector<Note>& notes) {
  if (!before || before->mode != sts::Mode::enforce) return;
  for (const sts::MxPattern& old : before->mx) {
    const bool covered = std::ranges::any_of(
        policy.mx, [&](const sts::MxPattern& pattern) { return sts::covers(pattern, old); });
    if (!covered && policy.mode == sts::Mode::enforce)
      notes.push_back({Note::Kind::warning, "mx-pattern-removed",
                       fmt::format("'{}' is no longer allowed: make sure no MX record has named "
                                   "such a host for the MX TTL",
                                   sts::format_mx_pattern(old))});
  }
}

void check_added(const sts::Policy& policy, const std::optional<sts::Policy>& before,
                 const SafeFrom& safe, std::vector<Note>& notes) {
  if (!before || before->mode != sts::Mode::enforce) return;
  for (const sts::MxPattern& fresh : policy.mx) {
    const bool known = std::ranges::any_of(
        before->mx, [&](const sts::MxPattern& pattern) { return sts::covers(pattern, fresh); });
    if (!known)
      notes.push_back(
          {Note::Kind::warning, "mx-pattern-added",
           fmt::format(
               "senders may go on to enforce the old policy: keep an MX host that it allows "
               "beside '{}' until {}",
               sts::format_mx_pattern(fresh), when_safe(safe))});
  }
}

// chasquid and Stalwart reject a policy without mx, so they may go on with an older, stricter one.
void check_none(const sts::Policy& policy, std::vector<Note>& notes) {
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

std::string host_list(const std::vector<dns::Name>& hosts) {
  std::vector<std::string> names;
  names.reserve(hosts.size());
  for (const dns::Name& host : hosts)
    names.push_back(host.text());
  return join(names, ", ");
}

// Which hosts of the MX records would the wanted policy have senders pass by?
void check_hosts(const sts::Policy& policy, const LiveMx& mx, std::vector<Note>& notes) {
  if (policy.mode == sts::Mode::none) return;
  std::vector<dns::Name> missed;
  for (const dns::Name& host : mx.hosts)
    if (!sts::matches(policy, host)) missed.push_back(host);
  if (missed.empty()) return;
  notes.push_back(
      {Note::Kind::warning, "mx-not-allowed",
       fmt::format("no pattern allows the MX host{} {}: senders {} pass {} by",
                   missed.size() == 1 ? "" : "s", host_list(missed),
                   policy.mode == sts::Mode::enforce ? "will" : "would, once the policy enforces,",
                   missed.size() == 1 ? "it" : "them")});
}

// Is a pattern taken out only when no resolver holds an MX record that names its hosts (cover.h)?
bool lets_go_late(const Desired& desired, const Observed& observed) {
  return observed.mx && *observed.mx && !desired.as_configured &&
         desired.id_strategy == IdStrategy::automatic;
}

void check_unlisted(const DomainPlan& plan, const Target& target,
                    const std::optional<sts::Policy>& before, std::vector<Note>& notes) {
  if (plan.desired.mx_live) return;
  std::vector<dns::Name> unlisted;
  for (const Kept& kept : target.kept)
    if (kept.why == Kept::Why::named &&
        (!before || std::ranges::find(before->mx, kept.pattern) == before->mx.end()))
      unlisted.push_back(kept.pattern.host);
  if (unlisted.empty()) return;
  notes.push_back({Note::Kind::warning, "mx-not-listed",
                   fmt::format("the MX records name {}, which no wanted pattern allows: the policy "
                               "allows it as long as they do; list it, or change the records",
                               host_list(unlisted))});
}

// Did the records change to hosts that senders with an older policy may not know yet?
void check_moved_early(const DomainPlan& plan, const Target& target, const Observed& observed,
                       const Moment& moment, std::vector<Note>& notes) {
  const auto is = [](Kept::Why why) { return [why](const Kept& kept) { return kept.why == why; }; };
  const bool left = std::ranges::any_of(target.kept, is(Kept::Why::leaving));
  const bool named = std::ranges::any_of(target.kept, is(Kept::Why::named));
  if (!left || named || target.policy.mode != sts::Mode::enforce) return;
  const auto safe = safe_since(observed, plan.desired.edge_delay);
  if (!safe || safe_for(plan.desired.safety, *safe) <= moment.now) return;
  notes.push_back({Note::Kind::warning, "mx-moved-early",
                   fmt::format("the MX records changed early: a sender with an older policy may "
                               "refuse the hosts they name now until {}; let a host that it allows "
                               "stand beside them",
                               format_time(safe_for(plan.desired.safety, *safe)))});
}

// Live patterns have changed with the records: which of them an older policy allows nobody knows.
void check_settling(const DomainPlan& plan, const Target& target, const Observed& observed,
                    const Moment& moment, std::vector<Note>& notes) {
  if (!plan.desired.mx_live || target.policy.mode != sts::Mode::enforce) return;
  if (!observed.mx || !*observed.mx || (*observed.mx)->hosts.size() < 2) return;
  const auto safe = safe_since(observed, plan.desired.edge_delay);
  if (!safe || safe_for(plan.desired.safety, *safe) <= moment.now) return;
  notes.push_back({Note::Kind::info, "mx-settling",
                   fmt::format("a sender may hold an older policy until {}: let no host go before "
                               "that was in the MX records before",
                               format_time(safe_for(plan.desired.safety, *safe)))});
}

std::string worst_times(const std::array<Refusal, 3>& refusals) {
  const auto time = [](const Refusal& refusal) {
    return refusal.lasting ? "until that changes" : "for " + describe_duration(refusal.total);
  };
  return fmt::format("prompt senders {}, daily ones {}, strict ones {}", time(refusals[0]),
                     time(refusals[1]), time(refusals[2]));
}

// "step 2 of 5, mode testing -> enforce": where refusals begin, though nothing after it was done.
std::string first_step(const DomainPlan& plan, const Proof& proof) {
  if (!proof.first_worse || *proof.first_worse == 0) return "";
  return fmt::format("; it begins with step {} of {} ({})", *proof.first_worse, plan.steps.size(),
                     plan.steps[*proof.first_worse - 1].why);
}

bool any_worse(const std::array<Refusal, 3>& left, const std::array<Refusal, 3>& right) {
  for (std::size_t i = 0; i < left.size(); ++i)
    if (worse(left[i], right[i])) return true;
  return false;
}

// What the model of senders says. A plan that mends what is refused already is not held up.
void check_proof(const DomainPlan& plan, const sts::Policy& policy, const Observed& observed,
                 std::vector<Note>& notes) {
  const Proof proof = prove(plan, observed);
  const bool known =
      std::ranges::any_of(notes, [](const Note& note) { return note.id == "fixed-id-unchanged"; });
  if (proof.stale && !known)
    notes.push_back({Note::Kind::refusal, "stale-policy-kept",
                     "a sender could store the old policy under the new id and keep it until it "
                     "expires: the policy must be served everywhere before its id is announced"});
  if (observed.mx && !*observed.mx && policy.mode == sts::Mode::enforce)
    notes.push_back({Note::Kind::warning, "mx-unknown",
                     fmt::format("the MX records cannot be read ({}): nobody knows whether the "
                                 "enforced policy allows them",
                                 observed.mx->error().what)});
  if (!observed.mx || !*observed.mx || (*observed.mx)->hosts.empty()) return;
  check_hosts(policy, **observed.mx, notes);
  if (!any_worse(proof.refusals, {})) {
    notes.push_back({Note::Kind::info, "proved",
                     fmt::format("{} states examined: no sender refuses mail", proof.states)});
  } else if (any_worse(proof.refusals, proof.before)) {
    notes.push_back({Note::Kind::refusal, "mail-refused",
                     fmt::format("senders would refuse all mail, since an enforced policy allows "
                                 "none of the MX hosts {}: {}{}",
                                 host_list((*observed.mx)->hosts), worst_times(proof.refusals),
                                 first_step(plan, proof))});
  } else {
    notes.push_back({Note::Kind::warning, "mail-refused-already",
                     "senders refuse all mail already now, since the published policy allows none "
                     "of the MX hosts " +
                         host_list((*observed.mx)->hosts)});
  }
}

}  // namespace

std::vector<Note> check_safety(const DomainPlan& plan, const Target& target,
                               const Observed& observed, const Moment& moment) {
  std::vector<Note> notes;
  if (!plan.changed()) {
    check_settling(plan, target, observed, moment, notes);
    return notes;
  }
  const sts::Policy& policy = target.policy;
  std::optional<sts::Policy> before;
  if (*observed.policy) before = sts::parse_policy(**observed.policy).value;
  const bool policy_changes =
      has_stage(plan, Stage::publish) && !(before && sts::same_policy(*before, policy));
  if (plan.desired.mx_live && observed.mx && *observed.mx)
    notes.push_back(
        {Note::Kind::info, "mx-live", "the MX records name " + host_list((*observed.mx)->hosts)});
  check_fixed_id(plan, policy, before, notes);
  if (policy_changes) {
    check_enforce(policy, before, notes);
    if (!lets_go_late(plan.desired, observed)) check_removed(policy, before, notes);
    check_added(policy, before, safe_from(plan, observed, moment.now + moment.valid_for), notes);
    check_none(policy, notes);
  }
  check_unlisted(plan, target, before, notes);
  check_moved_early(plan, target, observed, moment, notes);
  check_move(plan, notes);
  if (strands_senders(plan, observed, moment.now))
    notes.push_back({Note::Kind::refusal, "removed-early",
                     "senders may still hold an older policy and could not be told that it ended: "
                     "the record must stay until every one has ended (RFC 8461 §8.3)"});
  check_proof(plan, policy, observed, notes);
  return notes;
}

}  // namespace stsctl::plan
