#pragma once
// Keeps an account within its rate, for all threads that use it. Knows no API.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "io/clock.h"
#include "io/http.h"
#include "io/http_limits.h"

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
  struct Waiter {
    std::condition_variable_any turn;
  };

  Result<Done> await_turn();
  Result<Done> await_pace(std::unique_lock<std::mutex>& lock);

  Http& next_;
  Clock& clock_;
  std::stop_token stop_;
  std::chrono::nanoseconds longest_wait_;
  AskedPause asked_;
  std::mutex guard_;
  Pace pace_;                  ///< Under guard_.
  std::deque<Waiter*> queue_;  ///< Under guard_; the first one watches the clock for all.
};

}  // namespace stsctl::io
