#include "plan/retire.h"

#include <algorithm>
#include <utility>

#include "plan/diff.h"
#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::plan {

namespace {

// The id that is published when the plan's steps are taken.
std::optional<sts::PolicyId> id_after(const DomainPlan& plan, const Observed& observed) {
  std::vector<std::string> records = txt_values(*observed.sts);
  for (const Step& step : plan.steps)
    if (const auto* change = std::get_if<RecordChange>(&step.action);
        change != nullptr && step.stage == Stage::announce)
      for (const RecordEdit& edit : change->edits)
        if (edit.after && edit.after->type == dns::Type::txt) records = edit.after->values;
  return published_id(records);
}

// Is there anything to do before what is published is taken out?
bool leads_to_none(const DomainPlan& plan) {
  const dns::Name tlsrpt = owners(plan.domain()).tlsrpt;
  return std::ranges::any_of(plan.steps, [&](const Step& step) {
    const auto* change = std::get_if<RecordChange>(&step.action);
    return change == nullptr || subject(change->edits.front()).owner != tlsrpt;
  });
}

// The longest that a resolver may hold the record that is there, or that was there before.
Duration record_ttl(const Desired& desired, const NameState& state) {
  const dns::RecordSet* set = find(state, dns::Type::txt);
  if (set != nullptr && set->ttl.count() > 0) return set->ttl;
  return desired.ttls.sts.value_or(default_sts_ttl);
}

void add_records(DomainPlan& plan, Stage stage, const NameState& state,
                 std::vector<RecordEdit> edits, std::string why) {
  plan.steps.push_back(
      {stage, RecordChange{plan.desired.dns, state.zone, std::move(edits)}, std::move(why)});
}

std::vector<RecordEdit> address_edits(const Desired& desired, const Observed& observed) {
  if (!desired.address) return {};
  return remove_address(owners(desired.domain).address, *desired.address, *observed.address);
}

// Record, then file, then address; `since`: every older policy has ended by then.
void take_out(DomainPlan& plan, const Observed& observed, std::optional<Time> since) {
  const Desired& desired = plan.desired;
  std::vector<RecordEdit> record = remove_txt(sts::is_sts_record, *observed.sts);
  std::vector<RecordEdit> address = address_edits(desired, observed);
  const bool file = observed.policy->has_value() && !desired.as_configured;
  if (!record.empty() && observed.policy->has_value()) {
    PolicyServed seen{desired.host, {desired.domain, **observed.policy}};
    seen.not_before = since;
    plan.steps.push_back({Stage::confirm, seen, "and every older one has ended, by its clock too"});
  }
  if (!record.empty())
    add_records(plan, Stage::retract, *observed.sts, std::move(record),
                "every policy that senders may hold has ended");
  if (file || !address.empty())
    plan.steps.push_back({Stage::retract, CachesExpired{record_ttl(desired, *observed.sts)},
                          "before the policy goes"});
  if (file)
    plan.steps.push_back(
        {Stage::withdraw,
         PolicyChange{desired.host, {PolicyFile{desired.domain, **observed.policy}, std::nullopt}},
         "nobody is told of it any more"});
  if (!address.empty())
    add_records(plan, Stage::release, *observed.address, std::move(address),
                "nothing is served there any more");
}

}  // namespace

sts::Policy withdrawn_policy(const Desired& desired, const Observed& observed) {
  sts::Policy policy = *desired.policy;
  const auto served = served_policy(observed);
  if (!served || desired.as_configured) return policy;
  if (served->mode == sts::Mode::none) return *served;
  policy.mx = served->mx;
  return policy;
}

bool is_announced(const Observed& observed) {
  if (!observed.sts || !observed.policy) return true;
  if (std::ranges::any_of(txt_values(*observed.sts), sts::is_sts_record)) return true;
  const auto served = served_policy(observed);
  return served && served->mode != sts::Mode::none;
}

void add_retirement(DomainPlan& plan, const Observed& observed, const Moment& moment) {
  const bool announced = is_announced(observed);
  if (announced) {
    const auto id = id_after(plan, observed);
    if (leads_to_none(plan) || !id || Time(id->horizon) > moment.now) {
      plan.later.push_back({"record, policy and address are taken out",
                            id ? std::optional(Time(id->horizon)) : std::nullopt});
      return;
    }
    take_out(plan, observed, Time(id->horizon));
  } else {
    take_out(plan, observed, std::nullopt);
  }
  if (!plan.desired.tlsrpt_retired) return;
  // Reports trail by a day or more: the record that asks for them is the last to go.
  if (std::ranges::any_of(plan.steps,
                          [](const Step& step) { return step.stage >= Stage::retract; }))
    plan.later.push_back({"the TLS-RPT record is taken out", moment.now + std::chrono::days{1}});
  else
    add_tlsrpt_removal(plan, observed);
}

void add_tlsrpt_removal(DomainPlan& plan, const Observed& observed) {
  std::vector<RecordEdit> edits = remove_txt(sts::is_tlsrpt_record, *observed.tlsrpt);
  if (!edits.empty())
    add_records(plan, Stage::release, *observed.tlsrpt, std::move(edits),
                "no reports are asked for any more");
}

bool strands_senders(const DomainPlan& plan, const Observed& observed, Time now) {
  const dns::Name owner = owners(plan.domain()).sts;
  const bool retracts = std::ranges::any_of(plan.steps, [&](const Step& step) {
    const auto* change = std::get_if<RecordChange>(&step.action);
    if (change == nullptr) return false;
    return std::ranges::any_of(change->edits, [&](const RecordEdit& edit) {
      const bool before = edit.before && edit.before->owner == owner &&
                          std::ranges::any_of(edit.before->values, sts::is_sts_record);
      return before && !(edit.after && std::ranges::any_of(edit.after->values, sts::is_sts_record));
    });
  });
  if (!retracts) return false;
  const auto id = published_id(observed);
  const auto served = served_policy(observed);
  const bool taken_back =
      id && served && served->mode == sts::Mode::none && sts::announces(*id, *served);
  return !taken_back || Time(id->horizon) > now;
}

}  // namespace stsctl::plan
