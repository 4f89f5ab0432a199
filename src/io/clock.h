#pragma once
// The time of day and waiting. Knows no calendar.

#include <chrono>
#include <memory>
#include <stop_token>

#include "base/time.h"

namespace stsctl::io {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Now, UTC.
  virtual Time now() const = 0;
  /// A clock that never goes back, for deadlines and pacing.
  virtual std::chrono::steady_clock::time_point steady() const = 0;
  /// Returns after `duration`, or as soon as `stop` is requested.
  virtual void sleep(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

std::unique_ptr<Clock> real_clock();

}  // namespace stsctl::io
