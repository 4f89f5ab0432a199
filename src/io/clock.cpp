#include "io/clock.h"

#include <condition_variable>
#include <mutex>

namespace stsctl::io {

namespace {

class RealClock : public Clock {
 public:
  Time now() const override {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }

  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }

  void sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, duration, [] { return false; });
  }
};

}  // namespace

std::unique_ptr<Clock> real_clock() {
  return std::make_unique<RealClock>();
}

}  // namespace stsctl::io
