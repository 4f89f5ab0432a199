#pragma once
// What one client may take from the server.

#include <chrono>
#include <cstddef>

namespace stsctl::serve {

/// What a client may take. Each time is a deadline for the whole of it: bytes that trickle in do
/// not extend it.
struct Limits {
  /// Open at once, of one listener; each thread has its share, rounded up.
  std::size_t connections = 1024;
  std::size_t header_bytes = 8192;
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds header{10'000};  ///< From its first byte to the last.
  std::chrono::milliseconds idle{60'000};    ///< Between two requests.
  std::chrono::milliseconds write{10'000};
  std::chrono::milliseconds grace{10'000};  ///< For what is under way when the server stops.
};

}  // namespace stsctl::serve
