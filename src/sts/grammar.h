#pragma once
// What the grammars of RFC 8461 §3.1, §3.2 and RFC 8460 §3 have in common.

#include <string>
#include <string_view>

namespace stsctl::sts {

/// ALPHA / DIGIT (RFC 5234 appendix B.1).
constexpr bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// WSP: space or tab (RFC 5234 appendix B.1).
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);

/// sts-ext-name, sts-policy-ext-name, tlsrpt-ext-name: 1 to 32 of letters, digits, '_', '-', '.',
/// the first a letter or digit.
bool is_field_name(std::string_view name);

/// Text from outside, quoted, fit for a terminal and short enough for one line.
std::string quoted(std::string_view text);

}  // namespace stsctl::sts
