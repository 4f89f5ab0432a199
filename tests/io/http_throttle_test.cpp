#include "io/http_throttle.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_http.h"

namespace stsctl::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const Request request{.url = "https://api.example/x", .repeatable = true};

// Remembers what each thread was last told: when the throttle let its request go. The time of the
// request itself would be that of other threads' leaps.
class GrantClock : public fakes::FakeClock {
 public:
  std::chrono::steady_clock::time_point steady() const override {
    return last = FakeClock::steady();
  }
  static thread_local std::chrono::steady_clock::time_point last;
};
thread_local std::chrono::steady_clock::time_point GrantClock::last;

// When each request was let go.
class Grants {
 public:
  void note() {
    const std::lock_guard lock(guard_);
    times_.push_back(GrantClock::last.time_since_epoch());
  }

  std::vector<nanoseconds> times() const {
    const std::lock_guard lock(guard_);
    std::vector<nanoseconds> sorted = times_;
    std::ranges::sort(sorted);
    return sorted;
  }

  // The most that were let go in any window of that length.
  std::size_t most_in(nanoseconds window) const {
    const std::vector<nanoseconds> sorted = times();
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; last < sorted.size(); ++last) {
      while (sorted[last] - sorted[first] >= window)
        ++first;
      most = std::max(most, last - first + 1);
    }
    return most;
  }

 private:
  mutable std::mutex guard_;
  std::vector<nanoseconds> times_;
};

void send_all(Http& http, int threads, int each) {
  std::vector<std::jthread> workers;
  for (int i = 0; i < threads; ++i)
    workers.emplace_back([&] {
      for (int n = 0; n < each; ++n)
        EXPECT_TRUE(http.send(request));
    });
}

class ThrottleRates : public testing::TestWithParam<Rate> {};

TEST_P(ThrottleRates, AreNeverExceededAndNearlyReachedByManyThreads) {
  const Rate rate = GetParam();
  constexpr int threads = 16;
  const int each = static_cast<int>(std::max<std::size_t>(rate.requests * 10 / threads, 10));
  GrantClock clock;
  fakes::FakeHttp http;
  Grants grants;
  http.always([&](const Request&) -> Result<Reply> {
    grants.note();
    return Reply{.status = 200};
  });
  Throttle throttle(http, clock, {rate}, {});
  send_all(throttle, threads, each);
  const auto times = grants.times();
  ASSERT_EQ(times.size(), static_cast<std::size_t>(threads * each));
  EXPECT_LE(grants.most_in(rate.window), rate.requests);
  // Beyond the first window's worth the pace is the rate's.
  const double ideal = std::chrono::duration<double>(rate.window).count() *
                       static_cast<double>(times.size() - rate.requests) /
                       static_cast<double>(rate.requests);
  const double took = std::chrono::duration<double>(times.back() - times.front()).count();
  EXPECT_LE(took, ideal / 0.95) << "less than 95 % of the rate was used";
}

INSTANTIATE_TEST_SUITE_P(Rates, ThrottleRates,
                         testing::Values(Rate{1, milliseconds(100)}, Rate{5, seconds(1)},
                                         Rate{200, seconds(1)}, Rate{1200, seconds(300)}));

TEST(Throttle, UsesTheRateWhatItsCallersTake) {
  // The real clock: sleeps overshoot and threads hand over.
  const auto clock = real_clock();
  fakes::FakeHttp http;
  http.always([](const Request&) -> Result<Reply> { return Reply{.status = 200}; });
  Throttle throttle(http, *clock, {{50, milliseconds(100)}}, {});
  const auto begin = clock->steady();
  send_all(throttle, 8, 50);
  const double took = std::chrono::duration<double>(clock->steady() - begin).count();
  EXPECT_GE(took, 0.7) << "400 requests, 50 at once, then 500 a second";
  EXPECT_LE(took, 0.7 / 0.95 + 0.05);
}

TEST(Throttle, PausesEveryCallerAfter429) {
  GrantClock clock;
  fakes::FakeHttp http;
  Grants grants;
  std::atomic<int> count{0};
  http.always([&](const Request&) -> Result<Reply> {
    grants.note();
    if (++count == 5) return Reply{.status = 429, .headers = {{"Retry-After", "30"}}};
    return Reply{.status = 200};
  });
  Throttle throttle(http, clock, {}, {});
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(throttle.send(request));
  send_all(throttle, 8, 5);
  const auto times = grants.times();
  EXPECT_EQ(times[4].count(), 0);
  EXPECT_GE(times[5], seconds(30));
}

TEST(Throttle, PausesForWhatItIsToldToTakeForALimit) {
  fakes::FakeClock clock;
  fakes::FakeHttp http;
  http.then(403, "slow down");
  http.then(200);
  Throttle throttle(http, clock, {}, {}, seconds(600), [](const Reply& reply, Time) {
    return reply.status == 403 ? std::optional(Duration(60)) : std::nullopt;
  });
  ASSERT_TRUE(throttle.send(request));
  ASSERT_TRUE(throttle.send(request));
  EXPECT_GE(clock.passed(), seconds(60));
}

// A service that counts and turns away what is too much.
class StrictService {
 public:
  StrictService(fakes::FakeClock& clock, std::int64_t limit, nanoseconds window)
      : clock_(clock), limit_(limit), window_(window) {}

  Result<Reply> answer() {
    const nanoseconds now = clock_.passed();
    if (now >= begin_ + window_) {
      begin_ = now;
      left_ = limit_;
    }
    if (left_ == 0) {
      ++refused_;
      return Reply{.status = 429, .headers = {{"Retry-After", std::to_string(reset(now))}}};
    }
    --left_;
    return Reply{.status = 200,
                 .headers = {{"RateLimit", "\"default\";r=" + std::to_string(left_) +
                                               ";t=" + std::to_string(reset(now))}}};
  }

  int refused() const { return refused_; }

 private:
  std::int64_t reset(nanoseconds now) const {
    return std::chrono::floor<seconds>(begin_ + window_ - now).count();
  }

  fakes::FakeClock& clock_;
  const std::int64_t limit_;
  const nanoseconds window_;
  nanoseconds begin_{-std::chrono::hours(24)};
  std::int64_t left_ = 0;
  int refused_ = 0;
};

TEST(Throttle, UsesAllOfAnUnknownLimit) {
  fakes::FakeClock clock;
  StrictService service(clock, 100, seconds(60));
  fakes::FakeHttp http;
  http.always([&](const Request&) { return service.answer(); });
  Throttle throttle(http, clock, {}, {});
  for (int i = 0; i < 901; ++i)
    ASSERT_TRUE(throttle.send(request));
  EXPECT_EQ(service.refused(), 0);
  EXPECT_LE(clock.passed(), seconds(9 * 61)) << "one second of caution a window";
}

TEST(Throttle, GivesUpWhenTheServiceAsksForTooMuch) {
  fakes::FakeClock clock;
  fakes::FakeHttp http;
  http.then(429, "", {{"Retry-After", "7200"}});
  Throttle throttle(http, clock, {}, {}, seconds(600));
  ASSERT_TRUE(throttle.send(request));
  for (int i = 0; i < 2; ++i) {
    const auto reply = throttle.send(request);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::rate_limited);
    EXPECT_EQ(reply.error().what, "the service asks for a wait of 2 hours");
  }
  EXPECT_EQ(http.requests().size(), 1U) << "nothing was sent";
  http.then(200);
  clock.advance(seconds(7200));
  EXPECT_TRUE(throttle.send(request));
}

TEST(Throttle, LetsEveryoneGoWhenStopped) {
  const auto clock = real_clock();
  std::stop_source stop;
  fakes::FakeHttp http;
  http.then(200);
  Throttle throttle(http, *clock, {{1, seconds(3600)}}, stop.get_token());
  ASSERT_TRUE(throttle.send(request));
  std::atomic<int> cancelled{0};
  const auto begin = clock->steady();
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 8; ++i)
      workers.emplace_back([&] {
        const auto reply = throttle.send(request);
        if (!reply && reply.error().code == Code::cancelled) ++cancelled;
      });
    stop.request_stop();
  }
  EXPECT_EQ(cancelled, 8);
  EXPECT_LT(clock->steady() - begin, seconds(10));
}

TEST(Throttle, ServesItsCallersInTurn) {
  const auto clock = real_clock();
  fakes::FakeHttp http;
  http.always([](const Request&) -> Result<Reply> { return Reply{.status = 200}; });
  Throttle throttle(http, *clock, {{1, milliseconds(5)}}, {});
  constexpr int total = 100;
  std::array<int, 4> done{};
  std::atomic<int> all{0};
  {
    std::vector<std::jthread> workers;
    for (int& mine : done)
      workers.emplace_back([&] {
        for (; all++ < total; ++mine)
          EXPECT_TRUE(throttle.send(request));
      });
  }
  const auto [least, most] = std::ranges::minmax(done);
  EXPECT_LE(most - least, 5) << "somebody was passed over";
}

}  // namespace
}  // namespace stsctl::io
