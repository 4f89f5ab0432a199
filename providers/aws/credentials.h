#pragma once
// What proves to AWS who asks, kept fresh. Knows no service but those that hand out keys.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/services.h"

namespace stsctl::providers::aws {

/// One set of keys.
struct Credentials {
  std::string access_key;     ///< "AKIA…"; no secret by itself.
  std::string secret_key;     ///< Signs; is never sent.
  std::string session_token;  ///< Sent along with temporary keys; "" with lasting ones.
  std::optional<Time> expires = {};
  bool operator==(const Credentials&) const = default;
};

/// Keeps the secrets of one set out of the log, whoever repeats them.
void hide(const Credentials& credentials, io::Log& log);

/// What the configuration says; "" where it says nothing.
struct Identity {
  std::string profile;   ///< Then keys in the environment are not looked at.
  std::string region;    ///< Whose token service is asked, which partition is meant.
  std::string role_arn;  ///< To be taken on with the credentials found.
};

/// The region that is meant: the configured one, AWS_REGION, AWS_DEFAULT_REGION, the profile's;
/// "" if nobody says.
std::string find_region(const Identity& identity, const io::Services& services);

/// The credentials of one account, from the first of AWS's usual sources that has some (search.h).
/// Asked anew 15 minutes before they end; where that fails they are used to their end. Calls may
/// come from any thread. Every secret found is hidden in the log.
class CredentialChain {
 public:
  /// `services.http` is asked for roles and metadata; all outlive the chain.
  CredentialChain(const io::Services& services, Identity identity);

  /// Code::unauthorized when no source has any, saying of each why; the error of a source that was
  /// configured and failed. A failure holds for ten seconds, so that many requests do not each ask.
  Result<Credentials> get();

  /// For a service that answers that `refused` have expired: other ones, if there are any. The
  /// sources are asked at most once for all who were refused the same.
  Result<Credentials> get_instead_of(const Credentials& refused);

 private:
  Result<Credentials> ask();
  bool lasts(Duration duration) const;

  const io::Services services_;
  const Identity identity_;
  const std::unique_ptr<io::Http> http_;
  std::mutex mutex_;                 // over all below, and held while the sources are asked
  std::optional<Credentials> keys_;  // the last that were found
  std::optional<Error> failure_;     // of the last time the sources were asked
  bool answered_ = false;
  std::chrono::steady_clock::time_point asked_;
};

}  // namespace stsctl::providers::aws
