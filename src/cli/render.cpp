#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/planning.h"
#include "cli/web_server_config.h"
#include "plan/make.h"
#include "providers/policy_path.h"

namespace stsctl::cli {

namespace {

using Json = nlohmann::ordered_json;

// Where certbot puts them.
constexpr const char* default_certificate = "/etc/letsencrypt/live/mta-sts.{domain}/fullchain.pem";
constexpr const char* default_key = "/etc/letsencrypt/live/mta-sts.{domain}/privkey.pem";

struct RenderOptions {
  std::vector<std::string> domains;
  bool as_json = false;
  std::string format;
  std::uint16_t port = 443;
  std::string certificate;
  std::string key;
};

// What would be published where nothing is yet.
struct Rendered {
  std::vector<dns::RecordSet> records;
  std::optional<std::string> policy;
};

plan::Observed nothing_of(const dns::Name& domain) {
  const plan::NameState absent{domain, {}};
  return {domain, absent, absent, absent, std::optional<std::string>{}};
}

Result<Rendered> rendered(const plan::Desired& desired, const plan::Observed& observed, Time now) {
  const plan::DomainPlan plan = make_domain(desired, observed, {.now = now});
  if (plan.error) return std::unexpected(*plan.error);
  Rendered result;
  for (const plan::Step& step : plan.steps) {
    if (const auto* change = std::get_if<plan::RecordChange>(&step.action))
      for (const plan::RecordEdit& edit : change->edits)
        if (edit.after) result.records.push_back(*edit.after);
    if (const auto* change = std::get_if<plan::PolicyChange>(&step.action))
      result.policy = change->edit.after->body;
  }
  return result;
}

std::string data_of(const dns::RecordSet& set, const std::string& value) {
  if (set.type == dns::Type::txt) return dns::encode_txt(value);
  return set.type == dns::Type::cname ? value + "." : value;
}

std::string as_text(const plan::Desired& desired, const Rendered& what) {
  std::string text;
  for (const dns::RecordSet& set : what.records)
    for (const std::string& value : set.values)
      text += fmt::format("{}.\t{}\tIN\t{}\t{}\n", set.owner.text(), set.ttl.count(),
                          dns::to_string(set.type), data_of(set, value));
  if (!what.policy) return text;
  text += fmt::format("\n; https://mta-sts.{}{}\n", desired.domain.text(), sts::policy_path);
  for (const std::string_view line : split(*what.policy, '\n'))
    if (!line.empty()) text += std::string(trim(line)) + "\n";
  return text;
}

std::string as_json(const plan::Desired& desired, const Rendered& what) {
  Json records = Json::array();
  for (const dns::RecordSet& set : what.records) {
    Json values = Json::array();
    for (const std::string& value : set.values)
      values.push_back(data_of(set, value));
    records.push_back({{"owner", set.owner.text()},
                       {"type", dns::to_string(set.type)},
                       {"ttl", set.ttl.count()},
                       {"values", std::move(values)}});
  }
  return Json{{"domain", desired.domain.text()},
              {"records", std::move(records)},
              {"policy", what.policy ? Json(*what.policy) : Json(nullptr)}}
             .dump(2) +
         "\n";
}

int complain(const Context& context, const std::string& what) {
  context.world.err << "stsctl: " << what << '\n';
  return exit_usage;
}

// DNS is asked for nothing but the MX records that patterns are taken from.
std::vector<plan::Observed> observe_nothing(Context& context, const Session& session) {
  std::vector<plan::Observed> observed;
  std::vector<bool> live;
  for (const plan::Desired& desired : session.desired) {
    observed.push_back(nothing_of(desired.domain));
    live.push_back(desired.mx_live);
  }
  look_at_mx(context, session, live, observed);
  return observed;
}

int render_records(Context& context, const RenderOptions& options) {
  World& world = context.world;
  const std::optional<Session> session = open_session(context, options.domains);
  if (!session) return exit_usage;
  if (options.as_json && session->desired.size() != 1)
    return complain(context, "render --json takes one domain");
  const std::vector<plan::Observed> observed = observe_nothing(context, *session);
  bool first = true;
  int code = exit_done;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const plan::Desired& desired = session->desired[i];
    const Result<Rendered> what = rendered(desired, observed[i], world.services.clock.now());
    if (!what) {
      world.err << "stsctl: " << to_string(what.error()) << '\n';
      code = exit_failed;
      continue;
    }
    if (!std::exchange(first, false)) world.out << '\n';
    world.out << (options.as_json ? as_json(desired, *what) : as_text(desired, *what));
  }
  return code;
}

// ---- a web server's configuration ----

WebServer web_server(const std::string& format) {
  if (format == "caddy") return WebServer::caddy;
  return format == "nginx" ? WebServer::nginx : WebServer::apache;
}

// Caddy obtains certificates itself unless it is given some.
std::string certificate_of(const std::string& given, const char* fallback,
                           const RenderOptions& options, const dns::Name& domain) {
  if (given.empty() && options.format == "caddy") return {};
  return providers::fill_in(given.empty() ? fallback : given, domain);
}

Result<PolicySite> site_of(const config::Config& config, const plan::Desired& desired,
                           const RenderOptions& options) {
  const dns::Name& domain = desired.domain;
  const config::Account* host = desired.policy ? config.find_host(desired.host) : nullptr;
  if (host == nullptr) return fail(Code::unsupported, "it has no policy", domain.text());
  if (host->provider != "directory")
    return fail(Code::unsupported,
                fmt::format("its host '{}' is a '{}', no 'directory'", host->name, host->provider),
                domain.text());
  const Result<std::string> file = providers::policy_file(host->settings, domain);
  if (!file) return fail(file);
  return PolicySite{
      .domain = domain,
      .file = std::filesystem::absolute(*file).lexically_normal().string(),
      .certificate = certificate_of(options.certificate, default_certificate, options, domain),
      .key = certificate_of(options.key, default_key, options, domain)};
}

// Those named; when none is, those that have a file.
Result<std::vector<PolicySite>> sites(const config::Config& config, const RenderOptions& options) {
  const auto domains = choose(config, options.domains);
  if (!domains) return fail(domains);
  std::vector<PolicySite> all;
  for (const config::Domain& domain : *domains) {
    Result<PolicySite> site = site_of(config, domain.desired, options);
    if (site)
      all.push_back(std::move(*site));
    else if (!options.domains.empty() || site.error().code != Code::unsupported)
      return fail(site);
  }
  if (all.empty())
    return fail(Code::not_found, "no domain's policy is served from a 'directory' host");
  return all;
}

int render_server(const Context& context, const RenderOptions& options) {
  if (options.certificate.empty() != options.key.empty())
    return complain(context, "--certificate and --key belong together");
  const std::optional<config::Config> config = load_config(context, Secrets::left_out);
  if (!config) return exit_usage;
  const auto found = sites(*config, options);
  if (!found) return complain(context, to_string(found.error()));
  const auto text = web_server_config(web_server(options.format), *found, options.port);
  if (!text) return complain(context, to_string(text.error()));
  context.world.out << *text;
  return exit_done;
}

int render(Context& context, const RenderOptions& options) {
  return options.format.empty() ? render_records(context, options)
                                : render_server(context, options);
}

}  // namespace

void add_render(CLI::App& app, Context& context) {
  const auto options = std::make_shared<RenderOptions>();
  CLI::App* command = add_command(
      app, context, "render",
      "Print domains' records and policies as they would be published now, or with --format the "
      "configuration of their web server; asks DNS only where 'mx: live' says so",
      "  stsctl render example.com\n"
      "  stsctl render --format nginx > /etc/nginx/conf.d/mta-sts.conf",
      [&context, options] { return render(context, *options); });
  command->add_option("DOMAIN", options->domains, "Configured domains; all if none is given");
  CLI::Option* as_json = command->add_flag("--json", options->as_json, "Print one JSON object");
  CLI::Option* format =
      command
          ->add_option("--format", options->format,
                       "Print what makes this web server serve the files of a directory host")
          ->type_name("SERVER")
          ->check(CLI::IsMember({"caddy", "nginx", "apache"}))
          ->excludes(as_json);
  command->add_option("--port", options->port, "The port it listens on")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str()
      ->needs(format);
  command
      ->add_option("--certificate", options->certificate,
                   fmt::format("PEM file with chain; {{domain}} is the mail domain [{}; caddy: "
                               "obtained by itself]",
                               default_certificate))
      ->type_name("FILE")
      ->needs(format);
  command->add_option("--key", options->key, "Its key")->type_name("FILE")->needs(format);
}

}  // namespace stsctl::cli
