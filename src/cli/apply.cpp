#include "engine/apply.h"

#include <algorithm>
#include <istream>
#include <map>
#include <memory>
#include <ostream>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/looking.h"
#include "cli/plan_view.h"
#include "cli/planning.h"
#include "cli/progress.h"

namespace stsctl::cli {

namespace {

using engine::Ending;
using engine::Outcome;

struct ApplyOptions {
  std::string file;
  std::vector<std::string> targets;
  std::vector<std::string> allowed;
  bool yes = false;
  bool json = false;
  bool detailed = false;

  bool wait = true;
  bool no_verify = false;
  std::optional<Duration> timeout;
  LookFlags flags;
  bool no_evidence = false;

  EvidenceOptions evidence() const { return {no_evidence, &flags}; }
  engine::ApplyOptions engine() const {
    return {.allowed = {allowed.begin(), allowed.end()}, .confirm = {}};
  }
};

// A saved plan is a few kilobytes a domain; more than this is none.
constexpr std::size_t longest_plan = std::size_t{4} << 30U;

int apply_exit(const std::vector<Outcome>& outcomes, bool detailed) {
  const auto any = [&](Ending ending) {
    return std::ranges::find(outcomes, ending, &Outcome::ending) != outcomes.end();
  };
  if (any(Ending::stale)) return exit_stale;
  const bool failed = any(Ending::failed) || any(Ending::cancelled);
  if (failed) return any(Ending::applied) ? exit_partial : exit_failed;
  if (any(Ending::refused)) return exit_refused;
  const bool unfinished =
      std::ranges::any_of(outcomes, [](const Outcome& outcome) { return !outcome.later.empty(); });
  return detailed && unfinished ? exit_changes : exit_done;
}

std::size_t step_count(const plan::Plan& plan) {
  std::size_t steps = 0;
  for (const plan::DomainPlan& domain : plan.domains)
    steps += domain.steps.size();
  return steps;
}

std::vector<Outcome> execute(Context& context, const plan::Plan& plan, const Session& session,
                             const ApplyOptions& options) {
  World& world = context.world;
  engine::ApplyOptions how = options.engine();
  how.confirm.wait = options.wait;
  how.confirm.look = options.flags.look;
  how.confirm.timeout = options.timeout;
  std::unique_ptr<io::Prober> prober;
  if (session.resolver && world.open_prober && !options.no_verify) {
    prober = world.open_prober({.ca_file = options.flags.ca_file, .stop = world.stop});
    how.confirm.eyes.emplace(engine::Eyes{*session.resolver, *prober, world.services.clock});
  }
  Progress progress(world, "applying", step_count(plan));
  return engine::apply(plan, session.accounts, how, world.services, progress.watch());
}

int finish(Context& context, const std::vector<Outcome>& outcomes, const ApplyOptions& options) {
  context.world.out << (options.json ? outcomes_json(outcomes)
                                     : outcomes_text(outcomes, context.color()));
  return apply_exit(outcomes, options.detailed);
}

bool executable(const plan::Plan& plan, const ApplyOptions& options) {
  return std::ranges::any_of(plan.domains, [&](const plan::DomainPlan& domain) {
    return domain.changed() && !engine::refused(domain, options.engine());
  });
}

// Asks on the terminal; without one, only --yes is consent.
std::optional<int> unless_agreed(World& world, const ApplyOptions& options) {
  if (options.yes) return std::nullopt;
  if (!world.in_is_terminal) {
    world.err << "stsctl: apply needs a yes and there is no terminal to ask at\n"
                 "  hint: pass --yes, or apply a saved plan: stsctl plan -o FILE, then "
                 "stsctl apply FILE --yes\n";
    return exit_usage;
  }
  world.out << "\nApply these changes? Only 'yes' is taken for one: " << std::flush;
  std::string answer;
  std::getline(world.in, answer);
  if (trim(answer) == "yes") return std::nullopt;
  world.out << "Nothing was changed.\n";
  return exit_failed;
}

int apply_now(Context& context, const ApplyOptions& options) {
  World& world = context.world;
  std::optional<Session> session = open_session(context, options.targets);
  if (!session) return exit_usage;
  const plan::Plan plan = make_plan(context, *session, Duration{0}, options.evidence());
  if (!options.json) world.out << plan_text(plan, context.color()) << std::flush;
  if (executable(plan, options))
    if (const auto code = unless_agreed(world, options)) return *code;
  return finish(context, execute(context, plan, *session, options), options);
}

Result<plan::Plan> read_plan(World& world, const std::string& file) {
  const Result<std::string> text = world.services.files.read_stream(file, longest_plan);
  if (!text) return fail(text);
  Result<plan::Plan> plan = plan::plan_from_json(*text);
  if (!plan) return fail_at(plan, file);
  return plan;
}

// The configured domains that a saved plan speaks of, and those that are no longer configured.
struct Covered {
  std::vector<std::string> targets;
  std::vector<std::string> gone;
};

Covered covered(const plan::Plan& plan, const config::Config& config) {
  Covered covered;
  for (const plan::DomainPlan& domain : plan.domains) {
    if (!domain.changed()) continue;
    const auto found = std::ranges::find_if(config.domains, [&](const config::Domain& one) {
      return one.desired.domain == domain.domain();
    });
    (found == config.domains.end() ? covered.gone : covered.targets)
        .push_back(domain.domain().text());
  }
  return covered;
}

Outcome stale(const dns::Name& domain, const std::vector<std::string>& differences) {
  return {.domain = domain,
          .ending = Ending::stale,
          .error = Error{Code::conflict, join(differences, "; "), domain.text(),
                         "make a new plan: stsctl plan -o FILE"}};
}

// Takes the domains out of `plan` that are no longer as it saw them.
std::vector<Outcome> take_out_stale(plan::Plan& plan, const Session& session,
                                    const std::vector<plan::Observed>& observed, Time now) {
  std::map<dns::Name, std::size_t> known;
  for (std::size_t i = 0; i < session.desired.size(); ++i)
    known.emplace(session.desired[i].domain, i);
  std::vector<Outcome> outcomes;
  std::erase_if(plan.domains, [&](const plan::DomainPlan& domain) {
    if (!domain.changed()) return false;
    std::vector<std::string> differences;
    const auto found = known.find(domain.domain());
    if (found == known.end())
      differences.emplace_back("it is no longer in the configuration");
    else if (now > plan.valid_until)
      differences.push_back(
          fmt::format("the plan was valid until {}", format_time(plan.valid_until)));
    else
      differences = plan::staleness(domain, session.desired[found->second], observed[found->second],
                                    {plan.created, plan.valid_until - plan.created});
    if (differences.empty()) return false;
    outcomes.push_back(stale(domain.domain(), differences));
    return true;
  });
  return outcomes;
}

// Which of the session's domains the plan was proved for against their MX records.
std::vector<bool> proved_against_mx(const plan::Plan& plan, const Session& session) {
  std::set<dns::Name> proved;
  for (const plan::DomainPlan& domain : plan.domains)
    if (domain.observed && domain.observed->mx) proved.insert(domain.domain());
  std::vector<bool> wanted;
  wanted.reserve(session.desired.size());
  for (const plan::Desired& desired : session.desired)
    wanted.push_back(proved.contains(desired.domain));
  return wanted;
}

int apply_saved(Context& context, const ApplyOptions& options) {
  World& world = context.world;
  Result<plan::Plan> plan = read_plan(world, options.file);
  if (!plan) {
    world.err << "stsctl: " << to_string(plan.error()) << '\n';
    return exit_usage;
  }
  const std::optional<config::Config> config = load_config(context);
  if (!config) return exit_usage;
  const Covered names = covered(*plan, *config);
  std::optional<Session> session;
  if (names.targets.empty())
    session.emplace();
  else
    session = open_session(context, names.targets);
  if (!session) return exit_usage;
  std::vector<plan::Observed> observed = observe(context, *session);
  decide_rollouts(context, *session, observed, options.evidence());
  look_at_mx(context, *session, proved_against_mx(*plan, *session), observed);
  std::vector<Outcome> outcomes =
      take_out_stale(*plan, *session, observed, world.services.clock.now());
  if (!options.json && !plan->domains.empty())
    world.out << plan_text(*plan, context.color()) << std::flush;
  if (executable(*plan, options))
    if (const auto code = unless_agreed(world, options)) return *code;
  std::ranges::move(execute(context, *plan, *session, options), std::back_inserter(outcomes));
  std::ranges::sort(outcomes, {}, &Outcome::domain);
  return finish(context, outcomes, options);
}

}  // namespace

void add_apply(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ApplyOptions>();
  CLI::App* command =
      add_command(app, context, "apply", "Plan, ask, and make the changes; or execute a saved plan",
                  "  stsctl apply\n  stsctl apply plan.json --yes", [&context, options] {
                    return options->file.empty() ? apply_now(context, *options)
                                                 : apply_saved(context, *options);
                  });
  CLI::Option* file =
      command->add_option("FILE", options->file, "A plan saved by 'stsctl plan -o FILE'");
  command->add_option("-t,--target", options->targets, "Only these domains (names or globs)")
      ->type_name("DOMAIN")
      ->excludes(file);
  command
      ->add_option("--allow", options->allowed,
                   "Take steps that were refused with this finding's id")
      ->type_name("FINDING");
  command->add_flag("-y,--yes", options->yes, "Do not ask");
  command->add_flag("--no-verify", options->no_verify,
                    "Believe the policy host that it serves a new policy: do not fetch it as "
                    "senders do before its id is announced");
  CLI::Option* wait = command->add_flag_callback(
      "--wait", [options] { options->wait = true; },
      "Wait until a new policy and new records are served (the default)");
  command
      ->add_flag_callback(
          "--no-wait", [options] { options->wait = false; },
          "Look once whether they are served; what depends on it is left for the next apply if "
          "they are not")
      ->excludes(wait);
  add_duration(*command, "--timeout", options->timeout,
               "How long to wait until a new policy is served (default 5m)");
  add_evidence_flag(*command, options->no_evidence);
  add_look_flags(*command, options->flags);
  command->add_flag("--json", options->json, "Print the outcomes as JSON");
  command->add_flag("--detailed-exitcode", options->detailed,
                    "Exit with 2 when all is done that is due and more is to come");
}

}  // namespace stsctl::cli
