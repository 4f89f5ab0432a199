#include "providers/aws/poll.h"

#include <algorithm>

namespace stsctl::providers::aws {

namespace {

constexpr std::chrono::milliseconds first_delay{500};
constexpr std::chrono::milliseconds longest_delay{10'000};
// By then nearly every change is served: asked for once.
constexpr std::chrono::milliseconds good_time{60'000};
constexpr std::size_t most_changes = 300;

}  // namespace

std::chrono::milliseconds poll_delay(std::size_t asked, std::size_t waiting,
                                     const std::vector<io::Rate>& rates) {
  std::chrono::milliseconds delay = first_delay;
  for (std::size_t i = 1; i < asked && delay < longest_delay; ++i)
    delay *= 2;
  delay = std::min(delay, longest_delay);
  for (const io::Rate& rate : rates) {
    // Twice the time that the rate takes to let all of them ask once.
    const auto share = 2 * rate.window * static_cast<std::chrono::milliseconds::rep>(waiting) /
                       static_cast<std::chrono::milliseconds::rep>(rate.requests);
    delay = std::max(delay, share);
  }
  return delay;
}

std::size_t most_waiting(const std::vector<io::Rate>& rates) {
  std::size_t waiting = most_changes;
  while (waiting > 1 && poll_delay(1, waiting, rates) > good_time)
    --waiting;
  return waiting;
}

std::size_t polls_until(std::chrono::seconds served, std::size_t waiting,
                        const std::vector<io::Rate>& rates) {
  std::chrono::milliseconds passed{0};
  std::size_t polls = 0;
  while (passed < served)
    passed += poll_delay(++polls, waiting, rates);
  return polls;
}

}  // namespace stsctl::providers::aws
