#pragma once
// Whose turn it is to send the next request of an account, for all threads that use it. Knows no
// protocol.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "io/clock.h"
#include "io/http_limits.h"

namespace stsctl::io {

/// Requests start in the order they came, each as soon as every rate and what the service itself
/// asked for allow.
class Turns {
 public:
  /// A wait asked for by the service that is longer than `longest_wait` is not begun.
  Turns(Clock& clock, const std::vector<Rate>& rates, std::stop_token stop,
        std::chrono::milliseconds longest_wait = std::chrono::minutes(10));

  /// Returns when one request may start. Code::rate_limited for a wait that is not begun,
  /// Code::cancelled when stopped.
  Result<Done> wait();

  /// A request has ended; with what its answer says of the service's limits.
  void end(const std::vector<Allowance>& granted = {}, std::optional<Duration> pause = {});

 private:
  struct Waiter {
    std::condition_variable_any turn;
  };

  Result<Done> await_pace(std::unique_lock<std::mutex>& lock);

  Clock& clock_;
  std::stop_token stop_;
  std::chrono::nanoseconds longest_wait_;
  std::mutex guard_;
  Pace pace_;                  ///< Under guard_.
  std::deque<Waiter*> queue_;  ///< Under guard_; the first one watches the clock for all.
};

}  // namespace stsctl::io
