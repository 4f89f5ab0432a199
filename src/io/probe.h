#pragma once
// One look at a server as a mail sender takes it: what it shows of itself, trusted or not.
// Verification is never off: what a sender would refuse ends here too, but what was seen until then
// is kept.

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/http.h"

namespace stsctl::io {

/// One certificate as it came.
struct ShownCertificate {
  std::string der;  ///< All of it (X.509, DER).
  std::string key;  ///< Its SubjectPublicKeyInfo alone (DER).
  bool operator==(const ShownCertificate&) const = default;
};

/// What a TLS server showed.
struct TlsFacts {
  bool shown = false;              ///< A certificate came.
  std::string version;             ///< "TLSv1.3"; empty unless the handshake was completed.
  bool trusted = false;            ///< The chain leads to a trusted CA and holds now.
  std::string distrust;            ///< Why it is not: OpenSSL's words ("certificate has expired").
  bool named = false;              ///< The wanted name is among `names` (RFC 6125: DNS-IDs only).
  std::vector<std::string> names;  ///< The DNS names of the certificate.
  /// The server's own certificate and what it sent along, in its order; ten at most.
  std::vector<ShownCertificate> chain;
  Time not_before{};
  Time not_after{};
};

/// Where to connect, and what the server must call itself.
struct ProbeTarget {
  std::string host;     ///< For SNI and the certificate.
  std::string address;  ///< "192.0.2.1", "2001:db8::1": where to connect.
  std::uint16_t port = 443;
};

/// A policy fetch (RFC 8461 §3.3) from one address.
struct HttpsProbe {
  TlsFacts tls;
  Result<Reply> reply;  ///< Errors as Http::send.
};

/// A look at a mail server: greeting, EHLO, STARTTLS, handshake, EHLO, QUIT (RFC 3207).
struct SmtpProbe {
  bool reached = false;   ///< A TCP connection stood.
  bool greeted = false;   ///< It said 220 and answered EHLO.
  bool starttls = false;  ///< It offered STARTTLS.
  TlsFacts tls;
  /// Done if a sender that verifies would hand mail over. Code::unreachable, timeout, protocol (no
  /// SMTP, no TLS, an answer beside the protocol), unsupported (no STARTTLS), unauthorized (the
  /// certificate).
  Result<Done> verdict;
};

/// Calls may come from any thread, hundreds at once.
class Prober {
 public:
  virtual ~Prober() = default;

  /// GET https://HOST/.well-known/mta-sts.txt from one address: no redirect, no cache, at most
  /// 64 KiB (RFC 8461 §3.2, §3.3).
  virtual HttpsProbe fetch_policy(const ProbeTarget& target) = 0;
  virtual SmtpProbe look_at_mx(const ProbeTarget& target) = 0;
};

struct ProbeOptions {
  std::string ca_file;                        ///< "": the system's CAs.
  std::string helo = "stsctl.invalid";        ///< What EHLO says.
  std::chrono::milliseconds connect{10'000};  ///< Until TCP stands.
  std::chrono::milliseconds timeout{60'000};  ///< Until all is done (RFC 8461 §3.3).
  std::stop_token stop = {};
};

/// The network, by libcurl.
std::unique_ptr<Prober> real_prober(ProbeOptions options = {});

}  // namespace stsctl::io
