#pragma once
// The calls of Cloudflare's API, one function a call, for everything that lives in an account
// there. Knows no record set.

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/http.h"
#include "providers/account.h"
#include "providers/cloudflare/wire.h"

namespace stsctl::providers::cloudflare {

/// What every provider at Cloudflare is configured with: `token` or `email` and `key`, `account`,
/// and the settings of every API.
std::vector<SettingSpec> account_settings(std::vector<SettingSpec> own);

/// Who asks.
struct Credentials {
  std::string token;  ///< Or…
  std::string email;  ///< …this
  std::string key;    ///< with the global API key of that user.
};

/// Calls may come from any thread. Errors are those of wire.h's error_of() and of io::Http; `where`
/// names the call and the zone, none holds a secret. An Error that is Code::unauthorized says what
/// is missing: the permission and where, or that the token has expired.
class Client {
 public:
  Client(Api api, Credentials credentials, std::string account, const io::Services& services);

  std::size_t concurrency() const { return api_.concurrency; }
  const std::vector<io::Rate>& rates() const { return api_.rates; }
  /// Id of the account named in the settings; "": every account there is access to.
  const std::string& account() const { return account_; }

  /// Every zone of the account, or of all accounts if `everywhere`; pages side by side.
  Result<std::vector<Zone>> zones(bool everywhere = false) const;
  /// The zones of exactly this name.
  Result<std::vector<Zone>> zones_named(const dns::Name& name) const;
  /// The records of a zone that fit `filter` (name_filter()), or all.
  Result<std::vector<Record>> records(const Zone& zone, const std::string& filter) const;
  /// Changes records, all or none. After unreachable, timeout and protocol it may have happened.
  Result<Done> batch(const Zone& zone, const std::string& body) const;

  // Of the account, which must be named.

  /// The script of the Worker `name`; none: there is no such Worker. Code::refused when it has more
  /// modules than one.
  Result<std::optional<std::string>> script(const std::string& name) const;
  /// Makes `script` that of the Worker `name`, which need not exist, wholly or not at all. After
  /// unreachable, timeout and protocol it may have happened.
  Result<Done> upload(const std::string& name, const std::string& script) const;
  /// Every Custom Domain of every Worker.
  Result<std::vector<CustomDomain>> custom_domains() const;
  /// Has the Worker `service` answer at `hostname`. Code::conflict where it has records already.
  Result<Done> attach(const std::string& hostname, const std::string& service) const;
  /// Takes a Custom Domain away with its record and certificate; what does not exist is done.
  Result<Done> detach(const CustomDomain& domain) const;

 private:
  using Send = Result<std::string>;

  Result<io::Reply> exchange(io::Request request) const;
  Send checked(const Result<io::Reply>& reply) const;
  Send send(const char* method, const std::string& path, const std::string& body = {},
            bool repeatable = false) const;
  std::string workers_path(const std::string& rest) const;
  Result<Page<Zone>> zone_page(const std::string& filter, std::size_t page) const;
  Result<Page<Record>> record_page(const Zone& zone, const std::string& filter,
                                   std::size_t page) const;
  std::unexpected<Error> explain(Error error, const std::string& call,
                                 const std::string& permission) const;
  Error token_trouble() const;

  Api api_;
  Credentials credentials_;
  std::string account_;
  io::Log& log_;
  std::stop_token stop_;
  mutable std::mutex mutex_;
  mutable std::optional<Error> trouble_;  ///< What verifying the token found, asked once.
};

/// Code::invalid, with the place in the configuration, for what cannot be an account.
Result<std::unique_ptr<Client>> open_client(const Settings& settings, const io::Services& services);

}  // namespace stsctl::providers::cloudflare
