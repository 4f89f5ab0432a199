#include "io/ca_store.h"

#include <array>
#include <cstdlib>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

namespace stsctl::io {

namespace {

// Where Debian, Fedora, SUSE and Alpine keep their bundle.
constexpr std::array bundles{"/etc/ssl/certs/ca-certificates.crt",
                             "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                             "/etc/ssl/cert.pem"};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

CaStore empty_store() {
  CaStore store(X509_STORE_new(), X509_STORE_free);
  // As libcurl sets them: an intermediate CA in the file is trusted by itself.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

bool load(const CaStore& store, const std::string& file) {
  const bool loaded = X509_STORE_load_file(store.get(), file.c_str()) == 1;
  ERR_clear_error();
  return loaded;
}

Result<CaStore> load_system() {
  CaStore store = empty_store();
  const std::string file = environment("SSL_CERT_FILE");
  const std::string folder = environment("SSL_CERT_DIR");
  if (!file.empty() && !load(store, file))
    return fail(Code::invalid, "holds no readable CA certificate", file,
                "SSL_CERT_FILE must name a PEM file");
  if (!folder.empty()) X509_STORE_load_path(store.get(), folder.c_str());
  if (!file.empty() || !folder.empty()) return store;
  for (const char* bundle : bundles)
    if (access(bundle, R_OK) == 0 && load(store, bundle)) return store;
  return fail(Code::invalid, "this machine has no CA certificates", {},
              "install ca-certificates, or set SSL_CERT_FILE or ca_file");
}

Result<CaStore> load_file(const std::string& file) {
  CaStore store = empty_store();
  if (access(file.c_str(), R_OK) != 0)
    return fail(Code::invalid, "cannot be read", file, "ca_file must name a PEM file");
  if (!load(store, file))
    return fail(Code::invalid, "holds no CA certificate", file, "ca_file must name a PEM file");
  return store;
}

}  // namespace

Result<CaStore> CaStores::find(const std::string& ca_file) {
  // Held while loading, so that the first wave of connections loads it once.
  const std::lock_guard lock(guard_);
  const auto known = stores_.find(ca_file);
  if (known != stores_.end()) return known->second;
  return stores_.emplace(ca_file, ca_file.empty() ? load_system() : load_file(ca_file))
      .first->second;
}

}  // namespace stsctl::io
