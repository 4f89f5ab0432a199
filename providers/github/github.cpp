#include "providers/github/github.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/address.h"
#include "providers/github/pages.h"
#include "providers/github/repository.h"
#include "providers/github/trouble.h"
#include "providers/policy_path.h"
#include "sts/policy.h"

namespace stsctl::providers::github {

namespace {

constexpr const char* pages = "pages";
constexpr const char* repository = "repository";
// What GitHub asks for between two writes.
constexpr Duration default_write_interval{1};
// How long the edge of Pages keeps a file.
constexpr Duration pages_edge_delay{600};

// 900 points a minute are granted; a read is one, a write (one a second at most) five.
ApiDefaults defaults() {
  ApiDefaults defaults{.endpoint = "https://api.github.com",
                       .concurrency = 8,
                       .rate = "600/m",
                       .timeout = Duration(60)};
  defaults.retry.throttled = is_rate_limit;
  defaults.retry.throttled_wait = Duration(60);
  return defaults;
}

SettingSpec policy_path_setting() {
  SettingSpec path = path_setting();
  path.description =
      "File of a policy in the repository; {domain} stands for the mail domain. With Pages it is "
      ".well-known/mta-sts.txt, or that below docs/.";
  path.fallback += fmt::format("; with Pages {}", sts::policy_path.substr(1));
  return path;
}

SettingSpec site_address_setting() {
  SettingSpec address = address_setting();
  address.description =
      "The address record that mta-sts.DOMAIN gets; left out, with Pages a CNAME to "
      "OWNER.github.io, "
      "else none is planned.";
  return address;
}

SettingSpec edge_setting() {
  SettingSpec delay = edge_delay_setting();
  delay.fallback += fmt::format("; with Pages {}", format_duration(pages_edge_delay));
  return delay;
}

std::vector<SettingSpec> settings() {
  return with_api_settings(
      {
          {.name = "token",
           .type = SettingType::secret,
           .description = "A fine-grained or classic personal access token.",
           .required = true},
          {.name = "layout",
           .type = SettingType::choice,
           .description = "pages: a repository for each domain, served by GitHub Pages; "
                          "repository: all policies in one, which another system deploys.",
           .fallback = pages,
           .choices = {pages, repository}},
          {.name = "repository",
           .type = SettingType::text,
           .description = "OWNER/NAME; with Pages {domain} stands for the mail domain in NAME.",
           .required = true},
          {.name = "branch",
           .type = SettingType::text,
           .description = "The branch that is committed to; it must exist.",
           .fallback = "main"},
          policy_path_setting(),
          {.name = "committer",
           .type = SettingType::object,
           .description = "Author and committer of the commits; left out, the token's owner.",
           .fields = {{.name = "name",
                       .type = SettingType::text,
                       .description = "Their name.",
                       .required = true},
                      {.name = "email",
                       .type = SettingType::text,
                       .description = "Their address.",
                       .required = true}}},
          site_address_setting(),
          edge_setting(),
          {.name = "write_interval",
           .type = SettingType::duration,
           .description = "The least time between two writes.",
           .fallback = format_duration(default_write_interval),
           .most = 3600},
      },
      defaults());
}

bool is_plain(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "-._{}") == std::string_view::npos;
}

Result<Done> check_repository(const Settings& settings, bool with_pages) {
  const std::string text = settings.text("repository");
  const auto parts = split(text, '/');
  const auto wrong = [&](const char* why) {
    return fail(Code::invalid, why, settings.where("repository"));
  };
  if (parts.size() != 2 || !is_plain(parts[0]) || !is_plain(parts[1]))
    return wrong("'repository' must be OWNER/NAME");
  if (parts[0].find('{') != std::string_view::npos)
    return wrong("'repository' may hold {domain} in its NAME only");
  if (!with_pages && parts[1].find('{') != std::string_view::npos)
    return wrong("'repository' holds {domain} only with 'layout: pages'; here 'path' does");
  return Done{};
}

// Pages serves a repository's root or its folder "docs".
Result<std::string> read_site_path(const Settings& settings) {
  const std::string file(sts::policy_path.substr(1));
  std::string path = settings.text("path", file);
  if (path == file || path == "docs/" + file) return path;
  return fail(Code::invalid,
              fmt::format("with 'layout: pages' the 'path' is {} or docs/{}, since Pages serves no "
                          "other folder",
                          file, file),
              settings.where("path"));
}

// Where Pages serves the sites of an owner.
Result<plan::Address> pages_address(const Settings& settings) {
  const std::string text = settings.text("repository");
  const std::string owner = lower(text.substr(0, text.find('/')));
  const Result<dns::Name> target = dns::Name::parse(owner + ".github.io");
  if (!target)
    return fail(Code::invalid, fmt::format("'{}' cannot be part of a name", printable(owner)),
                settings.where("repository"), "give 'address'");
  return plan::Address{.cname = *target, .a = {}, .aaaa = {}};
}

Result<Options> read_options(const Settings& settings, bool with_pages) {
  if (const auto good = check_repository(settings, with_pages); !good) return fail(good);
  Options options{.repository = settings.text("repository"),
                  .branch = settings.text("branch", "main")};
  if (settings.has("committer"))
    options.person = Person{settings.text("committer.name"), settings.text("committer.email")};
  Result<plan::Address> address =
      settings.has("address") || !with_pages ? read_address(settings) : pages_address(settings);
  if (!address) return fail(address);
  options.address = if_any(*address);
  const Duration fallback = with_pages ? pages_edge_delay : Duration{0};
  options.edge_delay = Duration(settings.integer("edge_delay", fallback.count()));
  return options;
}

Result<std::unique_ptr<Client>> open_client(const Settings& settings,
                                            const io::Services& services) {
  Result<Api> api = open_api(settings, services, defaults());
  if (!api) return fail(api);
  const Duration interval(settings.integer("write_interval", default_write_interval.count()));
  return std::make_unique<Client>(std::move(*api), settings.text("token"), interval, services);
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services) {
  const bool with_pages = settings.text("layout", pages) == pages;
  Result<Options> options = read_options(settings, with_pages);
  if (!options) return fail(options);
  Result<std::unique_ptr<Client>> client = open_client(settings, services);
  if (!client) return fail(client);
  if (with_pages) {
    Result<std::string> path = read_site_path(settings);
    if (!path) return fail(path);
    return std::make_unique<Pages>(std::move(*client), std::move(*options), std::move(*path),
                                   services);
  }
  Result<PolicyPath> path = PolicyPath::read(settings);
  if (!path) return fail(path);
  return std::make_unique<Repository>(std::move(*client), std::move(*options), std::move(*path),
                                      services);
}

}  // namespace

HostKind kind() {
  return {"github", "GitHub repositories: Pages, or one that another system deploys", settings(),
          open};
}

}  // namespace stsctl::providers::github
