#pragma once
// The network's Http, on libcurl.

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "io/http.h"

namespace stsctl::io {

/// What holds for every request unless the Request says otherwise.
struct HttpOptions {
  std::string user_agent = "stsctl";
  std::chrono::milliseconds connect_timeout{10'000};  ///< Until TCP and TLS stand.
  std::chrono::milliseconds silence_timeout{
      30'000};                                ///< Without a byte; longer with a longer timeout.
  std::chrono::milliseconds timeout{60'000};  ///< Until the whole answer is there.
  std::size_t answer_limit = std::size_t{16} << 20U;  ///< Bytes of a body, decompressed.
  std::size_t idle_connections = 256;                 ///< Kept open for the next request.
  /// Ends waiting within about 100 ms, with Code::cancelled. A request that is not repeatable and
  /// has begun runs to its end all the same: cut off, nobody would know whether it was done.
  std::stop_token stop = {};
};

/// HTTP/2 where the server offers it, else HTTP/1.1; compressed answers; TLS 1.2 or later with the
/// server's certificate always verified; proxies as the environment says (https_proxy, no_proxy),
/// never for plain http, which stays on this machine. Connections are kept and reused by whichever
/// thread comes next. A reused connection that turns out dead is replaced silently only for a
/// repeatable request.
std::unique_ptr<Http> real_http(HttpOptions options = {});

}  // namespace stsctl::io
