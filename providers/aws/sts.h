#pragma once
// The calls of the Security Token Service that take on a role.

#include <string>

#include "io/clock.h"
#include "io/http.h"
#include "providers/aws/credentials.h"

namespace stsctl::providers::aws {

/// A role to take on. Texts are sent as they stand; "" leaves one out.
struct Role {
  std::string arn;
  std::string session_name = {};  ///< Shows in the account's audit log; "stsctl" if empty.
  std::string external_id = {};
  std::string duration = {};  ///< Seconds; the service's own choice (an hour) if empty.
};

/// Where the service is and which region its requests are signed for.
struct StsPlace {
  std::string endpoint;
  std::string region;
};

/// Errors: Code::unauthorized with the service's own code when it refuses, those of io::Http, and
/// protocol for an answer that is none. None holds a key or the token.
class Sts {
 public:
  Sts(io::Http& http, const io::Clock& clock, StsPlace place);

  Result<Credentials> assume_role(const Role& role, const Credentials& source) const;
  /// `token`: the JSON Web Token of an identity provider that the role trusts.
  Result<Credentials> assume_role_with_web_identity(const Role& role,
                                                    const std::string& token) const;

 private:
  Result<Credentials> send(const io::Request& request, const char* action) const;
  io::Request request(const char* action, const Role& role) const;

  io::Http& http_;
  const io::Clock& clock_;
  StsPlace place_;
};

}  // namespace stsctl::providers::aws
