#include "cli/rollouts.h"

#include <algorithm>

#include "cli/planning.h"
#include "cli/progress.h"
#include "engine/rollouts.h"

namespace stsctl::cli {

namespace {

using rollout::Evidence;

// Looks at the domains at `places`, where that is possible.
void look_at(Context& context, const Session& session, const std::vector<std::size_t>& places,
             const std::vector<plan::Observed>& observed, const LookFlags& flags,
             std::vector<Evidence>& evidence) {
  World& world = context.world;
  if (!session.resolver || !world.open_prober) {
    for (const std::size_t place : places)
      evidence[place].verify = fail(Code::unsupported, "there is no resolver to ask");
    return;
  }
  std::vector<dns::Name> domains;
  for (const std::size_t place : places)
    domains.push_back(observed[place].domain);
  engine::LookOptions options = flags.look;
  options.smtp = !flags.no_smtp;
  const auto prober = world.open_prober({.ca_file = flags.ca_file, .stop = world.stop});
  Progress progress(world, "looking", domains.size());
  const auto seen = engine::look_at_all(domains, {*session.resolver, *prober, world.services.clock},
                                        options, progress.watch());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto policy = sts::parse_policy(**observed[places[i]].policy).value;
    if (seen[i])
      evidence[places[i]].verify = engine::check_live(*seen[i], *policy, options);
    else
      evidence[places[i]].verify = fail(Code::cancelled, "stopped before it was done");
  }
}

std::vector<Evidence> gather(Context& context, const Session& session,
                             const std::vector<plan::Observed>& observed,
                             const EvidenceOptions& options) {
  std::vector<Evidence> evidence(observed.size());
  if (options.left_out) {
    for (Evidence& one : evidence)
      one = {.reports = fail(Code::cancelled, "left out"),
             .verify = fail(Code::cancelled, "left out"),
             .left_out = true};
    return evidence;
  }
  engine::read_reports(session.domains, session.desired, observed, session.reports, evidence);
  if (options.look == nullptr) return evidence;
  const std::vector<bool> wanted = engine::wants_look(session.domains, session.desired, observed,
                                                      context.world.services.clock.now());
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i]) places.push_back(i);
  if (!places.empty()) look_at(context, session, places, observed, *options.look, evidence);
  return evidence;
}

}  // namespace

void add_evidence_flag(CLI::App& command, bool& left_out) {
  command.add_flag("--no-evidence", left_out,
                   "Leave reports and looks out: no gate of a rollout on them holds, and no brake "
                   "is pulled");
}

void decide_rollouts(Context& context, Session& session, std::vector<plan::Observed>& observed,
                     const EvidenceOptions& options) {
  const auto led = [](const config::Domain& domain) { return domain.rollout != nullptr; };
  if (std::ranges::none_of(session.domains, led)) return;
  std::vector<bool> lost(observed.size());
  for (std::size_t i = 0; i < observed.size(); ++i)
    lost[i] = led(session.domains[i]) && session.desired[i].mx_live && observed[i].policy &&
              !*observed[i].policy;
  look_at_mx(context, session, lost, observed);
  const std::vector<Evidence> evidence = gather(context, session, observed, options);
  engine::decide_rollouts(session.domains, observed, evidence, context.world.services.clock.now(),
                          session.desired);
}

}  // namespace stsctl::cli
