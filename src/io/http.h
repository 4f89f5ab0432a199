#pragma once
// HTTP as one blocking call. Knows no API.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stsctl::io {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One request. `url` is absolute; plain http is accepted for loopback addresses only.
struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::chrono::milliseconds timeout{30000};  ///< For the whole exchange.
  std::size_t answer_limit = 32U << 20U;     ///< Bytes of body, inflated; more is Code::protocol.
  bool repeatable = false;  ///< Sending it twice is the same as once: a decorator may retry it.
};

/// One answer, whatever its status.
struct Reply {
  int status = 0;
  Headers headers;
  std::string body;

  /// The first header of that name, any case.
  std::optional<std::string> header(std::string_view name) const;
};

/// Sends one request and waits for its answer. Any HTTP status is a Reply; an Error means that none
/// arrived: Code::unreachable, timeout, protocol, unauthorized (certificate). Redirects are not
/// followed. Safe to call from many threads at once.
class Http {
 public:
  virtual ~Http() = default;
  virtual Result<Reply> send(const Request& request) = 0;
};

}  // namespace stsctl::io
