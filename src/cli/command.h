#pragma once
// What a command file needs: the shared options and its place in the program. Each command is one
// file with one `add_…` function; command code prints through a view.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/run.h"

namespace stsctl::cli {

/// Options before the command's name.
struct Globals {
  std::string config = "stsctl.yaml";
  bool no_color = false;
  std::string log_level;  ///< Empty: the command's own, warn for most.
  std::vector<std::string> resolvers;
};

/// What a command runs with. The command that was named sets `action`.
struct Context {
  World& world;
  Globals globals;
  std::function<int()> action;
  bool runs_until_stopped = false;  ///< A signal is its regular end, and no exit code.

  /// May what is written to `world.out` carry colour? (terminal, NO_COLOR, --no-color)
  bool color() const;

  /// The resolvers that --resolver or STSCTL_RESOLVER names, else the system's; null with "none".
  /// Code::invalid for what is no address.
  Result<std::unique_ptr<io::Resolver>> resolver() const;
};

/// Makes the subcommand `name` with an example in its help; `action` runs when it is named.
CLI::App* add_command(CLI::App& app, Context& context, const std::string& name,
                      const std::string& description, const std::string& example,
                      std::function<int()> action);

/// Adds an option whose value is read by parse_duration(), none while it is not given; a wrong one
/// is bad usage.
CLI::Option* add_duration(CLI::App& command, const std::string& name, std::optional<Duration>& into,
                          const std::string& description);

/// One a command; in the order that --help shows.
void add_init(CLI::App& app, Context& context);
void add_validate(CLI::App& app, Context& context);
void add_plan(CLI::App& app, Context& context);
void add_apply(CLI::App& app, Context& context);
void add_status(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_render(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);
void add_lint(CLI::App& app, Context& context);
void add_reports(CLI::App& app, Context& context);
void add_id(CLI::App& app, Context& context);
void add_providers(CLI::App& app, Context& context);
void add_schema(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);

}  // namespace stsctl::cli
