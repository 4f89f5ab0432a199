#include "serve/certificate.h"

#include <array>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/text.h"

namespace stsctl::serve {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio reader(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// OpenSSL's last reason; its queue is emptied.
std::string reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  ERR_clear_error();
  return text == nullptr ? "unknown reason" : text;
}

// A key with a passphrase is an error, never a question at the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

void free_chain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}

Result<Done> read_chain(const std::string& pem, Certificate& certificate) {
  const Bio bio = reader(pem);
  certificate.leaf = {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
  if (!certificate.leaf)
    return fail(Code::invalid, fmt::format("holds no certificate in PEM ({})", reason()));
  certificate.chain = {sk_X509_new_null(), free_chain};
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    sk_X509_push(certificate.chain.get(), next);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = reason();
  if (!at_end)
    return fail(Code::invalid, fmt::format("a certificate of its chain is broken ({})", why));
  return Done{};
}

Result<Done> read_key(const std::string& pem, Certificate& certificate) {
  const Bio bio = reader(pem);
  bool asked = false;
  certificate.key = {PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked),
                     EVP_PKEY_free};
  const std::string why = reason();
  if (asked) return fail(Code::invalid, "its key has a passphrase", {}, "store it without one");
  if (!certificate.key) return fail(Code::invalid, fmt::format("its key is no PEM key ({})", why));
  if (X509_check_private_key(certificate.leaf.get(), certificate.key.get()) == 1) return Done{};
  ERR_clear_error();
  return fail(Code::invalid, "its key is that of another certificate");
}

std::vector<std::string> dns_names(X509* leaf) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* bytes = ASN1_STRING_get0_data(name->d.dNSName);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
    const std::string text(reinterpret_cast<const char*>(bytes), size);
    if (text.find('\0') == std::string::npos) names.push_back(lower(text));
  }
  return names;
}

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return Time{};
  return Time{Duration{timegm(&parts)}};
}

// Would a handshake take it? OpenSSL checks keys and signatures by its security level.
Result<Done> check_strength(const Certificate& certificate) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  SSL_CTX_free);
  if (SSL_CTX_use_cert_and_key(context.get(), certificate.leaf.get(), certificate.key.get(),
                               certificate.chain.get(), 1) == 1)
    return Done{};
  return fail(Code::invalid, fmt::format("OpenSSL does not use it ({})", reason()));
}

}  // namespace

Result<Certificate> parse_certificate(const std::string& chain_pem, const std::string& key_pem) {
  Certificate certificate;
  if (const auto read = read_chain(chain_pem, certificate); !read) return fail(read);
  if (const auto read = read_key(key_pem, certificate); !read) return fail(read);
  if (const auto good = check_strength(certificate); !good) return fail(good);
  certificate.names = dns_names(certificate.leaf.get());
  if (certificate.names.empty()) return fail(Code::invalid, "it is for no DNS name");
  certificate.not_before = time_of(X509_get0_notBefore(certificate.leaf.get()));
  certificate.not_after = time_of(X509_get0_notAfter(certificate.leaf.get()));
  return certificate;
}

bool use(SSL* handshake, const Certificate& certificate) {
  const int used = SSL_use_cert_and_key(handshake, certificate.leaf.get(), certificate.key.get(),
                                        certificate.chain.get(), 1);
  ERR_clear_error();
  return used == 1;
}

}  // namespace stsctl::serve
