#pragma once
// What a service says about its own limits, and how many requests a client allows itself. Pure:
// time is an argument, nothing waits here.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/http.h"

namespace stsctl::io {

using Instant = std::chrono::steady_clock::time_point;

/// The wait that `Retry-After` asks for (RFC 9110 §10.2.3: seconds or a date); none when it is not
/// there, not readable, or the status is none of 403 (GitHub's secondary limits), 429 and 503: some
/// services send it with every answer.
std::optional<Duration> retry_after(const Reply& reply, Time now);

/// How many more requests a service grants until the window of one of its policies ends.
struct Allowance {
  std::string policy;  ///< Its name; "" where the service names none.
  std::int64_t remaining = 0;
  Duration reset{0};  ///< From now.
  bool operator==(const Allowance&) const = default;
};

/// Reads `RateLimit: "default";r=50;t=30` (draft-ietf-httpapi-ratelimit-headers; one for each
/// policy, at most eight), its older form `limit=…, remaining=50, reset=30`, and the pairs
/// RateLimit-Remaining/-Reset and X-RateLimit-Remaining/-Reset, where a reset too large to be a
/// wait is a Unix time.
std::vector<Allowance> allowances(const Reply& reply, Time now);

/// At most so many requests in any window of that length.
struct Rate {
  std::size_t requests = 1;
  std::chrono::milliseconds window{1000};
  bool operator==(const Rate&) const = default;
};

/// "5/s", "1200/5m", several with commas between: "1200/5m, 200/s"; "none" gives none.
/// Code::invalid for anything else.
Result<std::vector<Rate>> parse_rates(std::string_view text);

/// The least time from the first of so many requests to the last, at these rates.
Duration least_time(const std::vector<Rate>& rates, std::size_t requests);

/// When the next request of one account may start: the sliding windows of its rates, and what the
/// service said. A window is taken 4 % longer than stated, so that requests which travel for
/// different times are within the rate where they arrive too.
class Pace {
 public:
  explicit Pace(const std::vector<Rate>& rates);

  /// How long until a request may start; 0: now.
  std::chrono::nanoseconds wait(Instant now) const;
  /// The part of wait() that the service itself asks for: a pause, or nothing left.
  std::chrono::nanoseconds service_wait(Instant now) const;
  /// A request starts.
  void start(Instant now);
  /// A request has ended; with what its answer says.
  void end(Instant now, const std::vector<Allowance>& granted);
  /// Nothing starts for so long.
  void pause(Instant now, Duration length);

 private:
  struct Window {
    std::size_t requests;
    std::chrono::nanoseconds length;
    std::deque<Instant> starts;  ///< The latest, at most `requests`.
  };
  /// What the service said of one of its windows.
  struct Granted {
    std::string policy;
    std::int64_t remaining;  ///< The lowest figure seen: answers overtake each other.
    Instant reset;
  };
  void learn(Instant now, const Allowance& allowance);

  std::vector<Window> windows_;
  std::vector<Granted> granted_;
  Instant paused_until_{};
  std::int64_t running_ = 0;
};

}  // namespace stsctl::io
