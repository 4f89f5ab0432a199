#include <ostream>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/session.h"

namespace stsctl::cli {

namespace {

int validate(const Context& context) {
  const std::optional<config::Config> config = load_config(context);
  if (!config) return exit_usage;
  context.world.out << fmt::format("{}: valid, {} domain{}, {} DNS account{}, {} policy host{}\n",
                                   context.globals.config, config->domains.size(),
                                   config->domains.size() == 1 ? "" : "s", config->dns.size(),
                                   config->dns.size() == 1 ? "" : "s", config->hosts.size(),
                                   config->hosts.size() == 1 ? "" : "s");
  return exit_done;
}

}  // namespace

void add_validate(CLI::App& app, Context& context) {
  add_command(app, context, "validate", "Check the configuration, offline",
              "  stsctl -c stsctl.yaml validate", [&context] { return validate(context); });
}

}  // namespace stsctl::cli
