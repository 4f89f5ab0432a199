#include "cli/looking.h"

#include <ostream>
#include <utility>

#include "cli/progress.h"

namespace stsctl::cli {

namespace {

constexpr const char* ports = "Other ports, for tests and tunnels";

}  // namespace

void add_eye_flags(CLI::App& command, LookFlags& flags) {
  command.add_option("--ca-file", flags.ca_file, "PEM file of the only CAs to trust where looking")
      ->type_name("FILE");
  command.add_option("--https-port", flags.look.https_port, "of policy hosts")
      ->type_name("PORT")
      ->group(ports);
  command.add_option("--dns-port", flags.look.dns_port, "of the zones' own name servers")
      ->type_name("PORT")
      ->group(ports);
}

void add_look_flags(CLI::App& command, LookFlags& flags) {
  command.add_flag("--no-smtp", flags.no_smtp,
                   "Leave the mail hosts alone, where this network lets nobody out to port 25");
  add_eye_flags(command, flags);
  command.add_option("--smtp-port", flags.look.smtp_port, "of MX hosts")
      ->type_name("PORT")
      ->group(ports);
}

void add_look_timeout(CLI::App& command, LookFlags& flags) {
  add_duration(command, "--timeout", flags.timeout,
               "How long one look at one server may take (default 60s)");
}

std::optional<std::vector<dns::Name>> read_names(const Context& context,
                                                 const std::vector<std::string>& texts) {
  std::vector<dns::Name> names;
  for (const std::string& text : texts) {
    const Result<dns::Name> name = dns::Name::parse(text);
    if (!name) {
      context.world.err << "stsctl: " << to_string(name.error()) << '\n';
      return std::nullopt;
    }
    names.push_back(*name);
  }
  return names;
}

std::optional<std::vector<engine::Facts>> look(Context& context,
                                               const std::vector<dns::Name>& domains,
                                               const LookFlags& flags) {
  World& world = context.world;
  const auto resolver = context.resolver();
  if (!resolver || !*resolver || !world.open_prober) {
    world.err << "stsctl: "
              << (resolver ? "this command asks DNS: --resolver none leaves it nothing to do"
                           : to_string(resolver.error()))
              << '\n';
    return std::nullopt;
  }
  io::ProbeOptions probing{.ca_file = flags.ca_file, .stop = world.stop};
  if (flags.timeout) probing.timeout = *flags.timeout;
  const auto prober = world.open_prober(std::move(probing));
  engine::LookOptions options = flags.look;
  options.smtp = !flags.no_smtp;
  Progress progress(world, "looking", domains.size());
  std::vector<engine::Facts> seen;
  for (auto& facts : engine::look_at_all(domains, {**resolver, *prober, world.services.clock},
                                         options, progress.watch()))
    if (facts) seen.push_back(std::move(*facts));
  return seen;
}

}  // namespace stsctl::cli
