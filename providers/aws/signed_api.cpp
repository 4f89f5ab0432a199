#include "providers/aws/signed_api.h"

#include <utility>

namespace stsctl::providers::aws {

std::vector<SettingSpec> identity_settings(const std::string& region_meaning) {
  return {
      {.name = "profile",
       .type = SettingType::text,
       .description = "Profile of AWS's config and credentials files; keys in the environment "
                      "are then not looked at",
       .fallback = "what AWS's own tools would use"},
      {.name = "region",
       .type = SettingType::text,
       .description = region_meaning,
       .fallback = "AWS_REGION, or the profile's, or us-east-1"},
      {.name = "role_arn",
       .type = SettingType::text,
       .description = "Role to take on with the credentials found, in another account for "
                      "instance"},
  };
}

Identity read_identity(const Settings& settings) {
  return {.profile = settings.text("profile"),
          .region = settings.text("region"),
          .role_arn = settings.text("role_arn")};
}

SignedApi::SignedApi(const io::Services& services, Chain chain, Scope scope)
    : chain_(std::move(chain)),
      signing_(services.http, *chain_, services.clock, std::move(scope)) {}

Result<std::unique_ptr<SignedApi>> SignedApi::open(const Settings& settings,
                                                   const io::Services& services, Scope scope,
                                                   ApiDefaults defaults) {
  return make(settings, services,
              std::make_shared<CredentialChain>(services, read_identity(settings)),
              std::move(scope), std::move(defaults));
}

Result<std::unique_ptr<SignedApi>> SignedApi::open_beside(const Settings& settings,
                                                          const io::Services& services, Scope scope,
                                                          ApiDefaults defaults) const {
  return make(settings, services, chain_, std::move(scope), std::move(defaults));
}

Result<std::unique_ptr<SignedApi>> SignedApi::make(const Settings& settings,
                                                   const io::Services& services, Chain chain,
                                                   Scope scope, ApiDefaults defaults) {
  std::unique_ptr<SignedApi> made(new SignedApi(services, std::move(chain), std::move(scope)));
  const io::Services signing{.files = services.files,
                             .process = services.process,
                             .clock = services.clock,
                             .dns = services.dns,
                             .http = made->signing_,
                             .log = services.log,
                             .stop = services.stop,
                             .env = services.env};
  Result<Api> api = open_api(settings, signing, std::move(defaults));
  if (!api) return fail(api);
  made->api_ = std::move(*api);
  return made;
}

}  // namespace stsctl::providers::aws
