#include <algorithm>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/verify_view.h"

namespace stsctl::cli {

namespace {

struct VerifyOptions {
  std::vector<std::string> domains;
  std::string format = "text";
  std::string ca_file;
  bool json = false;
  bool no_smtp = false;
  engine::LookOptions look;
};

// Those named, whether configured or not; else every configured domain with a policy.
std::optional<std::vector<dns::Name>> wanted_domains(const Context& context,
                                                     const VerifyOptions& options) {
  std::vector<dns::Name> names;
  for (const std::string& text : options.domains) {
    const Result<dns::Name> name = dns::Name::parse(text);
    if (!name) {
      context.world.err << "stsctl: " << to_string(name.error()) << '\n';
      return std::nullopt;
    }
    names.push_back(*name);
  }
  if (!names.empty()) return names;
  const std::optional<config::Config> config = load_config(context);
  if (!config) return std::nullopt;
  for (const config::Domain& domain : config->domains)
    if (domain.desired.policy) names.push_back(domain.desired.domain);
  return names;
}

std::string shown(const VerifyOptions& options, const std::vector<engine::Verdict>& verdicts,
                  bool color) {
  if (options.json || options.format == "json") return verdicts_json(verdicts);
  if (options.format == "junit") return verdicts_junit(verdicts);
  if (options.format == "sarif") return verdicts_sarif(verdicts);
  if (options.format == "prometheus") return verdicts_prometheus(verdicts);
  return verdicts_text(verdicts, color);
}

int verify(Context& context, const VerifyOptions& options) {
  World& world = context.world;
  const auto domains = wanted_domains(context, options);
  if (!domains) return exit_usage;
  const auto resolver = context.resolver();
  if (!resolver || !*resolver || !world.open_prober) {
    world.err << "stsctl: "
              << (resolver ? "verify asks DNS: --resolver none leaves it nothing to do"
                           : to_string(resolver.error()))
              << '\n';
    return exit_usage;
  }
  const auto prober = world.open_prober({.ca_file = options.ca_file, .stop = world.stop});
  engine::LookOptions look = options.look;
  look.smtp = !options.no_smtp;
  std::vector<engine::Verdict> verdicts;
  {
    Progress progress(world, "looking", domains->size());
    for (const auto& facts : engine::look_at_all(
             *domains, {**resolver, *prober, world.services.clock}, look, progress.watch()))
      if (facts) verdicts.push_back(engine::judge(*facts));
  }
  world.out << shown(options, verdicts, context.color());
  const bool failed =
      verdicts.size() < domains->size() ||
      std::ranges::any_of(
          verdicts,
          [](const engine::Verdict& verdict) { return verdict.grade == engine::Grade::fail; });
  return failed ? exit_failed : exit_done;
}

}  // namespace

void add_verify(CLI::App& app, Context& context) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = add_command(app, context, "verify",
                                  "Look at domains as a mail sender does, and judge what it sees",
                                  "  stsctl verify\n  stsctl verify example.com --format junit",
                                  [&context, options] { return verify(context, *options); });
  command->add_option("DOMAIN", options->domains,
                      "Any domains in the world; left out: those configured with a policy");
  CLI::Option* format =
      command->add_option("--format", options->format, "text, json, junit, sarif or prometheus")
          ->type_name("FORMAT")
          ->check(CLI::IsMember({"text", "json", "junit", "sarif", "prometheus"}))
          ->capture_default_str();
  command->add_flag("--json", options->json, "Same as --format json")->excludes(format);
  command->add_flag("--no-smtp", options->no_smtp,
                    "Leave the mail hosts alone, where this network lets nobody out to port 25");
  command->add_option("--ca-file", options->ca_file, "PEM file of the only CAs to trust")
      ->type_name("FILE");
  const char* ports = "Other ports, for tests and tunnels";
  command->add_option("--https-port", options->look.https_port, "of policy hosts")
      ->type_name("PORT")
      ->group(ports);
  command->add_option("--smtp-port", options->look.smtp_port, "of MX hosts")
      ->type_name("PORT")
      ->group(ports);
  command->add_option("--dns-port", options->look.dns_port, "of the zones' own name servers")
      ->type_name("PORT")
      ->group(ports);
}

}  // namespace stsctl::cli
