#pragma once
// What a sender that heeds DANE makes of a mail host (RFC 7672, RFC 6698). Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/probe.h"

namespace stsctl::engine {

/// A TLSA record (RFC 6698 §2.1).
struct Tlsa {
  std::uint8_t usage = 0;     ///< 2: DANE-TA, 3: DANE-EE; SMTP knows no other (RFC 7672 §3.1.3).
  std::uint8_t selector = 0;  ///< 0: the certificate, 1: its public key.
  std::uint8_t matching = 0;  ///< 0: as it is, 1: its SHA-256, 2: its SHA-512.
  std::string data;           ///< As bytes.
  bool operator==(const Tlsa&) const = default;
};

/// Reads "3 1 1 0a1b…", blanks in the data allowed; none for what is no TLSA record.
std::optional<Tlsa> parse_tlsa(std::string_view text);

/// What the TLSA records of a host say of the certificates it showed.
enum class Dane {
  unusable,  ///< None that SMTP knows: TLS is demanded, but nobody is authenticated (RFC 7672
             ///< §2.2).
  matches,   ///< At least one does: mail is delivered, whoever signed the certificate.
  differs,   ///< None does: mail is not delivered, whatever MTA-STS says (RFC 8461 §2).
};

/// `records` as DnsAnswer::values has them. DANE-EE (3) is held against the host's own certificate
/// alone; DANE-TA (2) against those above it, where the name must be the host's too.
Dane judge_tlsa(const std::vector<std::string>& records, const io::TlsFacts& tls);

}  // namespace stsctl::engine
