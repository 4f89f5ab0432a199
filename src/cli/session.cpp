#include "cli/session.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "base/text.h"
#include "engine/report_source.h"

namespace stsctl::cli {

namespace {

bool fits(const std::string& target, const dns::Name& domain) {
  if (target.find_first_of("*?") != std::string::npos)
    return glob_matches(target, domain.text()) || glob_matches(target, domain.unicode());
  const Result<dns::Name> name = dns::Name::parse(target);
  return name && *name == domain;
}

}  // namespace

config::Sources sources(World& world) {
  return {
      .read = [&files = world.services.files](
                  const std::string& path, std::size_t limit) { return files.read(path, limit); },
      .read_stream = [&files = world.services.files](
                         const std::string& path,
                         std::size_t limit) { return files.read_stream(path, limit); },
      .glob = [&files = world.services.files](
                  const std::string& pattern) { return files.glob(pattern); },
      .env = world.services.env};
}

std::optional<config::Config> load_config(const Context& context, Secrets secrets) {
  config::Sources from = sources(context.world);
  from.secrets = secrets == Secrets::read;
  const config::Loaded loaded =
      config::load(context.globals.config, engine::checking_catalog(context.world.services), from);
  for (const config::Diagnostic& diagnostic : loaded.diagnostics)
    context.world.err << config::format(diagnostic) << '\n';
  return loaded.config;
}

Result<std::vector<config::Domain>> choose(const config::Config& config,
                                           const std::vector<std::string>& targets) {
  if (targets.empty()) return config.domains;
  std::vector<bool> chosen(config.domains.size());
  for (const std::string& target : targets) {
    bool any = false;
    for (std::size_t i = 0; i < config.domains.size(); ++i) {
      if (!fits(target, config.domains[i].desired.domain)) continue;
      chosen[i] = any = true;
    }
    if (any) continue;
    std::vector<std::string> names;
    for (const config::Domain& domain : config.domains)
      names.push_back(domain.desired.domain.text());
    const auto near = nearest(target, names);
    return fail(Code::not_found, fmt::format("no configured domain is '{}'", printable(target)), {},
                near ? fmt::format("did you mean '{}'?", *near) : "");
  }
  std::vector<config::Domain> domains;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i]) domains.push_back(config.domains[i]);
  return domains;
}

std::optional<Session> open_session(const Context& context,
                                    const std::vector<std::string>& targets) {
  std::optional<config::Config> config = load_config(context);
  if (!config) return std::nullopt;
  Result<std::vector<config::Domain>> domains = choose(*config, targets);
  if (!domains) {
    context.world.err << "stsctl: " << to_string(domains.error()) << '\n';
    return std::nullopt;
  }
  Result<std::unique_ptr<io::Resolver>> resolver = context.resolver();
  if (!resolver) {
    context.world.err << "stsctl: " << to_string(resolver.error()) << '\n';
    return std::nullopt;
  }
  Session session{.config = std::move(*config), .domains = std::move(*domains)};
  session.resolver = std::move(*resolver);
  session.accounts = engine::open_accounts(session.config, session.domains, context.world.services);
  session.desired = engine::resolve(session.domains, session.accounts);
  const config::ReportSettings& reports = session.config.reports;
  session.reports = engine::report_source(reports.store, reports.signers);
  return session;
}

}  // namespace stsctl::cli
