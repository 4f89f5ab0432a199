#include "engine/rollouts.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/verdict.h"
#include "rollout/decide.h"

namespace stsctl::engine {

namespace {

std::string text_of(const VerifyFinding& finding) {
  return fmt::format("{}: {}", finding.subject, finding.text);
}

// What did answer and is wrong is a finding.
bool answered(const HostFacts::Address& address) {
  return address.probe.verdict.has_value();
}

// Is there a rollout, and is known what is published?
bool can_be_read(const config::Domain& domain, const plan::Observed& observed) {
  return domain.rollout && observed.sts && observed.policy;
}

rollout::Published published(const config::Domain& domain, const plan::Desired& desired,
                             const plan::Observed& observed) {
  return rollout::read_published(*domain.rollout, desired, observed);
}

}  // namespace

Result<rollout::LiveCheck> check_live(const Facts& facts, const sts::Policy& published,
                                      const LookOptions& options) {
  if (!options.smtp) return fail(Code::unsupported, "the mail hosts were left alone (--no-smtp)");
  const Verdict verdict = judge(facts, Judged::as_enforced);
  std::vector<const VerifyFinding*> faults;
  for (const VerifyFinding& finding : verdict.findings)
    if (finding.grade == Grade::fail) faults.push_back(&finding);
  if (!faults.empty()) {
    std::string what = text_of(*faults.front());
    if (faults.size() > 1) what += fmt::format(" (and {} more)", faults.size() - 1);
    return rollout::LiveCheck{false, std::move(what)};
  }
  if (!verdict.policy || !sts::same_policy(*verdict.policy, published))
    return rollout::LiveCheck{false, "senders fetch another policy than the host holds"};
  for (const HostFacts& host : facts.hosts)
    if (std::ranges::none_of(host.addresses, answered))
      return fail(Code::unreachable, host.host.text() + " did not answer at any address");
  return rollout::LiveCheck{true, ""};
}

std::vector<bool> wants_look(const std::vector<config::Domain>& domains,
                             const std::vector<plan::Desired>& desired,
                             const std::vector<plan::Observed>& observed, Time now) {
  std::vector<bool> wanted(domains.size());
  for (std::size_t i = 0; i < domains.size(); ++i)
    wanted[i] =
        can_be_read(domains[i], observed[i]) &&
        rollout::wants_verify(*domains[i].rollout, published(domains[i], desired[i], observed[i]),
                              domains[i].pins, now);
  return wanted;
}

void read_reports(const std::vector<config::Domain>& domains,
                  const std::vector<plan::Desired>& desired,
                  const std::vector<plan::Observed>& observed, const rollout::ReportSource& source,
                  std::vector<rollout::Evidence>& evidence) {
  if (!source) return;
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (!can_be_read(domains[i], observed[i])) continue;
    const rollout::Published seen = published(domains[i], desired[i], observed[i]);
    if (rollout::wants_reports(*domains[i].rollout, seen))
      evidence[i].reports =
          source(desired[i].domain, *seen.policy, seen.since.value_or(Time::min()));
  }
}

void decide_rollouts(const std::vector<config::Domain>& domains,
                     const std::vector<plan::Observed>& observed,
                     const std::vector<rollout::Evidence>& evidence, Time now,
                     std::vector<plan::Desired>& desired) {
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (!can_be_read(domains[i], observed[i])) continue;
    rollout::Decision decision =
        rollout::decide(*domains[i].rollout, published(domains[i], desired[i], observed[i]),
                        evidence[i], domains[i].pins, now);
    if (decision.state.target > 0) {
      desired[i].policy->mode = decision.mode;
      desired[i].policy->max_age = decision.max_age;
    }
    desired[i].rollout = Boxed(std::move(decision.state));
  }
}

}  // namespace stsctl::engine
