#include "cli/planning.h"

#include "cli/progress.h"
#include "engine/budget.h"
#include "engine/mx.h"
#include "engine/observe.h"

namespace stsctl::cli {

std::vector<plan::Observed> observe(Context& context, const Session& session) {
  Progress progress(context.world, "reading", engine::observe_size(session.desired));
  return engine::observe(session.desired, session.accounts, progress.watch());
}

void look_at_mx(Context& context, const Session& session, const std::vector<bool>& wanted,
                std::vector<plan::Observed>& observed) {
  if (!session.resolver) return;
  std::vector<std::size_t> places;
  std::vector<dns::Name> domains;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    if (!wanted[i] || observed[i].mx) continue;
    places.push_back(i);
    domains.push_back(observed[i].domain);
  }
  if (domains.empty()) return;
  Progress progress(context.world, "asking for MX records", domains.size());
  auto found = engine::observe_mx(domains, *session.resolver, progress.watch());
  for (std::size_t i = 0; i < places.size(); ++i)
    observed[places[i]].mx = std::move(found[i]);
}

void look_at_mx(Context& context, const Session& session, const plan::Moment& moment,
                std::vector<plan::Observed>& observed) {
  // Most domains do not change, and then their MX records are of no interest here.
  std::vector<bool> wanted(observed.size());
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const plan::Desired& desired = session.desired[i];
    wanted[i] = desired.policy &&
                (desired.mx_live || plan::make_domain(desired, observed[i], moment).changed());
  }
  look_at_mx(context, session, wanted, observed);
}

plan::Plan make_plan(Context& context, Session& session, Duration valid_for,
                     const EvidenceOptions& evidence) {
  std::vector<plan::Observed> observed = observe(context, session);
  decide_rollouts(context, session, observed, evidence);
  const plan::Moment moment{.now = context.world.services.clock.now(), .valid_for = valid_for};
  look_at_mx(context, session, moment, observed);
  plan::Plan plan = plan::make(session.desired, observed, moment);
  plan.budget = engine::request_budget(plan, session.accounts);
  return plan;
}

int plan_exit(const plan::Plan& plan, bool detailed) {
  const plan::Counts counts = count(plan);
  if (counts.refused > 0) return exit_refused;
  if (counts.failed > 0) return exit_failed;
  return detailed && counts.changed + counts.unfinished > 0 ? exit_changes : exit_done;
}

}  // namespace stsctl::cli
