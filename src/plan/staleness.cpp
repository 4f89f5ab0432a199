#include <fmt/format.h>

#include "base/text.h"
#include "plan/make.h"

namespace stsctl::plan {

namespace {

// "TXT "v=STSv1; id=a""; "nothing".
std::string describe(const NameState& state) {
  constexpr std::size_t longest = 200;
  std::vector<std::string> all;
  for (const dns::RecordSet& set : state.sets) {
    std::vector<std::string> values = set.values;
    if (set.type == dns::Type::txt)
      for (std::string& value : values)
        value = dns::encode_txt(value);
    all.push_back(fmt::format("{} {}", dns::to_string(set.type), join(values, ", ")));
  }
  return all.empty() ? "nothing" : shortened(printable(join(all, "; ")), longest);
}

void compare_name(const dns::Name& owner, const Result<NameState>& saved,
                  const Result<NameState>& now, std::vector<std::string>& differences) {
  if (!saved) return;  // it was not needed for the plan
  if (!now) {
    differences.push_back(fmt::format("{} cannot be read: {}", owner.text(), now.error().what));
  } else if (saved->zone != now->zone) {
    differences.push_back(fmt::format("{} lies in zone {} now, not {}", owner.text(),
                                      now->zone.text(), saved->zone.text()));
  } else if (saved->sets != now->sets) {
    differences.push_back(
        fmt::format("the records at {} changed, now {}", owner.text(), describe(*now)));
  }
}

// The keys of the configuration whose values differ, as a domain spells them.
std::vector<std::string> changed_keys(const Desired& one, const Desired& other) {
  std::vector<std::string> keys;
  const auto add = [&](bool same, const char* key) {
    if (!same) keys.emplace_back(key);
  };
  add(one.dns == other.dns, "dns");
  add(one.host == other.host, "host");
  if (!one.policy || !other.policy) {
    add(one.policy == other.policy, "policy");
  } else {
    add(one.policy->mode == other.policy->mode, "policy.mode");
    add(one.policy->mx == other.policy->mx && one.mx_live == other.mx_live, "policy.mx");
    add(one.policy->max_age == other.policy->max_age, "policy.max_age");
  }
  add(one.tlsrpt == other.tlsrpt, "tlsrpt");
  add(one.address == other.address, "address");
  add(one.id_strategy == other.id_strategy && one.fixed_id == other.fixed_id, "id");
  add(one.ttls == other.ttls, "ttl");
  add(one.retired == other.retired, "state");
  add(one.tlsrpt_retired == other.tlsrpt_retired, "tlsrpt.state");
  add(static_cast<bool>(one.rollout) == static_cast<bool>(other.rollout), "rollout");
  add(one.safety == other.safety, "safety");
  add(one.takeover == other.takeover, "takeover");
  add(one.longest_max_age == other.longest_max_age, "longest_max_age");
  add(one.edge_delay == other.edge_delay && one.as_configured == other.as_configured,
      "settings of the host");
  return keys;
}

// `now` as it would be had its rollout chosen what it chose for `saved`: a choice is compared as
// a decision.
Desired as_decided(Desired now, const Desired& saved) {
  if (!saved.rollout || !now.rollout) return now;
  now.rollout = saved.rollout;
  if (saved.policy && now.policy) {
    now.policy->mode = saved.policy->mode;
    now.policy->max_age = saved.policy->max_age;
  }
  return now;
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
  const Desired written = as_decided(desired, saved.desired);
  if (saved.desired != written)
    differences.push_back(fmt::format("its configuration changed: {}",
                                      join(changed_keys(saved.desired, written), ", ")));
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
    differences.emplace_back(*observed.policy ? "the policy at its host changed"
                                              : "the policy at its host is gone");
  return differences;
}

}  // namespace stsctl::plan
