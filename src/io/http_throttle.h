#pragma once
// Keeps an account within its rate, for all threads that use it. Knows no API.

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "io/clock.h"
#include "io/http.h"
#include "io/http_limits.h"
#include "io/turns.h"

namespace stsctl::io {

/// Http over Http. Requests start in the order they came, each as soon as every rate and the
/// service's own signals (Retry-After with 429, RateLimit fields) allow.
class Throttle : public Http {
 public:
  /// How long an answer asks everybody to wait; none: it does not.
  using AskedPause = std::function<std::optional<Duration>(const Reply&, Time now)>;

  /// A wait asked for by the service that is longer than `longest_wait` is not begun: the request
  /// is not sent, Code::rate_limited. Without `asked` only Retry-After with 429 pauses.
  Throttle(Http& next, Clock& clock, const std::vector<Rate>& rates, std::stop_token stop,
           std::chrono::milliseconds longest_wait = std::chrono::minutes(10),
           AskedPause asked = {});
  Result<Reply> send(const Request& request) override;

 private:
  Http& next_;
  Clock& clock_;
  AskedPause asked_;
  Turns turns_;
};

}  // namespace stsctl::io
