#pragma once
// Sends again what may be sent again. Knows no API and no rate.

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "base/time.h"
#include "io/clock.h"
#include "io/http.h"

namespace stsctl::io {

struct RetryOptions {
  int attempts = 5;  ///< Tries in all.
  /// The same where the service says "too many", which passes; 0: as `attempts`.
  int throttled_attempts = 0;
  std::chrono::milliseconds first_delay{500};  ///< Upper bound of the first wait; then doubled.
  std::chrono::milliseconds longest_delay{30'000};
  /// No wait ends later than this after the first answer: as long as a Throttle grants a service.
  std::chrono::milliseconds total{600'000};
  /// Says "too many requests" where an API does not use 429; may be empty.
  std::function<bool(const Reply&)> throttled = {};
  /// The wait after what `throttled` says, where neither Retry-After nor a used-up allowance tells.
  Duration throttled_wait{0};
};

/// How long all requests of the account must wait, by an answer that says "too many": 429, and what
/// `options.throttled` says; none where it does not say for how long.
std::optional<Duration> asked_pause(const RetryOptions& options, const Reply& reply, Time now);

/// One try that has ended.
struct Try {
  int number = 1;
  std::chrono::milliseconds elapsed{0};  ///< Since the first try ended.
  Time now;
};

/// How long to wait before the next try; none: this result stands. Tried again are, if repeatable:
/// unreachable, timeout, 502, 503, 504; in any case: 429 and what `throttled` says, since the
/// service turned those away undone. The wait is `chance` (0 to 1) of an upper bound that doubles
/// ("full jitter"), on top of Retry-After or asked_pause().
std::optional<std::chrono::milliseconds> next_delay(const RetryOptions& options,
                                                    const Request& request,
                                                    const Result<Reply>& result, const Try& last,
                                                    double chance);

/// Http over Http. When tries are used up the last result is returned as it is.
class Retry : public Http {
 public:
  /// `chance` gives numbers between 0 and 1 to any thread; by default random ones.
  Retry(Http& next, Clock& clock, RetryOptions options, std::stop_token stop,
        std::function<double()> chance = {});
  Result<Reply> send(const Request& request) override;

 private:
  Http& next_;
  Clock& clock_;
  RetryOptions options_;
  std::stop_token stop_;
  std::function<double()> chance_;
};

}  // namespace stsctl::io
