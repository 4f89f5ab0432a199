#include "dns/record_set.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/sorted.h"
#include "base/text.h"

namespace stsctl::dns {

namespace {

constexpr std::array<std::pair<Type, const char*>, 6> type_names{{{Type::a, "A"},
                                                                  {Type::aaaa, "AAAA"},
                                                                  {Type::cname, "CNAME"},
                                                                  {Type::txt, "TXT"},
                                                                  {Type::mx, "MX"},
                                                                  {Type::locked, "locked"}}};

Result<std::string> canonical_address(int family, const std::string& text) {
  std::array<unsigned char, 16> binary{};
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const bool whole = text.find('\0') == std::string::npos;  // inet_pton() would stop there
  if (!whole || inet_pton(family, text.c_str(), binary.data()) != 1)
    return fail(Code::invalid, fmt::format("'{}' is no {} address", printable(text),
                                           family == AF_INET ? "IPv4" : "IPv6"));
  return std::string(inet_ntop(family, binary.data(), buffer.data(), buffer.size()));
}

Result<std::string> canonical_mx(const std::string& text) {
  const std::string_view all = trim(text);
  const std::size_t blank = all.find_first_of(" \t");
  unsigned preference = 0;
  const char* const end = all.data() + std::min(blank, all.size());
  const auto parsed = std::from_chars(all.data(), end, preference);
  if (blank == std::string_view::npos || parsed.ec != std::errc{} || parsed.ptr != end ||
      preference > 65535)
    return fail(Code::invalid, fmt::format("'{}' is no MX record", printable(text)));
  const std::string_view host = trim(all.substr(blank));
  if (host == ".") return fmt::format("{} .", preference);  // null MX (RFC 7505)
  const Result<Name> name = Name::parse(host);
  if (!name) return fail(name);
  return fmt::format("{} {}", preference, name->text());
}

Result<std::string> canonical(Type type, const std::string& value) {
  switch (type) {
    case Type::a:
      return canonical_address(AF_INET, value);
    case Type::aaaa:
      return canonical_address(AF_INET6, value);
    case Type::mx:
      return canonical_mx(value);
    case Type::cname: {
      const Result<Name> target = Name::parse(value);
      if (!target) return fail(target);
      return target->text();
    }
    case Type::txt:
    case Type::other:
    case Type::locked:
      return value;
  }
  return value;
}

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (byte < 0x20 || byte > 0x7E) {
    out += fmt::format("\\{:03}", byte);
  } else {
    out += c;
  }
}

// Reads the escape after a backslash at text[at]; moves `at` past it.
Result<char> read_escape(std::string_view text, std::size_t& at) {
  const auto digit = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -1;
  };
  if (at >= text.size()) return fail(Code::invalid, "TXT content ends after a backslash");
  if (digit(at) < 0) return text[at++];
  if (digit(at + 1) < 0 || digit(at + 2) < 0)
    return fail(Code::invalid, "TXT content has a \\ that three digits do not follow");
  const int byte = digit(at) * 100 + digit(at + 1) * 10 + digit(at + 2);
  if (byte > 255) return fail(Code::invalid, "TXT content has an escape past \\255");
  at += 3;
  return static_cast<char>(byte);
}

// Reads one character-string at text[at], quoted or bare, and appends it to `out`.
Result<Done> read_string(std::string_view text, std::size_t& at, std::string& out) {
  const bool quoted = text[at] == '"';
  if (quoted) ++at;
  while (at < text.size()) {
    const char c = text[at];
    if (quoted ? c == '"' : (c == ' ' || c == '\t' || c == '"')) break;
    ++at;
    if (c == '\\') {
      const Result<char> escaped = read_escape(text, at);
      if (!escaped) return fail(escaped);
      out += *escaped;
    } else {
      out += c;
    }
  }
  if (!quoted) return Done{};
  if (at >= text.size()) return fail(Code::invalid, "TXT content has an open quote");
  ++at;
  return Done{};
}

}  // namespace

const char* to_string(Type type) {
  for (const auto& [known, name] : type_names)
    if (known == type) return name;
  return "other";
}

Type parse_type(std::string_view text) {
  const std::string wanted = lower(text);
  for (const auto& [known, name] : type_names)
    if (lower(name) == wanted) return known;
  return Type::other;
}

Result<RecordSet> make_record_set(Name owner, Type type, std::chrono::seconds ttl,
                                  std::vector<std::string> values) {
  for (std::string& value : values) {
    Result<std::string> text = canonical(type, value);
    if (!text) return fail_at(text, owner.text() + " " + to_string(type));
    value = std::move(*text);
  }
  sort_unique(values);
  return RecordSet{std::move(owner), type, ttl, std::move(values)};
}

RecordSet unreadable_set(Name owner, std::string_view type) {
  return {std::move(owner),
          Type::locked,
          std::chrono::seconds{0},
          {printable(type) + " records that cannot be read"}};
}

std::vector<std::string> txt_strings(std::string_view value) {
  constexpr std::size_t longest = 255;  // RFC 1035 §3.3
  std::vector<std::string> strings;
  do {
    strings.emplace_back(value.substr(0, longest));
    value.remove_prefix(strings.back().size());
  } while (!value.empty());
  return strings;
}

std::string encode_txt(std::string_view value) {
  std::string out;
  for (const std::string& string : txt_strings(value)) {
    if (!out.empty()) out += ' ';
    out += '"';
    for (const char c : string)
      append_escaped(out, c);
    out += '"';
  }
  return out;
}

Result<std::string> decode_txt(std::string_view text, bool bare_is_whole) {
  if (bare_is_whole && !text.starts_with('"')) return std::string(text);
  std::string out;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t'))
      ++at;
    if (at >= text.size()) return out;
    const Result<Done> read = read_string(text, at, out);
    if (!read) return fail(read);
  }
}

}  // namespace stsctl::dns
