#include "providers/webdav/webdav.h"

#include <utility>

#include "base/digest.h"
#include "providers/account.h"
#include "providers/address.h"
#include "providers/webdav/host.h"

namespace stsctl::providers::webdav {

namespace {

ApiDefaults defaults() {
  return {.concurrency = 8, .timeout = Duration(30)};
}

std::vector<SettingSpec> settings(bool webdav) {
  std::vector<SettingSpec> own{
      {.name = "url",
       .type = SettingType::url,
       .description = "URL of a policy; {domain} stands for the mail domain.",
       .required = true},
      {.name = "user", .type = SettingType::text, .description = "User for Basic authentication."},
      {.name = "password", .type = SettingType::secret, .description = "The user's password."},
      {.name = "token",
       .type = SettingType::secret,
       .description = "Token for Bearer authentication, in place of user and password."},
  };
  if (webdav)
    own.push_back({.name = "replace",
                   .type = SettingType::choice,
                   .description = "How a policy takes its place: put (in one request) or move "
                                  "(uploaded beside, then moved over).",
                   .fallback = "put where the server is Apache's mod_dav, else move",
                   .choices = {"put", "move"}});
  own.push_back(address_setting());
  own.push_back(edge_delay_setting());
  std::vector<SettingSpec> all = with_api_settings(std::move(own), defaults());
  std::erase_if(all, [](const SettingSpec& spec) { return spec.name == "endpoint"; });
  return all;
}

Result<std::string> read_authorization(const Settings& settings, io::Log& log) {
  const bool basic = settings.has("user") || settings.has("password");
  if (basic && settings.has("token"))
    return fail(Code::invalid, "'token' cannot stand beside 'user' and 'password'",
                settings.where("token"));
  if (settings.has("token")) return "Bearer " + settings.text("token");
  if (!basic) return std::string();
  if (!settings.has("user") || !settings.has("password"))
    return fail(Code::invalid, "'user' and 'password' go together",
                settings.where(settings.has("user") ? "user" : "password"));
  if (settings.text("user").find(':') != std::string::npos)
    return fail(Code::invalid, "'user' cannot hold a colon (RFC 7617 §2)", settings.where("user"));
  const std::string pair = base64(settings.text("user") + ":" + settings.text("password"));
  log.hide(pair);
  return "Basic " + pair;
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services,
                                         bool webdav) {
  Result<Location> location = Location::read(settings);
  if (!location) return fail(location);
  Result<std::string> authorization = read_authorization(settings, services.log);
  if (!authorization) return fail(authorization);
  Result<plan::Address> address = read_address(settings);
  if (!address) return fail(address);
  Result<Api> api = open_api(settings, services, defaults());
  if (!api) return fail(api);
  Options options{.location = std::move(*location),
                  .replacing = webdav ? Replacing::ask : Replacing::put,
                  .make_collections = webdav,
                  .address = std::move(*address),
                  .edge_delay = Duration(settings.integer("edge_delay"))};
  if (settings.has("replace"))
    options.replacing = settings.text("replace") == "put" ? Replacing::put : Replacing::move;
  return std::make_unique<Host>(Client(std::move(*api), std::move(*authorization)),
                                std::move(options), services);
}

}  // namespace

HostKind kind() {
  return {"webdav", "A web server that takes policies by WebDAV", settings(true),
          [](const Settings& settings, const io::Services& services) {
            return open(settings, services, true);
          }};
}

HostKind put_kind() {
  return {"http-put", "A web server that takes policies by plain PUT and DELETE", settings(false),
          [](const Settings& settings, const io::Services& services) {
            return open(settings, services, false);
          }};
}

}  // namespace stsctl::providers::webdav
