#include "io/turns.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace stsctl::io {

namespace {

// What the service says may change while one waits.
constexpr std::chrono::milliseconds longest_nap{200};

}  // namespace

Turns::Turns(Clock& clock, const std::vector<Rate>& rates, std::stop_token stop,
             std::chrono::milliseconds longest_wait)
    : clock_(clock), stop_(std::move(stop)), longest_wait_(longest_wait), pace_(rates) {}

void Turns::end(const std::vector<Allowance>& granted, std::optional<Duration> pause) {
  const std::lock_guard lock(guard_);
  pace_.end(clock_.steady(), granted);
  if (pause) pace_.pause(clock_.steady(), *pause);
}

Result<Done> Turns::wait() {
  std::unique_lock lock(guard_);
  Waiter self;
  queue_.push_back(&self);
  self.turn.wait(lock, stop_, [&] { return queue_.front() == &self; });
  const Result<Done> turn = await_pace(lock);
  if (turn) pace_.start(clock_.steady());
  std::erase(queue_, &self);
  if (!queue_.empty()) queue_.front()->turn.notify_one();
  return turn;
}

Result<Done> Turns::await_pace(std::unique_lock<std::mutex>& lock) {
  while (!stop_.stop_requested()) {
    const Instant now = clock_.steady();
    const std::chrono::nanoseconds wait = pace_.wait(now);
    if (wait.count() <= 0) return Done{};
    const std::chrono::nanoseconds asked = pace_.service_wait(now);
    if (asked > longest_wait_)
      return fail(Code::rate_limited,
                  fmt::format("the service asks for a wait of {}",
                              describe_duration(std::chrono::ceil<Duration>(asked))),
                  {}, "try again then, or with fewer domains");
    lock.unlock();
    clock_.sleep(std::min(std::chrono::ceil<std::chrono::milliseconds>(wait), longest_nap), stop_);
    lock.lock();
  }
  return fail(Code::cancelled, "stopped");
}

}  // namespace stsctl::io
