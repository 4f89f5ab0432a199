#include <memory>
#include <ostream>

#include "cli/command.h"
#include "cli/plan_view.h"
#include "cli/planning.h"

namespace stsctl::cli {

namespace {

struct PlanOptions {
  std::vector<std::string> targets;
  std::string output;
  std::string valid_for = "1d";
  bool json = false;
  bool markdown = false;
  bool detailed = false;
  bool no_evidence = false;
  LookFlags look;
};

std::string shown(const PlanOptions& options, const plan::Plan& plan, bool color) {
  if (options.json) return to_json(plan);
  return options.markdown ? plan_markdown(plan) : plan_text(plan, color);
}

int make_and_show(Context& context, const PlanOptions& options) {
  World& world = context.world;
  const Result<Duration> valid_for = parse_duration(options.valid_for);
  if (!valid_for) {
    world.err << "stsctl: --valid-for: " << to_string(valid_for.error()) << '\n';
    return exit_usage;
  }
  std::optional<Session> session = open_session(context, options.targets);
  if (!session) return exit_usage;
  const bool saved = !options.output.empty();
  const plan::Plan plan = make_plan(context, *session, saved ? *valid_for : Duration{0},
                                    {options.no_evidence, &options.look});
  world.out << shown(options, plan, context.color());
  if (saved) {
    const Result<Done> written = world.services.files.replace(options.output, to_json(plan), false);
    if (!written) {
      world.err << "stsctl: the plan was not saved: " << to_string(written.error()) << '\n';
      return exit_failed;
    }
    if (!options.json && !options.markdown)
      world.out << "Saved. To take exactly these steps: stsctl apply " << options.output << '\n';
  }
  return plan_exit(plan, options.detailed);
}

}  // namespace

void add_plan(CLI::App& app, Context& context) {
  const auto options = std::make_shared<PlanOptions>();
  CLI::App* command = add_command(
      app, context, "plan", "Show what apply would do; changes nothing",
      "  stsctl plan --target 'example.*'\n  stsctl plan -o plan.json --detailed-exitcode",
      [&context, options] { return make_and_show(context, *options); });
  command->add_option("-t,--target", options->targets, "Only these domains (names or globs)")
      ->type_name("DOMAIN");
  command->add_option("-o,--output", options->output, "Save the plan, for 'stsctl apply FILE'")
      ->type_name("FILE");
  command
      ->add_option("--valid-for", options->valid_for,
                   "How long a saved plan may be applied; new ids reckon with it")
      ->type_name("DURATION")
      ->capture_default_str();
  CLI::Option* json = command->add_flag("--json", options->json, "Print the plan as JSON");
  command->add_flag("--markdown", options->markdown, "Print a comment for a pull request")
      ->excludes(json);
  add_evidence_flag(*command, options->no_evidence);
  add_look_flags(*command, options->look);
  command->add_flag("--detailed-exitcode", options->detailed,
                    "Exit with 2 when there are changes, now or later");
}

}  // namespace stsctl::cli
