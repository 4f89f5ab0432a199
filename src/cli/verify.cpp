#include <algorithm>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/looking.h"
#include "cli/session.h"
#include "cli/verify_view.h"

namespace stsctl::cli {

namespace {

struct VerifyOptions {
  std::vector<std::string> domains;
  std::string format = "text";
  bool json = false;
  LookFlags flags;
};

// Those named, whether configured or not; else every configured domain with a policy.
std::optional<std::vector<dns::Name>> wanted_domains(const Context& context,
                                                     const VerifyOptions& options) {
  if (!options.domains.empty()) return read_names(context, options.domains);
  const std::optional<config::Config> config = load_config(context);
  if (!config) return std::nullopt;
  std::vector<dns::Name> names;
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
  const auto domains = wanted_domains(context, options);
  if (!domains) return exit_usage;
  const auto seen = look(context, *domains, options.flags);
  if (!seen) return exit_usage;
  std::vector<engine::Verdict> verdicts;
  for (const engine::Facts& facts : *seen)
    verdicts.push_back(engine::judge(facts));
  context.world.out << shown(options, verdicts, context.color());
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
  add_look_flags(*command, options->flags);
  add_look_timeout(*command, options->flags);
}

}  // namespace stsctl::cli
