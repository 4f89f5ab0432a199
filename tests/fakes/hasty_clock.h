#pragma once
// The real clock for somebody in a hurry: a sleep takes no time, the steady clock just shows it.
// For tests of what waits and tries again at a real server. Any number of threads.

#include <atomic>

#include "io/clock.h"

namespace stsctl::fakes {

class HastyClock : public io::Clock {
 public:
  /// The real time of day: signatures are judged by it.
  Time now() const override { return real_->now(); }
  std::chrono::steady_clock::time_point steady() const override {
    return real_->steady() + std::chrono::milliseconds(slept_.load());
  }
  void sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    if (!stop.stop_requested()) slept_ += duration.count();
  }

  /// How long all sleeps would have taken.
  std::chrono::milliseconds slept() const { return std::chrono::milliseconds(slept_.load()); }

 private:
  std::unique_ptr<io::Clock> real_ = io::real_clock();
  std::atomic<std::chrono::milliseconds::rep> slept_{0};
};

}  // namespace stsctl::fakes
