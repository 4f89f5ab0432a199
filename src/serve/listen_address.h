#pragma once
// What --listen takes. Pure: opens nothing.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace stsctl::serve {

/// Where to take connections.
struct ListenAddress {
  std::string host;        ///< An IP address; "": all of this machine, IPv6 and IPv4.
  std::uint16_t port = 0;  ///< 0: the system chooses one.
  int descriptor = -1;     ///< Instead of both: a listening socket that was handed to us.
};

/// "127.0.0.1:8080", "[::1]:443", ":443", or "fd:3" (systemd's first socket). Code::invalid else.
Result<ListenAddress> parse_listen_address(const std::string& text);

/// "127.0.0.1:8080", "[::]:443".
std::string to_string(const ListenAddress& address);

}  // namespace stsctl::serve
