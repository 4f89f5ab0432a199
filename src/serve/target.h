#pragma once
// What a request line and a Host field name: whose policy, and which path (RFC 9112 §3.2). Pure:
// knows no connection.

#include <optional>
#include <string>
#include <string_view>

namespace stsctl::serve {

/// A request target taken apart.
struct Target {
  std::optional<std::string_view> authority;  ///< Of an absolute-form target, which outranks Host.
  std::string_view path;                      ///< Still percent-encoded, without the query.
};

/// Reads origin-form ("/a?b") and absolute-form ("http://host/a"); none for anything else, such as
/// "*" and "host:443".
std::optional<Target> parse_target(std::string_view target);

/// The host of "host", "host:port" or "[address]:port" in lower case and without a final dot; none
/// when it is not of that form (RFC 9110 §7.2).
std::optional<std::string> parse_host(std::string_view authority);

/// Is `path` the plain path `wanted`? Percent-encoded letters, digits and "-._~" count as
/// themselves (RFC 3986 §6.2.2.2), nothing else does: no dot segment, doubled or encoded slash is
/// undone.
bool is_path(std::string_view path, std::string_view wanted);

}  // namespace stsctl::serve
