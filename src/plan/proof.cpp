#include "plan/proof.h"

#include <algorithm>
#include <chrono>

#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::plan {

namespace {

constexpr std::array kinds{SenderKind::prompt, SenderKind::daily, SenderKind::strict};
constexpr Duration moment{1};  // what a step takes, at the least
constexpr Duration day{86400};

std::optional<sts::Policy> policy_of(const std::optional<std::string>& body) {
  return body ? sts::parse_policy(*body).value : std::nullopt;
}

std::optional<std::string> id_of(const dns::RecordSet& set) {
  const auto record = sts::parse_sts_records(set.values).value;
  return record ? std::optional(record->id) : std::nullopt;
}

const dns::RecordSet* published_txt(const Observed& observed) {
  return observed.sts ? find(*observed.sts, dns::Type::txt) : nullptr;
}

// The longest time for which a resolver may hold the record as it is, or that there is none.
Duration id_ttl(const Observed& observed) {
  const dns::RecordSet* set = published_txt(observed);
  return set == nullptr || set->ttl.count() == 0 ? default_sts_ttl : set->ttl;
}

bool moves_host(const Step& step) {
  return step.stage == Stage::redirect && std::holds_alternative<RecordChange>(step.action);
}

// What the host serves that senders are sent to until the address moves. Nobody has looked there;
// where no id is to change it must be the policy wanted, else it may be any other.
std::optional<sts::Policy> served_elsewhere(const DomainPlan& plan,
                                            const std::optional<sts::Policy>& here) {
  const bool announces = std::ranges::any_of(
      plan.steps, [](const Step& step) { return step.stage == Stage::announce; });
  return announces ? sts::Policy{.mode = sts::Mode::none, .mx = {}, .max_age = moment} : here;
}

// Follows the steps, each a moment after the one before.
class Builder {
 public:
  Builder(const DomainPlan& plan, const Observed& observed) : owner_(owners(plan.domain()).sts) {
    const dns::RecordSet* set = published_txt(observed);
    here_ = policy_of(*observed.policy);
    elsewhere_ = std::ranges::any_of(plan.steps, moves_host);
    line_.policies.push_back({Duration{0}, elsewhere_ ? served_elsewhere(plan, here_) : here_});
    line_.ids.push_back({Duration{0}, set == nullptr ? std::nullopt : id_of(*set)});
    line_.edge_delay = plan.desired.edge_delay;
    line_.id_ttl = id_ttl(observed);
    line_.mx.push_back({Duration{0}, {}});
    if (!observed.mx || !*observed.mx) return;
    line_.mx.front().what = (*observed.mx)->hosts;
    line_.mx_ttl = (*observed.mx)->ttl;
  }

  void take(const Step& step) {
    now_ += moment;
    if (const auto* change = std::get_if<PolicyChange>(&step.action)) {
      const auto& after = change->edit.after;
      here_ = after ? policy_of(after->body) : std::nullopt;
      if (!elsewhere_) line_.policies.push_back({now_, here_});
    } else if (const auto* wait = std::get_if<PolicyServed>(&step.action)) {
      now_ += wait->settle;
    } else if (const auto* caches = std::get_if<CachesExpired>(&step.action)) {
      now_ += caches->settle;
    } else if (const auto* records = std::get_if<RecordChange>(&step.action)) {
      take(*records);
      if (!moves_host(step)) return;
      elsewhere_ = false;
      line_.policies.push_back({now_, here_});
    }
  }

  Timeline finish() && { return std::move(line_); }

 private:
  void take(const RecordChange& change) {
    for (const RecordEdit& edit : change.edits)
      if (subject(edit).owner == owner_ && subject(edit).type == dns::Type::txt)
        line_.ids.push_back({now_, edit.after ? id_of(*edit.after) : std::nullopt});
  }

  dns::Name owner_;
  std::optional<sts::Policy> here_;  // what the host serves that the plan writes to
  bool elsewhere_ = false;           // senders are sent to another one still
  Duration now_{0};
  Timeline line_;
};

}  // namespace

Timeline timeline(const DomainPlan& plan, const Observed& observed, std::size_t steps) {
  Builder builder(plan, observed);
  for (std::size_t i = 0; i < std::min(steps, plan.steps.size()); ++i)
    builder.take(plan.steps[i]);
  return std::move(builder).finish();
}

Proof prove(const DomainPlan& plan, const Observed& observed) {
  Proof proof;
  for (std::size_t taken = 0; taken <= plan.steps.size(); ++taken) {
    const Timeline line = timeline(plan, observed, taken);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const Refusal refusal = worst_refusal(line, kinds[i]);
      if (worse(refusal, proof.refusals[i])) proof.refusals[i] = refusal;
      if (taken == 0) proof.before[i] = refusal;
      if (!proof.first_worse && worse(refusal, proof.before[i])) proof.first_worse = taken;
      ++proof.states;
    }
    if (taken == plan.steps.size()) proof.stale = may_store_stale(line);
  }
  return proof;
}

std::optional<SafeFrom> safe_since(const Observed& observed, Duration edge_delay) {
  const dns::RecordSet* set = published_txt(observed);
  const auto id = set == nullptr ? std::nullopt : id_of(*set);
  const auto generated = id ? sts::parse_policy_id(*id) : std::nullopt;
  if (!generated) return std::nullopt;
  const Time published = generated->published;
  if (Time(generated->horizon) <= published)  // no cache held an older one even then
    return SafeFrom{.prompt = published, .daily = published, .strict = published};
  const Time seen = published + edge_delay + id_ttl(observed);
  const Time horizon = std::max(Time(generated->horizon), seen);
  return SafeFrom{.prompt = seen, .daily = std::min(seen + day, horizon), .strict = horizon};
}

SafeFrom safe_from(const DomainPlan& plan, const Observed& observed, Time now) {
  const Timeline line = timeline(plan, observed, plan.steps.size());
  const Time announced = now + line.ids.back().at + line.id_ttl;
  SafeFrom safe{.prompt = announced, .daily = announced + day, .strict = announced + day};
  const std::optional<sts::Policy> before = policy_of(*observed.policy);
  if (before) safe.strict = std::max(announced, now + line.edge_delay + before->max_age);
  // What the ids know of policies before that one.
  for (const auto& id : line.ids) {
    const auto generated = id.what ? sts::parse_policy_id(*id.what) : std::nullopt;
    if (generated) safe.strict = std::max(safe.strict, Time(generated->horizon));
  }
  // No sender keeps a policy for longer than its max_age, however seldom it looks.
  safe.daily = std::min(safe.daily, safe.strict);
  return safe;
}

}  // namespace stsctl::plan
