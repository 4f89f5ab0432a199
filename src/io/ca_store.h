#pragma once
// The certificates trusted, loaded once and shared by every connection. Knows no connection.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <openssl/x509.h>

#include "base/result.h"

namespace stsctl::io {

using CaStore = std::shared_ptr<X509_STORE>;

/// Stores by the file they were read from. Calls may come from any thread. Without this libcurl
/// reads the system's bundle anew for every connection, 22 ms of work each.
class CaStores {
 public:
  /// The CAs of the PEM file `ca_file`; "" gives the system's: the file SSL_CERT_FILE and the
  /// folder SSL_CERT_DIR name if either is set, else the bundle of the distribution. Code::invalid
  /// when the file cannot be read or holds no certificate; that is remembered too.
  Result<CaStore> find(const std::string& ca_file);

 private:
  std::mutex guard_;
  std::map<std::string, Result<CaStore>> stores_;
};

}  // namespace stsctl::io
