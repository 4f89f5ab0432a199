#include "plan/make.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "plan/diff.h"
#include "plan/identify.h"
#include "plan/outlook.h"
#include "plan/reason.h"
#include "plan/retire.h"
#include "plan/safety.h"
#include "plan/target.h"
#include "sts/record.h"

namespace stsctl::plan {

namespace {

// What could not be read of that which this domain's plan depends on.
std::optional<Error> unreadable(const Desired& desired, const Observed& observed) {
  const auto failed = [](const auto& seen, bool needed) {
    return needed && !seen ? std::optional(seen.error()) : std::nullopt;
  };
  std::optional<Error> error = failed(observed.tlsrpt, desired.tlsrpt || desired.tlsrpt_retired);
  if (!error) error = failed(observed.sts, desired.policy.has_value());
  if (!error) error = failed(observed.address, desired.address.has_value());
  if (!error) error = failed(observed.policy, desired.policy.has_value());
  return error;
}

// Why a rollout leaves nothing to be planned.
std::optional<Error> not_led(const Desired& desired, const Observed& observed) {
  if (!desired.rollout) return std::nullopt;
  const RolloutState& state = *desired.rollout;
  if (desired.as_configured)
    return Error{Code::unsupported, "a rollout needs a host that a policy can be written to",
                 desired.domain.text(),
                 fmt::format("give '{}' a 'root', or say the policy's mode", desired.host)};
  if (auto error = unreadable(desired, observed)) return error;
  if (state.action == RolloutAction::refuse)
    return Error{Code::refused, "its rollout stops: " + state.reasons.front(),
                 desired.domain.text(), state.hint};
  if (state.action == RolloutAction::undecided)
    return Error{Code::unsupported,
                 fmt::format("its rollout '{}' goes by what is published, which is not looked at "
                             "here",
                             state.rollout),
                 desired.domain.text(), "plan and apply look"};
  return std::nullopt;
}

// Records that nobody but their maker may replace.
std::optional<Error> locked(const Desired& desired, const NameState& state,
                            const dns::Name& owner) {
  const dns::RecordSet* set = find(state, dns::Type::locked);
  if (set == nullptr) return std::nullopt;
  return Error{
      Code::refused,
      fmt::format("{} holds {}, which stsctl does not replace", owner.text(), set->values.front()),
      desired.domain.text(), "remove it, or leave out what would be published there"};
}

// Another service's CNAME at a name we would write (design: only with `takeover: true`).
std::optional<Error> in_the_way(const Desired& desired, const Observed& observed) {
  const auto blocked = [&](const NameState& state, const dns::Name& owner) -> std::optional<Error> {
    if (auto error = locked(desired, state, owner)) return error;
    const dns::RecordSet* cname = find(state, dns::Type::cname);
    if (cname == nullptr || desired.takeover) return std::nullopt;
    return Error{Code::refused,
                 fmt::format("{} is a CNAME to {}: another service answers there", owner.text(),
                             cname->values.front()),
                 desired.domain.text(),
                 "set 'takeover: true' for this domain to replace it, or stop managing it here"};
  };
  const Owners names = owners(desired.domain);
  std::optional<Error> error;
  if (desired.tlsrpt) error = blocked(*observed.tlsrpt, names.tlsrpt);
  if (!error && desired.policy) error = blocked(*observed.sts, names.sts);
  if (error || !desired.address) return error;
  if (auto by_maker = locked(desired, *observed.address, names.address)) return by_maker;
  const bool other = std::ranges::any_of(observed.address->sets, [](const dns::RecordSet& set) {
    return set.type != dns::Type::a && set.type != dns::Type::aaaa && set.type != dns::Type::cname;
  });
  if (desired.address->cname && other)
    return Error{Code::refused,
                 fmt::format("{} holds other records, and a CNAME cannot stand beside them",
                             names.address.text()),
                 desired.domain.text(), "remove them, or give the host's address as a and aaaa"};
  return std::nullopt;
}

using Steps = std::vector<Step>;

void add_records(Steps& steps, Stage stage, RecordChange change, std::string why) {
  if (!change.edits.empty()) steps.push_back({stage, std::move(change), std::move(why)});
}

void diff_tlsrpt(const Desired& desired, const Observed& observed, Steps& steps) {
  if (!desired.tlsrpt) return;
  const WantedTxt wanted{.owner = owners(desired.domain).tlsrpt,
                         .value = sts::format_tlsrpt_record(*desired.tlsrpt),
                         .ours = sts::is_tlsrpt_record,
                         .same = sts::same_tlsrpt_record,
                         .ttl = desired.ttls.tlsrpt,
                         .default_ttl = default_tlsrpt_ttl};
  add_records(steps, Stage::prepare,
              {desired.dns, observed.tlsrpt->zone, diff_txt(wanted, *observed.tlsrpt)},
              "where senders report TLS failures");
}

// Does the address record move from another host to the wanted one?
bool diff_host_address(const Desired& desired, const Observed& observed, Steps& steps) {
  if (!desired.address) return false;
  std::vector<RecordEdit> edits = diff_address(owners(desired.domain).address, *desired.address,
                                               desired.ttls.address, *observed.address);
  const bool replaces =
      std::ranges::any_of(edits, [](const RecordEdit& edit) { return edit.before.has_value(); });
  // A host that takes over must serve the policy before anyone is sent there.
  add_records(steps, replaces ? Stage::redirect : Stage::prepare,
              {desired.dns, observed.address->zone, std::move(edits)},
              replaces ? "the policy host moves" : "the policy host's address");
  return replaces;
}

std::vector<RecordEdit> sts_edits(const Desired& desired, const NameState& state,
                                  const std::string& id) {
  return diff_txt({.owner = owners(desired.domain).sts,
                   .value = sts::format_sts_record({id}),
                   .ours = sts::is_sts_record,
                   .same = sts::same_sts_record,
                   .ttl = desired.ttls.sts,
                   .default_ttl = default_sts_ttl},
                  state);
}

std::string id_reason(const IdAnswer& answer, Time now) {
  if (!answer.horizon || *answer.horizon <= now) return answer.why;
  return fmt::format("{}; older policies may be cached until {}", answer.why,
                     format_day(*answer.horizon));
}

std::vector<std::string> sts_records(const NameState& state) {
  std::vector<std::string> records;
  for (std::string& value : txt_values(state))
    if (sts::is_sts_record(value)) records.push_back(std::move(value));
  return records;
}

// `desired` with the policy to be published now; `leaving` of its patterns, as the id is to say.
struct Goal {
  Desired desired;
  std::vector<sts::MxPattern> leaving;
};

void diff_policy(const Goal& goal, const Observed& observed, const Moment& moment, bool host_moves,
                 Steps& steps) {
  const Desired& desired = goal.desired;
  const std::optional<std::string>& served = *observed.policy;
  const IdAnswer answer = choose_id(desired, {.records = sts_records(*observed.sts),
                                              .served = served,
                                              .now = moment.now,
                                              .valid_for = moment.valid_for,
                                              .leaving = goal.leaving});
  const bool publish = !served || !sts::is_canonical(*served, *desired.policy);
  const PolicyFile file{desired.domain, sts::format_policy(*desired.policy)};

  NameState state = *observed.sts;
  if (answer.adopt) {
    std::vector<RecordEdit> edits = sts_edits(desired, state, *answer.adopt);
    state.sets.clear();
    state.sets.push_back(*edits.back().after);
    add_records(steps, Stage::prepare, {desired.dns, state.zone, std::move(edits)},
                "an id that says which policy is served now, before that changes");
  }
  std::vector<RecordEdit> announce = sts_edits(desired, state, answer.id);
  if (publish) {
    PolicyEdit edit{std::nullopt, file};
    if (served) edit.before = PolicyFile{desired.domain, *served};
    steps.push_back({Stage::publish, PolicyChange{desired.host, std::move(edit)},
                     policy_reason(served, *desired.policy)});
  }
  if (publish || answer.is_new) {
    PolicyServed served_there{desired.host, file, desired.edge_delay};
    served_there.outside = !host_moves;
    steps.push_back({Stage::confirm, served_there, "before its id is announced"});
    served_there.outside = true;
    if (host_moves)
      steps.push_back(
          {Stage::redirect, served_there, "at its new address, before its id is announced"});
  }
  add_records(steps, Stage::announce, {desired.dns, state.zone, std::move(announce)},
              answer.is_new ? id_reason(answer, moment.now) : "the record's form or TTL");
}

}  // namespace

DomainPlan make_domain(const Desired& desired, const Observed& observed, const Moment& moment) {
  DomainPlan plan{.desired = desired};
  std::optional<Target> target;
  plan.error = not_led(desired, observed);
  if (desired.policy && !plan.error) {
    Result<Target> chosen = choose_target(desired, observed, moment.now);
    if (chosen)
      target = std::move(*chosen);
    else
      plan.error = chosen.error();
  }
  if (!plan.error) plan.error = unreadable(desired, observed);
  if (!plan.error) plan.error = in_the_way(desired, observed);
  if (plan.error) {
    if (plan.error->where.empty()) plan.error->where = desired.domain.text();
    return plan;
  }
  Steps& steps = plan.steps;
  diff_tlsrpt(desired, observed, steps);
  const bool publishes = !desired.retired || is_announced(observed);
  const bool host_moves = publishes && diff_host_address(desired, observed, steps);
  if (target && publishes) {
    Goal goal{desired, target->leaving};
    goal.desired.policy = target->policy;
    diff_policy(goal, observed, moment, host_moves, steps);
  }
  if (desired.retired)
    add_retirement(plan, observed, moment);
  else if (desired.tlsrpt_retired)
    add_tlsrpt_removal(plan, observed);
  std::ranges::stable_sort(steps, {}, &Step::stage);
  if (target) {
    look_ahead(plan, *target, observed, moment);
    if (desired.rollout) add_next_stage(plan, moment.now);
    plan.notes = check_safety(plan, *target, observed, moment);
    if (desired.rollout)
      std::ranges::move(rollout_notes(*desired.rollout), std::back_inserter(plan.notes));
  }
  if (plan.changed()) plan.observed = observed;
  return plan;
}

Plan make(const std::vector<Desired>& desired, const std::vector<Observed>& observed,
          const Moment& moment) {
  Plan plan{.created = moment.now, .valid_until = moment.now + moment.valid_for};
  plan.domains.reserve(desired.size());
  for (std::size_t i = 0; i < desired.size(); ++i)
    plan.domains.push_back(make_domain(desired[i], observed[i], moment));
  std::ranges::sort(plan.domains, {}, &DomainPlan::domain);
  return plan;
}

}  // namespace stsctl::plan
