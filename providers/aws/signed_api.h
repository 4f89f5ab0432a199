#pragma once
// What the clients of every AWS service have in common: who asks, and an account whose requests are
// signed. Knows no service.

#include <memory>
#include <string>
#include <vector>

#include "io/services.h"
#include "providers/account.h"
#include "providers/aws/credentials.h"
#include "providers/aws/signing_http.h"

namespace stsctl::providers::aws {

/// The settings `profile`, `region` and `role_arn`; `region_meaning` tells what the region is for.
std::vector<SettingSpec> identity_settings(const std::string& region_meaning);
/// Who asks, as those settings say.
Identity read_identity(const Settings& settings);

/// One account at one service, ready for requests from any thread.
class SignedApi {
 public:
  /// Requests are signed for `scope`. Errors are those of open_api().
  static Result<std::unique_ptr<SignedApi>> open(const Settings& settings,
                                                 const io::Services& services, Scope scope,
                                                 ApiDefaults defaults);
  /// Another service, asked with the same credentials, which are found once for both.
  Result<std::unique_ptr<SignedApi>> open_beside(const Settings& settings,
                                                 const io::Services& services, Scope scope,
                                                 ApiDefaults defaults) const;

  const Api& api() const { return api_; }
  /// Signed below pace, retry and trace: each try is signed when it is sent, and no trace shows
  /// how.
  Result<io::Reply> send(const io::Request& request) const { return api_.http->send(request); }

 private:
  using Chain = std::shared_ptr<CredentialChain>;
  SignedApi(const io::Services& services, Chain chain, Scope scope);
  static Result<std::unique_ptr<SignedApi>> make(const Settings& settings,
                                                 const io::Services& services, Chain chain,
                                                 Scope scope, ApiDefaults defaults);

  Chain chain_;
  SigningHttp signing_;
  Api api_;
};

}  // namespace stsctl::providers::aws
