#pragma once
// A clock that leaps: a sleep takes no time, the clock just shows it. Any number of threads.

#include <mutex>

#include "io/clock.h"

namespace stsctl::fakes {

class FakeClock : public io::Clock {
 public:
  explicit FakeClock(Time start = Time(std::chrono::seconds(1'800'000'000))) : start_(start) {}

  Time now() const override {
    const std::lock_guard lock(guard_);
    return start_ + std::chrono::floor<std::chrono::seconds>(passed_);
  }

  std::chrono::steady_clock::time_point steady() const override {
    const std::lock_guard lock(guard_);
    return std::chrono::steady_clock::time_point(passed_);
  }

  /// Sleeps of several threads add up: for one sleeper at a time.
  void sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    if (stop.stop_requested()) return;
    advance(duration);
  }

  void advance(std::chrono::nanoseconds duration) {
    const std::lock_guard lock(guard_);
    passed_ += duration;
  }

  /// How long the clock has run.
  std::chrono::nanoseconds passed() const {
    const std::lock_guard lock(guard_);
    return passed_;
  }

 private:
  Time start_;
  mutable std::mutex guard_;
  std::chrono::nanoseconds passed_{0};
};

}  // namespace stsctl::fakes
