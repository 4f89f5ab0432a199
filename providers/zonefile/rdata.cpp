#include "providers/zonefile/rdata.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::zonefile {

namespace {

// The types that are looked at: what stsctl manages, the SOA, what hands names to others, and what
// makes a zone signed.
constexpr std::pair<std::uint32_t, const char*> known_types[] = {
    {1, "A"},       {2, "NS"},     {5, "CNAME"},       {6, "SOA"},    {15, "MX"},
    {16, "TXT"},    {28, "AAAA"},  {39, "DNAME"},      {46, "RRSIG"}, {47, "NSEC"},
    {48, "DNSKEY"}, {50, "NSEC3"}, {51, "NSEC3PARAM"}, {63, "ZONEMD"}};

std::unexpected<Error> malformed() {
  return fail(Code::invalid, "the data after \\# is malformed (RFC 3597)");
}

bool is_generic(std::string_view text, const Record& record) {
  return !record.data.empty() && piece(text, record.data.front()) == "\\#";
}

// The bytes of "\# LENGTH HEX…" (RFC 3597 §5).
Result<std::string> generic_bytes(std::string_view text, const Record& record) {
  if (record.data.size() < 2) return malformed();
  const auto length = parse_number(piece(text, record.data[1]));
  std::string digits;
  for (std::size_t i = 2; i < record.data.size(); ++i)
    digits += piece(text, record.data[i]);
  if (!length || *length > UINT16_MAX || digits.size() != 2 * std::size_t{*length})
    return malformed();
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned byte = 0;
    const char* const end = digits.data() + i + 2;
    const auto parsed = std::from_chars(digits.data() + i, end, byte, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return malformed();
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

// Cuts a length byte and what it counts off the front; none at the end or when it is cut short.
std::optional<std::string_view> take_string(std::string_view& bytes) {
  if (bytes.empty()) return std::nullopt;
  const std::size_t length = static_cast<unsigned char>(bytes.front());
  if (bytes.size() <= length) return std::nullopt;
  const std::string_view taken = bytes.substr(1, length);
  bytes.remove_prefix(length + 1);
  return taken;
}

Result<std::string> address_value(std::string_view bytes, int family) {
  if (bytes.size() != (family == AF_INET ? 4U : 16U)) return malformed();
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  return std::string(inet_ntop(family, bytes.data(), buffer.data(), buffer.size()));
}

Result<std::string> txt_value(std::string_view bytes) {
  std::string value;
  if (bytes.empty()) return malformed();
  while (!bytes.empty()) {
    const auto string = take_string(bytes);
    if (!string) return malformed();
    value += *string;
  }
  return value;
}

// A name without compression (RFC 3597 §4), as absolute_name() writes it; "." is the root.
Result<std::string> name_value(std::string_view bytes) {
  std::string name;
  while (true) {
    const auto label = take_string(bytes);
    if (!label || label->size() > 63) return malformed();
    if (label->empty()) break;
    if (!name.empty()) name += '.';
    for (const char c : *label) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte <= ' ' || byte > '~' || std::string_view(".\\\"();@$").find(c) != std::string::npos)
        name += fmt::format("\\{:03}", byte);
      else
        name += c;
    }
  }
  if (!bytes.empty()) return malformed();
  return name.empty() ? "." : lower(name);
}

Result<std::string> generic_value(std::string_view text, const Record& record, dns::Type type) {
  const Result<std::string> bytes = generic_bytes(text, record);
  if (!bytes) return bytes;
  switch (type) {
    case dns::Type::a:
      return address_value(*bytes, AF_INET);
    case dns::Type::aaaa:
      return address_value(*bytes, AF_INET6);
    case dns::Type::cname:
      return name_value(*bytes);
    case dns::Type::txt:
      return txt_value(*bytes);
    case dns::Type::mx: {
      if (bytes->size() < 3) return malformed();
      const auto host = name_value(std::string_view(*bytes).substr(2));
      if (!host) return host;
      return fmt::format(
          "{} {}",
          static_cast<unsigned char>((*bytes)[0]) * 256 + static_cast<unsigned char>((*bytes)[1]),
          *host);
    }
    case dns::Type::other:
    case dns::Type::locked:
      return std::string{};
  }
  return std::string{};
}

}  // namespace

std::string canonical_type(std::string_view word) {
  std::string type(word);
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  if (!type.starts_with("TYPE")) return type;
  const auto number = parse_number(std::string_view(type).substr(4));
  for (const auto& [known, name] : known_types)
    if (number == known) return name;
  return type;
}

Result<std::string> read_value(std::string_view text, const Record& record, dns::Type type) {
  if (is_generic(text, record)) return generic_value(text, record, type);
  std::string value;
  for (const Span& span : record.data) {
    const std::string_view token = piece(text, span);
    if (type == dns::Type::txt) {
      const Result<std::string> decoded = dns::decode_txt(token);
      if (!decoded) return fail(decoded);
      value += *decoded;
    } else {
      const bool is_name = type == dns::Type::cname || (type == dns::Type::mx && !value.empty());
      value += value.empty() ? "" : " ";
      value += is_name && token != "." ? absolute_name(token, record.origin) : std::string(token);
    }
  }
  return value;
}

dns::Type managed_type(std::string_view text, const Record& record) {
  const dns::Type type = dns::parse_type(record.type);
  if (type != dns::Type::cname) return type;
  const Result<std::string> target = read_value(text, record, type);
  if (!target) return type;  // malformed, which reading its value reports
  const Result<dns::Name> name = dns::Name::parse(*target);
  // Raw bytes are what they are to a server; Name would take them for a U-label.
  return name && name->text() == *target ? type : dns::Type::locked;
}

Result<std::uint32_t> soa_minimum(std::string_view text, const Record& record) {
  if (is_generic(text, record)) {
    const Result<std::string> bytes = generic_bytes(text, record);
    if (!bytes) return fail(bytes);
    if (bytes->size() < 22) return malformed();  // two roots and five numbers
    std::uint32_t minimum = 0;
    for (const char c : bytes->substr(bytes->size() - 4))
      minimum = minimum << 8U | static_cast<unsigned char>(c);
    return minimum > INT32_MAX ? 0 : minimum;
  }
  const auto minimum =
      record.data.size() == 7 ? parse_ttl(piece(text, record.data[6])) : std::nullopt;
  if (!minimum) return fail(Code::invalid, "the SOA record has no seven fields");
  return *minimum;
}

}  // namespace stsctl::providers::zonefile
