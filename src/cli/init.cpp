#include <memory>
#include <ostream>

#include "cli/command.h"

namespace stsctl::cli {

namespace {

constexpr const char* starter =
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

domains:
  example.com:
    policy: {mx: [mail.example.com]}     # the hosts of its MX records; "*.example.com" is one label
  # example.org: {preset: google-workspace}
  # example.net: {policy: {mode: none, mx: [mail.example.net]}}
)";

int init(Context& context, bool force) {
  World& world = context.world;
  const std::string& file = context.globals.config;
  if (!force && world.services.files.read(file, 1U << 30U)) {
    world.err << "stsctl: " << file
              << " exists and is kept\n  hint: --force replaces it, -c FILE "
                 "names another\n";
    return exit_failed;
  }
  const Result<Done> written = world.services.files.replace(file, starter, false);
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
  const auto force = std::make_shared<bool>(false);
  CLI::App* command = add_command(
      app, context, "init", "Write a commented configuration to begin with",
      "  stsctl -c stsctl.yaml init", [&context, force] { return init(context, *force); });
  command->add_flag("--force", *force, "Replace a file that exists");
}

}  // namespace stsctl::cli
