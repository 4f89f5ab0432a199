#include "io/http_limits.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace stsctl::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// 2027-01-15T08:00:00Z.
constexpr Time today{seconds(1'800'000'000)};

Reply reply(int status, std::vector<Header> headers) {
  return {.status = status, .headers = std::move(headers)};
}

TEST(RetryAfter, IsObeyedOnlyWhereTheStatusSaysSo) {
  struct Case {
    int status;
    const char* value;
    std::optional<Duration> wanted;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {429, "120", Duration(120), "seconds"},
           {503, "0", Duration(0), "at once"},
           {429, " 7 ", Duration(7), "blanks around"},
           {403, "60", Duration(60), "GitHub's secondary limits"},
           {200, "120", std::nullopt, "Linode sends it with every answer"},
           {500, "120", std::nullopt, "no status that has it"},
           {302, "120", std::nullopt, "RFC 9110 allows it, we follow no redirect"},
           {429, "Fri, 15 Jan 2027 08:00:30 GMT", Duration(30), "IMF-fixdate"},
           {429, "Friday, 15-Jan-27 08:01:00 GMT", Duration(60), "RFC 850 date"},
           {429, "Fri Jan 15 08:00:01 2027", Duration(1), "asctime date"},
           {503, "Fri, 15 Jan 2027 07:00:00 GMT", Duration(0), "in the past"},
           {429, "99999999999", Duration(31536000), "capped"},
           {429, "-5", std::nullopt, "negative"},
           {429, "soon", std::nullopt, "no form of it"},
           {429, "1.5", std::nullopt, "no whole seconds"},
           {429, "99999999999999999999", std::nullopt, "overflows"},
           {429, "", std::nullopt, "empty"},
       })
    EXPECT_EQ(retry_after(reply(c.status, {{"Retry-After", c.value}}), today), c.wanted) << c.why;
  EXPECT_EQ(retry_after(reply(429, {}), today), std::nullopt);
}

TEST(Allowance, IsReadInEveryFormServicesUse) {
  struct Case {
    std::vector<Header> headers;
    std::vector<Allowance> wanted;
    const char* why;
  };
  const auto is = [](std::int64_t remaining, std::int64_t reset) {
    return std::vector{Allowance{{}, remaining, Duration(reset)}};
  };
  const auto named = [](const char* policy, std::int64_t remaining, std::int64_t reset) {
    return Allowance{policy, remaining, Duration(reset)};
  };
  using Several = std::vector<Allowance>;
  for (const Case& c : std::vector<Case>{
           {{{"RateLimit", R"("default";r=50;t=30)"}},
            Several{named("\"default\"", 50, 30)},
            "Cloudflare"},
           {{{"Ratelimit", R"("default"; r=0; t=7)"}},
            Several{named("\"default\"", 0, 7)},
            "blanks, other case"},
           {{{"ratelimit", R"("burst";r=9;t=5, "daily";r=100;t=80000)"}},
            Several{named("\"burst\"", 9, 5), named("\"daily\"", 100, 80000)},
            "two policies"},
           {{{"RateLimit", "limit=100, remaining=50, reset=30"}}, is(50, 30), "draft 6"},
           {{{"ratelimit-remaining", "4998"}, {"ratelimit-reset", "1800000060"}},
            is(4998, 60),
            "DigitalOcean: a Unix time"},
           {{{"X-RateLimit-Remaining", "3"}, {"X-RateLimit-Reset", "12"}}, is(3, 12), "a wait"},
           {{{"X-RateLimit-Remaining", "3"}, {"X-RateLimit-Reset", "1700000000"}},
            is(3, 0),
            "a time gone by"},
           {{{"RateLimit", R"("default";r=50)"}}, {}, "no reset"},
           {{{"RateLimit", R"("default";r=many;t=30)"}}, {}, "no number"},
           {{{"RateLimit", R"("default";r=-1;t=30)"}}, {}, "negative"},
           {{{"X-RateLimit-Remaining", "3"}}, {}, "half a pair"},
           {{{"RateLimit-Policy", R"("default";q=100;w=60)"}}, {}, "the policy only"},
           {{}, {}, "nothing"},
       })
    EXPECT_EQ(allowances(reply(200, c.headers), today), c.wanted) << c.why;
}

TEST(Rates, AreReadAsWritten) {
  using Rates = std::vector<Rate>;
  EXPECT_EQ(parse_rates("5/s").value(), (Rates{{5, milliseconds(1000)}}));
  EXPECT_EQ(parse_rates("1200/5m").value(), (Rates{{1200, milliseconds(300'000)}}));
  EXPECT_EQ(parse_rates("1200/5m, 200/s").value(),
            (Rates{{1200, milliseconds(300'000)}, {200, milliseconds(1000)}}));
  EXPECT_EQ(parse_rates(" 5 / 2s ").value(), (Rates{{5, milliseconds(2000)}}));
  EXPECT_EQ(parse_rates("none").value(), Rates{});
  for (const char* wrong : {"", "5", "/s", "5/", "0/s", "-1/s", "5/0s", "5/x", "5/s,", "5//s",
                            "1.5/s", "5/2d", "1000001/s", "99999999999999999999/s", "5/s;6/m"}) {
    const auto rates = parse_rates(wrong);
    ASSERT_FALSE(rates) << wrong;
    EXPECT_EQ(rates.error().code, Code::invalid) << wrong;
  }
}

// A clock of one's own: the pace is pure.
Instant at(double second) {
  return Instant(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(second)));
}

std::vector<Allowance> said(std::int64_t remaining, std::int64_t reset) {
  return {Allowance{{}, remaining, Duration(reset)}};
}

TEST(Pace, WithoutRatesNeverWaits) {
  Pace pace({});
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(pace.wait(at(0)).count(), 0);
    pace.start(at(0));
  }
}

TEST(Pace, GrantsAWindowAtOnceAndThenWaitsForItToPass) {
  Pace pace({{3, seconds(10)}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(pace.wait(at(i)).count(), 0);
    pace.start(at(i));
  }
  EXPECT_EQ(pace.wait(at(2)), milliseconds(8400)) << "the first start, 10.4 s later";
  EXPECT_LE(pace.wait(at(10.4)).count(), 0);
}

TEST(Pace, HoldsToTheStricterOfTwoRates) {
  Pace pace({{2, seconds(1)}, {3, seconds(100)}});
  for (int i = 0; i < 2; ++i)
    pace.start(at(0));
  EXPECT_EQ(pace.wait(at(0)), milliseconds(1040));
  pace.start(at(2));
  EXPECT_EQ(pace.wait(at(2)), milliseconds(102'000)) << "the long window is full now";
}

TEST(Pace, StopsAtWhatTheServiceHasLeft) {
  Pace pace({});
  pace.start(at(0));
  pace.end(at(0), said(2, 30));
  pace.start(at(0));
  pace.start(at(0));
  EXPECT_EQ(pace.wait(at(0)), seconds(31)) << "resets are whole seconds: one more";
  EXPECT_EQ(pace.service_wait(at(0)).count(), 0) << "the two on their way may be counted in it";
  pace.end(at(0), said(1, 30));
  pace.end(at(0), said(0, 30));
  EXPECT_EQ(pace.service_wait(at(0)), seconds(31));
  EXPECT_LE(pace.wait(at(31)).count(), 0);
}

TEST(Pace, CountsWhatIsOnItsWay) {
  Pace pace({});
  for (int i = 0; i < 3; ++i)
    pace.start(at(0));
  pace.end(at(0), said(2, 30));  // the other two may not be counted in it yet
  EXPECT_GT(pace.wait(at(0)).count(), 0);
  pace.end(at(0), said(1, 30));
  EXPECT_GT(pace.wait(at(0)).count(), 0);
  pace.end(at(0), said(3, 30));  // overtaken by the others
  EXPECT_LE(pace.wait(at(0)).count(), 0) << "nothing is on its way: one is left";
  pace.start(at(0));
  EXPECT_GT(pace.wait(at(0)).count(), 0);
}

TEST(Pace, BelievesAHigherFigureOfANewWindow) {
  Pace pace({});
  pace.start(at(0));
  pace.start(at(0));
  pace.end(at(0), said(1, 5));
  EXPECT_GT(pace.wait(at(0)).count(), 0);
  pace.end(at(3), said(100, 60));
  EXPECT_LE(pace.wait(at(3)).count(), 0);
}

TEST(Pace, DoesNotBelieveALateAnswerOfAWindowGoneBy) {
  Pace pace({});
  pace.start(at(0));
  pace.start(at(0));
  pace.end(at(0), said(0, 60));
  pace.end(at(1), said(57, 2));
  EXPECT_GT(pace.wait(at(1)).count(), 0);
}

TEST(Pace, KeepsTheWindowsOfSeveralPoliciesApart) {
  Pace pace({});
  pace.start(at(0));
  pace.end(at(0), {{"burst", 0, Duration(5)}, {"daily", 100, Duration(80000)}});
  EXPECT_EQ(pace.wait(at(0)), seconds(6));
  EXPECT_LE(pace.wait(at(6)).count(), 0);
  pace.start(at(6));
  pace.end(at(6), {{"burst", 9, Duration(5)}, {"daily", 0, Duration(79994)}});
  EXPECT_EQ(pace.wait(at(6)), seconds(79995));
}

TEST(Pace, GoesOnAfterARequestThatFailed) {
  Pace pace({});
  pace.start(at(0));
  pace.end(at(0), said(1, 10));
  pace.start(at(0));
  pace.end(at(0), {});
  EXPECT_GT(pace.wait(at(0)).count(), 0);
  EXPECT_LE(pace.wait(at(11)).count(), 0);
}

TEST(Pace, PausesForAsLongAsAskedAndNeverLess) {
  Pace pace({});
  pace.pause(at(0), Duration(10));
  pace.pause(at(0), Duration(5));
  EXPECT_EQ(pace.wait(at(0)), seconds(10));
  EXPECT_EQ(pace.wait(at(4)), seconds(6));
  EXPECT_LE(pace.wait(at(10)).count(), 0);
}

// Many callers, one pace and one service with random travel times, event by event.
class Simulation {
 public:
  Simulation(std::vector<Rate> rates, unsigned seed) : pace_(std::move(rates)), random_(seed) {}

  // Turns away what exceeds `limit` in a fixed window, and says what is left where `tells`.
  struct Service {
    int limit;
    double window;
    bool tells;
  };

  void run(const Service& service, int callers, int requests) {
    double now = 0;
    while (answered_ < requests) {
      // Whoever is free starts as soon as the pace allows.
      while (free(callers) && started_ < requests && pace_.wait(at(now)).count() <= 0)
        start(now);
      double next = now + 0.2;  // as the throttle naps
      if (free(callers) && started_ < requests)
        next = std::min(next, now + std::chrono::duration<double>(pace_.wait(at(now))).count());
      for (const Travel& travel : travels_)
        next = std::min(next, travel.answer ? travel.back : travel.there);
      now = std::max(now, next);
      move(service, now);
      last_ = now;
    }
  }

  int refused() const { return refused_; }
  double took() const { return last_; }

 private:
  struct Travel {
    double there;
    double back;
    std::optional<std::vector<Allowance>> answer;
  };

  bool free(int callers) const { return static_cast<int>(travels_.size()) < callers; }

  void start(double now) {
    std::uniform_real_distribution<double> travel(0.001, 0.03);
    const double there = now + travel(random_);
    travels_.push_back({there, there + travel(random_), {}});
    pace_.start(at(now));
    ++started_;
  }

  void move(const Service& service, double now) {
    std::ranges::sort(travels_, {}, &Travel::there);
    for (Travel& travel : travels_)
      if (!travel.answer && travel.there <= now) travel.answer = ask(service, travel.there);
    std::erase_if(travels_, [&](const Travel& travel) {
      if (!travel.answer || travel.back > now) return false;
      pace_.end(at(now), *travel.answer);
      ++answered_;
      return true;
    });
  }

  std::vector<Allowance> ask(const Service& service, double now) {
    if (now >= begin_ + service.window) {
      begin_ = now;
      left_ = service.limit;
    }
    if (left_ == 0)
      ++refused_;
    else
      --left_;
    if (!service.tells) return {};
    return said(left_, static_cast<std::int64_t>(begin_ + service.window - now));
  }

  Pace pace_;
  std::mt19937 random_;
  std::vector<Travel> travels_;
  int started_ = 0;
  int answered_ = 0;
  int refused_ = 0;
  int left_ = 0;
  double begin_ = -1e9;
  double last_ = 0;
};

TEST(Pace, IsNeverTurnedAwayByALimitItWasToldInAdvance) {
  for (unsigned seed = 0; seed < 3; ++seed) {
    Simulation simulation({{200, seconds(1)}, {1200, seconds(300)}}, seed);
    simulation.run({1200, 300, false}, 64, 6000);
    EXPECT_EQ(simulation.refused(), 0) << seed;
    EXPECT_LE(simulation.took(), 4 * 300 / 0.95 + 10) << seed << ": less than 95 % used";
  }
}

TEST(Pace, IsNeverTurnedAwayByAServiceThatTellsItsLimit) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Simulation simulation({}, seed);
    simulation.run({100, 60, true}, 1, 1);  // from now on the limit is known
    simulation.run({100, 60, true}, 16, 901);
    EXPECT_EQ(simulation.refused(), 0) << seed;
    EXPECT_LE(simulation.took(), 10 * 60 / 0.95) << seed << ": less than 95 % used";
  }
}

TEST(LeastTime, CountsTheWindowsThatMustPass) {
  struct Case {
    std::vector<Rate> rates;
    std::size_t requests;
    int seconds;
  };
  for (const Case& one : std::vector<Case>{
           {{}, 1000, 0},
           {{{5, seconds(1)}}, 0, 0},
           {{{5, seconds(1)}}, 5, 0},                             // one window holds them
           {{{5, seconds(1)}}, 6, 2},                             // 1.04 s, rounded up
           {{{100, seconds(60)}}, 301, 188},                      // 3 x 62.4 s, rounded up
           {{{1200, seconds(300)}, {200, seconds(1)}}, 1000, 5},  // the tighter one counts
           {{{1200, seconds(300)}, {200, seconds(1)}}, 1201, 312}})
    EXPECT_EQ(least_time(one.rates, one.requests).count(), one.seconds) << one.requests;
}

}  // namespace
}  // namespace stsctl::io
