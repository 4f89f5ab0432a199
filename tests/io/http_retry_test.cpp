#include "io/http_retry.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_http.h"

namespace stsctl::io {
namespace {

using std::chrono::milliseconds;

const Error unreachable{Code::unreachable, "no connection"};

Request request(bool repeatable) {
  return {.method = "POST", .url = "https://api.example/x", .repeatable = repeatable};
}

Result<Reply> status(int code, std::vector<Header> headers = {}) {
  return Reply{.status = code, .headers = std::move(headers)};
}

Result<Reply> error(Code code) {
  return fail(code, "it failed");
}

TEST(NextDelay, TriesAgainOnlyWhatIsSafe) {
  struct Case {
    Result<Reply> result;
    bool repeatable_again;
    bool other_again;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {error(Code::unreachable), true, false, "the server may have done it"},
           {error(Code::timeout), true, false, "the server may have done it"},
           {error(Code::protocol), false, false, "it will answer so again"},
           {error(Code::unauthorized), false, false, "a certificate does not change"},
           {error(Code::invalid), false, false, "our fault"},
           {error(Code::rate_limited), false, false, "the throttle gave up"},
           {error(Code::cancelled), false, false, "somebody wants to stop"},
           {status(429), true, true, "turned away undone"},
           {status(502), true, false, "a proxy lost the answer"},
           {status(503), true, false, "some answer so half-way"},
           {status(504), true, false, "a proxy gave up waiting"},
           {status(500), false, false, "a bug, not a pause"},
           {status(501), false, false, "never will"},
           {status(200), false, false, "done"},
           {status(204), false, false, "done"},
           {status(301), false, false, "no answer to a retry"},
           {status(400), false, false, "our fault"},
           {status(401), false, false, "credentials"},
           {status(404), false, false, "an answer"},
           {status(409), false, false, "an answer"},
       }) {
    EXPECT_EQ(next_delay({}, request(true), c.result, {}, 0.5).has_value(), c.repeatable_again)
        << c.why;
    EXPECT_EQ(next_delay({}, request(false), c.result, {}, 0.5).has_value(), c.other_again)
        << c.why;
  }
}

TEST(NextDelay, AsksThePredicateOfApisThatThrottleWith400) {
  RetryOptions options;
  options.throttled = [](const Reply& reply) {
    return reply.status == 400 && reply.body.find("Throttling") != std::string::npos;
  };
  const Result<Reply> throttled = Reply{.status = 400, .body = "<Code>Throttling</Code>"};
  EXPECT_TRUE(next_delay(options, request(false), throttled, {}, 0.5));
  EXPECT_FALSE(next_delay(options, request(true), status(400), {}, 0.5));
}

TEST(NextDelay, WaitsAsLongAsTheApiIsKnownToWantWhereItSaysNothing) {
  RetryOptions options;
  options.throttled = [](const Reply& reply) { return reply.status == 403; };
  options.throttled_wait = Duration(60);
  struct Case {
    std::vector<Header> headers;
    std::optional<Duration> pause;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {{}, Duration(60), "it does not say"},
           {{{"Retry-After", "7"}}, Duration(7), "it says"},
           {{{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1800000900"}},
            std::nullopt,
            "the throttle waits for the reset"},
           {{{"X-RateLimit-Remaining", "9"}, {"X-RateLimit-Reset", "1800000900"}},
            Duration(60),
            "another limit than the one that is shown"},
       }) {
    const Result<Reply> busy = status(403, c.headers);
    const Time now(std::chrono::seconds(1'800'000'000));
    EXPECT_EQ(asked_pause(options, *busy, now), c.pause) << c.why;
    EXPECT_EQ(next_delay(options, request(false), busy, {.now = now}, 0.0),
              milliseconds(c.pause.value_or(Duration(0))))
        << c.why;
  }
  EXPECT_EQ(asked_pause(options, *status(503, {{"Retry-After", "7"}}), {}), std::nullopt)
      << "one request's trouble, not all's";
  EXPECT_EQ(asked_pause({}, *status(403, {{"Retry-After", "7"}}), {}), std::nullopt)
      << "no limit of this API";
}

TEST(NextDelay, DoublesItsUpperBoundToACap) {
  RetryOptions options{.attempts = 20,
                       .first_delay = milliseconds(100),
                       .longest_delay = milliseconds(1000),
                       .total = milliseconds(1'000'000)};
  const std::vector<int> bounds{100, 200, 400, 800, 1000, 1000};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const Try last{.number = static_cast<int>(i) + 1};
    EXPECT_EQ(next_delay(options, request(true), error(Code::timeout), last, 1.0),
              milliseconds(bounds[i]));
    EXPECT_EQ(next_delay(options, request(true), error(Code::timeout), last, 0.5),
              milliseconds(bounds[i] / 2));
    EXPECT_EQ(next_delay(options, request(true), error(Code::timeout), last, 0.0), milliseconds(0));
  }
}

// A service that is down is given up sooner than one that is busy.
TEST(NextDelay, IsMorePatientWithTooManyRequests) {
  const RetryOptions options{.attempts = 2, .throttled_attempts = 4};
  const Result<Reply> busy = status(429);
  EXPECT_TRUE(next_delay(options, request(true), busy, {.number = 3}, 0.0));
  EXPECT_FALSE(next_delay(options, request(true), busy, {.number = 4}, 0.0));
  for (const Result<Reply>& down : {error(Code::unreachable), error(Code::timeout), status(503)}) {
    EXPECT_TRUE(next_delay(options, request(true), down, {.number = 1}, 0.0));
    EXPECT_FALSE(next_delay(options, request(true), down, {.number = 2}, 0.0));
  }
  EXPECT_TRUE(next_delay({.attempts = 3}, request(true), busy, {.number = 2}, 0.0));
  EXPECT_FALSE(next_delay({.attempts = 3}, request(true), busy, {.number = 3}, 0.0));
}

TEST(NextDelay, WaitsAtLeastAsLongAsTheServiceAsks) {
  const Result<Reply> busy = status(429, {{"Retry-After", "7"}});
  EXPECT_EQ(next_delay({}, request(true), busy, {}, 0.0), milliseconds(7000));
  EXPECT_EQ(next_delay({}, request(true), busy, {}, 1.0), milliseconds(7500));
  const Result<Reply> bad_gateway = status(502, {{"Retry-After", "7"}});
  EXPECT_EQ(next_delay({}, request(true), bad_gateway, {}, 0.0), milliseconds(0));
}

TEST(NextDelay, EndsWithTheTriesAndTheTime) {
  const RetryOptions options{
      .attempts = 3, .first_delay = milliseconds(100), .total = milliseconds(1000)};
  const auto delay = [&](int number, int elapsed) {
    return next_delay(options, request(true), error(Code::timeout),
                      {.number = number, .elapsed = milliseconds(elapsed)}, 1.0);
  };
  EXPECT_TRUE(delay(2, 0));
  EXPECT_FALSE(delay(3, 0)) << "three tries in all";
  EXPECT_TRUE(delay(1, 900));
  EXPECT_FALSE(delay(1, 901)) << "the wait would end too late";
  EXPECT_FALSE(next_delay(options, request(true), status(429, {{"Retry-After", "3600"}}), {}, 0.0))
      << "longer than we are ready to wait";
}

class RetryTest : public testing::Test {
 protected:
  Result<Reply> send(const Request& sent, RetryOptions options = {}) {
    return Retry(http, clock, std::move(options), stop.get_token(), [] { return 1.0; }).send(sent);
  }

  fakes::FakeHttp http;
  fakes::FakeClock clock;
  std::stop_source stop;
};

TEST_F(RetryTest, SendsTheSameAgainUntilItWorks) {
  http.then(fail(unreachable.code, unreachable.what));
  http.then(503, "", {{"Retry-After", "2"}});
  http.then(200, "there");
  Request sent = request(true);
  sent.body = "body";
  const auto reply = send(sent);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "there");
  const auto asked = http.requests();
  ASSERT_EQ(asked.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(asked[static_cast<std::size_t>(i)].attempt, i + 1);
    EXPECT_EQ(asked[static_cast<std::size_t>(i)].body, "body");
  }
  EXPECT_EQ(clock.passed(), milliseconds(500 + 2000 + 1000));
}

TEST_F(RetryTest, DoesNotRepeatWhatMustNotBe) {
  http.then(fail(unreachable.code, unreachable.what));
  const auto reply = send(request(false));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), unreachable);
  EXPECT_EQ(http.requests().size(), 1U);
  EXPECT_EQ(clock.passed().count(), 0);
}

TEST_F(RetryTest, ReturnsTheLastResultWhenTriesAreUsedUp) {
  for (int i = 0; i < 3; ++i)
    http.then(429, std::to_string(i));
  const auto reply = send(request(false), {.attempts = 3});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 429);
  EXPECT_EQ(reply->body, "2");
  EXPECT_EQ(http.left(), 0U);
}

TEST_F(RetryTest, StopsWaitingWhenAskedTo) {
  http.always([this](const Request&) -> Result<Reply> {
    stop.request_stop();
    return Reply{.status = 503};
  });
  const auto reply = send(request(true));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(http.requests().size(), 1U);
}

}  // namespace
}  // namespace stsctl::io
