#include <memory>
#include <optional>
#include <ostream>

#include "cli/adopt.h"
#include "cli/looking.h"

namespace stsctl::cli {

namespace {

// Everything above the domains.
constexpr const char* head =
    R"(# The MTA-STS and TLS-RPT state of your mail domains. Every key: docs/configuration.md.
# Then: stsctl validate, stsctl plan, stsctl apply.
version: 1

# include: [customers/*.yaml]   # more files, such as one a customer

dns:                            # where records live
  zone-files:
    provider: zonefile
    directory: zones            # holds example.com.zone and so on
    # reload: [rndc, reload, "{zone}"]

hosts:                          # where policies are served
  web:
    provider: directory
    root: www                   # serves https://mta-sts.DOMAIN/.well-known/mta-sts.txt
    address: {cname: mta-sts-host.example.net}

defaults:                       # what holds for every domain that does not say otherwise
  dns: zone-files
  host: web
  # Begin with testing: senders report failures and deliver all the same.
  policy: {mode: testing, max_age: 1d}
  tlsrpt: {rua: ["mailto:tlsrpt@example.net"]}

)";

constexpr const char* sample =
    R"(domains:
  example.com:
    policy: {mx: [mail.example.com]}     # the hosts of its MX records; "*.example.com" is one label
  # example.org: {preset: google-workspace}
  # example.edu: {policy: {mx: live}}    # the same hosts, looked up for each plan
  # example.net: {policy: {mode: none, mx: [mail.example.net]}}
)";

struct InitOptions {
  bool force = false;
  std::vector<std::string> from;
  LookFlags flags;
};

// The text to write; none when looking was not possible.
std::optional<std::string> starter(Context& context, const InitOptions& options) {
  if (options.from.empty()) return std::string(head) + sample;
  const auto names = read_names(context, options.from);
  if (!names) return std::nullopt;
  LookFlags flags = options.flags;
  flags.no_smtp = true;
  const auto seen = look(context, *names, flags);
  if (!seen) return std::nullopt;
  return head + domains_yaml(*seen);
}

int init(Context& context, const InitOptions& options) {
  World& world = context.world;
  const std::string& file = context.globals.config;
  const auto there = world.services.files.read(file, 1U << 30U);
  if (!options.force && (there || there.error().code != Code::not_found)) {
    world.err << "stsctl: " << file
              << " exists and is kept\n  hint: --force replaces it, -c FILE "
                 "names another\n";
    return exit_failed;
  }
  const std::optional<std::string> text = starter(context, options);
  if (!text) return exit_usage;
  const Result<Done> written = world.services.files.replace(file, *text, false);
  if (!written) {
    world.err << "stsctl: " << to_string(written.error()) << '\n';
    return exit_failed;
  }
  world.out << "Wrote " << file
            << ". Next: name your zones, web root and domains in it, then run\n"
               "  stsctl validate\n  stsctl plan\n  stsctl apply\n";
  return exit_done;
}

}  // namespace

void add_init(CLI::App& app, Context& context) {
  const auto options = std::make_shared<InitOptions>();
  CLI::App* command =
      add_command(app, context, "init", "Write a commented configuration to begin with",
                  "  stsctl -c stsctl.yaml init\n  stsctl init --from example.com example.org",
                  [&context, options] { return init(context, *options); });
  command->add_flag("--force", options->force, "Replace a file that exists");
  command
      ->add_option("--from", options->from,
                   "Take over what these domains publish now; then name their dns and host")
      ->type_name("DOMAIN");
  add_look_flags(*command, options->flags);
  add_look_timeout(*command, options->flags);
}

}  // namespace stsctl::cli
