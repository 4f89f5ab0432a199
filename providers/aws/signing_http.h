#pragma once
// Signs what is sent, as late as can be, so that no waiting makes a signature too old.

#include "io/clock.h"
#include "io/http.h"
#include "providers/aws/credentials.h"
#include "providers/aws/sigv4.h"

namespace stsctl::providers::aws {

/// Http over Http. A request whose session token has expired is signed anew, once, if the chain has
/// another. Errors are those of `next` and of the chain.
class SigningHttp : public io::Http {
 public:
  /// All outlive it.
  SigningHttp(io::Http& next, CredentialChain& chain, const io::Clock& clock, Scope scope);
  Result<io::Reply> send(const io::Request& request) override;

 private:
  Result<io::Reply> send_as(const io::Request& request, const Credentials& keys);

  io::Http& next_;
  CredentialChain& chain_;
  const io::Clock& clock_;
  Scope scope_;
};

/// Does `code`, as AWS's services write it, say that the session token has expired?
bool says_expired(std::string_view code);

}  // namespace stsctl::providers::aws
