#pragma once
// Who a client is when proxies stand in between. Pure: knows no connection.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::serve {

/// An IP address; IPv4 as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2).
using Address = std::array<std::uint8_t, 16>;

/// "192.0.2.1", "2001:db8::1", or either in brackets and with a port, as proxies write them.
std::optional<Address> parse_address(std::string_view text);
/// The shortest text; IPv4 without the mapping.
std::string format_address(const Address& address);

/// A range of addresses.
struct Network {
  Address address{};
  unsigned bits = 128;  ///< Leading bits that count, of the mapped form.
  bool contains(const Address& one) const;
};

/// "192.0.2.0/24", "2001:db8::/32" or a single address. Code::invalid else.
Result<Network> parse_network(const std::string& text);

/// The client's address: `peer`, unless that is a trusted proxy; then the last address in
/// `forwarded` (the X-Forwarded-For fields, joined by commas) that is none. What stands further
/// left was written by others and is not believed, nor is anything left of what is no address.
Address client_address(const Address& peer, std::string_view forwarded,
                       const std::vector<Network>& trusted);

}  // namespace stsctl::serve
