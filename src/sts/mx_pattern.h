#pragma once
// The "mx" patterns of a policy and how a host matches one (RFC 8461 §3.2, §4.1).

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/name.h"

namespace stsctl::sts {

/// One allowed MX: a host name, or "*." and a host name, where "*" is exactly one label.
struct MxPattern {
  bool wildcard = false;
  dns::Name host;
  auto operator<=>(const MxPattern&) const = default;
  bool operator==(const MxPattern&) const = default;
};

/// Reads "mail.example.com" or "*.example.com", any case. U-labels are turned into A-labels unless
/// `strict`, which reads exactly what RFC 8461 §3.2 allows in a policy: no U-labels, no final dot,
/// no address literal, no '*' elsewhere, only letters, digits and '-' in labels (RFC 5321 Domain).
Result<MxPattern> parse_mx_pattern(std::string_view text, bool strict = false);
std::string format_mx_pattern(const MxPattern& pattern);
/// RFC 8461 §4.1: case-insensitive; "*" stands for one whole left-most label, never for none or
/// two.
bool matches(const MxPattern& pattern, const dns::Name& mx_host);
/// Does `wide` match every host that `narrow` does?
bool covers(const MxPattern& wide, const MxPattern& narrow);

}  // namespace stsctl::sts
