#include "cli/run.h"

#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/tree.h"

namespace stsctl::cli {

namespace {

constexpr const char* description =
    "Plans and applies MTA-STS (RFC 8461) and TLS-RPT (RFC 8460) for many mail domains.";

constexpr const char* footer =
    "Exit codes: 0 done, 1 failed, 2 changes (--detailed-exitcode), 3 refused as unsafe,\n"
    "4 stale plan, 5 partly failed, 64 bad usage or configuration.\n\n"
    "First steps: stsctl init; edit stsctl.yaml; stsctl plan; stsctl apply\n";

void add_globals(CLI::App& app, Globals& globals) {
  app.add_option("-c,--config", globals.config, "Configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag("--no-color", globals.no_color, "No colour (NO_COLOR does the same)");
  app.add_option("--resolver", globals.resolvers,
                 "Ask these name servers instead of the system's; none: ask nobody "
                 "(STSCTL_RESOLVER does the same)")
      ->type_name("ADDRESS[:PORT]")
      ->delimiter(',');
  app.add_option("--log-level", globals.log_level, "error, warn, info or debug [warn; serve: info]")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}));
}

// The program and the commands that were named, in order.
std::vector<const CLI::App*> named(const CLI::App& app) {
  std::vector<const CLI::App*> chain = {&app};
  while (!chain.back()->get_subcommands().empty())
    chain.push_back(chain.back()->get_subcommands().front());
  return chain;
}

// Whose help explains the mistake: that of whoever met a word it does not know or owns the option,
// else of the command.
std::size_t whose(const std::vector<const CLI::App*>& chain, const CLI::ParseError& stop) {
  for (std::size_t i = 0; i < chain.size(); ++i)
    if (!chain[i]->remaining().empty()) return i;
  const std::string_view what = stop.what();
  const std::string option(what.substr(0, what.find_first_of(": ")));
  for (std::size_t i = chain.size(); i-- > 0;)
    if (chain[i]->get_option_no_throw(option) != nullptr) return i;
  return chain.size() - 1;
}

// "no command is 'plann'; did you mean 'plan'?", which CLI11 calls a missing subcommand.
std::optional<std::string> unknown_command(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty() || rest.front().starts_with('-') || commands_of(app).empty()) return {};
  std::vector<std::string> known;
  for (const CLI::App* command : commands_of(app))
    known.push_back(command->get_name());
  const auto near = nearest(rest.front(), known);
  return fmt::format("no command is '{}'{}", rest.front(),
                     near ? fmt::format("; did you mean '{}'?", *near) : "");
}

// CLI11 tells help from a mistake by exception type; both end here.
int report(const CLI::App& app, const CLI::ParseError& stop, World& world) {
  if (stop.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
    return app.exit(stop, world.out, world.err) == 0 ? exit_done : exit_usage;
  const std::vector<const CLI::App*> chain = named(app);
  const std::size_t at = whose(chain, stop);
  std::string words;
  for (std::size_t i = 1; i <= at; ++i)
    words += " " + chain[i]->get_name();
  const std::string what = unknown_command(*chain[at]).value_or(stop.what());
  world.err << fmt::format("stsctl: {}\nRun 'stsctl{} --help' for what it takes.\n",
                           printable(what), words);
  return exit_usage;
}

int interrupted(const Context& context, int code) {
  const World& world = context.world;
  if (context.runs_until_stopped || !world.stop.stop_requested() || world.signal == nullptr ||
      world.signal->load() == 0)
    return code;
  return 128 + world.signal->load();
}

}  // namespace

bool Context::color() const {
  const auto unwanted = world.services.env("NO_COLOR");
  return world.out_is_terminal && !globals.no_color && !(unwanted && !unwanted->empty());
}

Result<std::unique_ptr<io::Resolver>> Context::resolver() const {
  std::vector<std::string> names = globals.resolvers;
  if (names.empty())
    for (const std::string_view name :
         split(world.services.env("STSCTL_RESOLVER").value_or(""), ','))
      if (!trim(name).empty()) names.emplace_back(trim(name));
  if (!world.open_resolver || (names.size() == 1 && names.front() == "none")) return nullptr;
  io::ResolverOptions options;
  for (const std::string& name : names) {
    const Result<io::Nameserver> server = io::parse_nameserver(name);
    if (!server) return fail_at(server, "--resolver");
    options.servers.push_back(*server);
  }
  return world.open_resolver(std::move(options));
}

CLI::App* add_command(CLI::App& app, Context& context, const std::string& name,
                      const std::string& description_text, const std::string& example,
                      std::function<int()> action) {
  CLI::App* command = app.add_subcommand(name, description_text);
  command->footer("Example:\n" + example + "\n");
  command->callback([&context, run_it = std::move(action)] { context.action = run_it; });
  return command;
}

CLI::Option* add_duration(CLI::App& command, const std::string& name, std::optional<Duration>& into,
                          const std::string& description_text) {
  const CLI::callback_t take = [&into, name](const CLI::results_t& given) {
    const Result<Duration> read = parse_duration(given.front());
    if (!read) throw CLI::ValidationError(name, read.error().what);
    into = *read;
    return true;
  };
  return command.add_option(name, take, description_text)->type_name("DURATION");
}

int run(int argc, const char* const* argv, World& world) {
  Context context{.world = world, .globals = {}, .action = {}};
  CLI::App app{description, "stsctl"};
  app.footer(footer);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  add_globals(app, context.globals);
  for (const auto add :
       {add_init, add_validate, add_plan, add_apply, add_status, add_verify, add_render, add_serve,
        add_reports, add_lint, add_id, add_providers, add_schema, add_completion, add_version})
    add(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    return report(app, stop, world);
  }
  world.services.log.set_level(io::parse_log_level(context.globals.log_level));
  const int code = context.action();
  return interrupted(context, code);
}

}  // namespace stsctl::cli
