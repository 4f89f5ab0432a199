#include "serve/listen_address.h"

#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "serve/client_address.h"

namespace stsctl::serve {

namespace {

constexpr std::string_view descriptor_prefix = "fd:";

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end;
}

std::unexpected<Error> fault(const std::string& text) {
  return fail(Code::invalid, fmt::format("'{}' is nothing to listen on", printable(text)), {},
              "write ADDRESS:PORT, [IPV6]:PORT, :PORT for all addresses, or fd:3");
}

// Without the brackets that IPv6 needs here and IPv4 must not have.
bool read_host(std::string_view text, std::string& host) {
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  host = bracketed ? text.substr(1, text.size() - 2) : text;
  if (host.empty()) return !bracketed;
  return (host.find(':') != std::string::npos) == bracketed && parse_address(text).has_value();
}

}  // namespace

Result<ListenAddress> parse_listen_address(const std::string& text) {
  ListenAddress address;
  if (text.starts_with(descriptor_prefix)) {
    if (!read_number(std::string_view(text).substr(descriptor_prefix.size()), address.descriptor) ||
        address.descriptor < 3)
      return fault(text);
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return fault(text);
  if (!read_number(std::string_view(text).substr(colon + 1), address.port)) return fault(text);
  if (!read_host(std::string_view(text).substr(0, colon), address.host)) return fault(text);
  return address;
}

std::string to_string(const ListenAddress& address) {
  if (address.descriptor >= 0) return fmt::format("fd:{}", address.descriptor);
  const std::string host = address.host.empty() ? "::" : address.host;
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, address.port);
  return fmt::format("{}:{}", host, address.port);
}

}  // namespace stsctl::serve
