#include "serve/target.h"

#include <algorithm>

#include "base/text.h"

namespace stsctl::serve {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}

// The value of a hexadecimal digit; -1 for another character.
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Takes one character off the front of a path: an encoded unreserved one counts as itself.
char next_character(std::string_view& path) {
  if (path.size() >= 3 && path[0] == '%') {
    const int high = hex_value(path[1]);
    const int low = hex_value(path[2]);
    const char decoded = high < 0 || low < 0 ? '\0' : static_cast<char>(high * 16 + low);
    if (is_unreserved(decoded)) {
      path.remove_prefix(3);
      return decoded;
    }
  }
  const char c = path.front();
  path.remove_prefix(1);
  return c;
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, is_digit);
}

// "[::1]" of "[::1]:443"; empty when the bracket does not close.
std::string_view bracketed(std::string_view authority) {
  const std::size_t end = authority.find(']');
  return end == std::string_view::npos ? std::string_view() : authority.substr(0, end + 1);
}

bool is_host_character(char c) {
  return is_unreserved(c) && c != '~';
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  Target result;
  if (!target.starts_with('/')) {
    const std::size_t colon = target.find("://");
    const std::string scheme = lower(target.substr(0, std::min(colon, target.size())));
    if (scheme != "http" && scheme != "https") return std::nullopt;
    target.remove_prefix(colon + 3);
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    result.authority = target.substr(0, end);
    target.remove_prefix(end);
  }
  result.path = target.substr(0, target.find('?'));
  if (result.path.empty()) result.path = "/";
  return result;
}

std::optional<std::string> parse_host(std::string_view authority) {
  std::string_view host = authority.substr(0, authority.find(':'));
  if (authority.starts_with('[')) {
    host = bracketed(authority);
    if (host.size() < 4) return std::nullopt;
  } else if (host.empty() || !std::ranges::all_of(host, is_host_character)) {
    return std::nullopt;
  }
  const std::string_view rest = authority.substr(host.size());
  if (!rest.empty() && !(rest.front() == ':' && is_port(rest.substr(1)))) return std::nullopt;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return std::nullopt;
  return lower(host);
}

bool is_path(std::string_view path, std::string_view wanted) {
  for (const char c : wanted)
    if (path.empty() || next_character(path) != c) return false;
  return path.empty();
}

}  // namespace stsctl::serve
