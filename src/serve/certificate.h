#pragma once
// A certificate, its chain and its key, from PEM text. Knows no file and no connection.

#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "base/result.h"
#include "base/time.h"

namespace stsctl::serve {

/// Ready to be used in any number of handshakes; copies share the keys.
struct Certificate {
  std::vector<std::string> names;  ///< The DNS names in it, lower case (RFC 6125: no common name).
  Time not_before{};
  Time not_after{};
  std::shared_ptr<X509> leaf;
  std::shared_ptr<STACK_OF(X509)> chain;  ///< What is sent after the leaf.
  std::shared_ptr<EVP_PKEY> key;
};

/// Reads the server's certificate, followed by those of its chain, and its private key.
/// Code::invalid, saying which part and why: not PEM, a key with a passphrase or of another
/// certificate, no DNS name, too weak for OpenSSL's security level.
Result<Certificate> parse_certificate(const std::string& chain_pem, const std::string& key_pem);

/// Makes a handshake use it; false when OpenSSL refuses.
bool use(SSL* handshake, const Certificate& certificate);

}  // namespace stsctl::serve
