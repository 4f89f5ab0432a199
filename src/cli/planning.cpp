#include "cli/planning.h"

#include "cli/progress.h"
#include "engine/budget.h"
#include "engine/observe.h"

namespace stsctl::cli {

std::vector<plan::Observed> observe(Context& context, const Session& session) {
  Progress progress(context.world, "reading", engine::observe_size(session.desired));
  return engine::observe(session.desired, session.accounts, progress.watch());
}

plan::Plan make_plan(Context& context, const Session& session, Duration valid_for) {
  const std::vector<plan::Observed> observed = observe(context, session);
  plan::Plan plan = plan::make(session.desired, observed,
                               {.now = context.world.services.clock.now(), .valid_for = valid_for});
  plan.budget = engine::request_budget(plan, session.accounts);
  return plan;
}

int plan_exit(const plan::Plan& plan, bool detailed) {
  const plan::Counts counts = count(plan);
  if (counts.refused > 0) return exit_refused;
  if (counts.failed > 0) return exit_failed;
  return detailed && counts.changed > 0 ? exit_changes : exit_done;
}

}  // namespace stsctl::cli
