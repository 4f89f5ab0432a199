#include "base/time.h"

#include <gtest/gtest.h>

namespace stsctl {
namespace {

using namespace std::chrono_literals;

Time at(std::int64_t seconds) {
  return Time{Duration{seconds}};
}

// Seconds since 1970 as `date -u +%s` gives them.
TEST(Time, BothFormsAreWrittenAndReadBack) {
  struct Case {
    std::int64_t seconds;
    const char* text;
    const char* compact;
    const char* day;
  };
  for (const Case& one : std::vector<Case>{
           {0, "1970-01-01T00:00:00Z", "19700101T000000Z", "1970-01-01"},
           {-1, "1969-12-31T23:59:59Z", "19691231T235959Z", "1969-12-31"},
           {951782400, "2000-02-29T00:00:00Z", "20000229T000000Z", "2000-02-29"},
           {1795508100, "2026-11-24T08:15:00Z", "20261124T081500Z", "2026-11-24"},
           {2147483648, "2038-01-19T03:14:08Z", "20380119T031408Z", "2038-01-19"},
           {4107542399, "2100-02-28T23:59:59Z", "21000228T235959Z", "2100-02-28"},
           {253402300799, "9999-12-31T23:59:59Z", "99991231T235959Z", "9999-12-31"},
           {-62167219200, "0000-01-01T00:00:00Z", "00000101T000000Z", "0000-01-01"},
       }) {
    const Time time = at(one.seconds);
    EXPECT_EQ(format_time(time), one.text);
    EXPECT_EQ(format_compact_time(time), one.compact);
    EXPECT_EQ(format_day(std::chrono::floor<std::chrono::days>(time)), one.day);
    EXPECT_EQ(parse_time(one.text), time) << one.text;
    EXPECT_EQ(parse_compact_time(one.compact), time) << one.compact;
  }
}

TEST(Time, EverySecondOfManyYearsComesBack) {
  // A stride that is a multiple of no unit meets every value of every field.
  for (std::int64_t seconds = -3000000000; seconds < 8000000000; seconds += 1234577) {
    ASSERT_EQ(parse_time(format_time(at(seconds))), at(seconds)) << seconds;
    ASSERT_EQ(parse_compact_time(format_compact_time(at(seconds))), at(seconds)) << seconds;
  }
}

TEST(Time, NoOtherFormIsRead) {
  for (const char* bad : {"",
                          "2026-11-24",
                          "2026-11-24T08:15:00",
                          "2026-11-24t08:15:00z",
                          "2026-11-24 08:15:00Z",
                          "2026-11-24T08:15:00+00:00",
                          "2026-11-24T08:15:00.0Z",
                          "2026-11-24T24:00:00Z",
                          "2026-11-24T08:60:00Z",
                          "2026-12-31T23:59:60Z",
                          "2026-02-29T00:00:00Z",
                          "2026-13-01T00:00:00Z",
                          "2026-00-01T00:00:00Z",
                          "2026-11-00T00:00:00Z",
                          "2026-11-24T08:15:0 Z",
                          "2026-11-24T08:15:00Z ",
                          " 2026-11-24T08:15:00Z",
                          "+026-11-24T08:15:00Z",
                          "-026-11-24T08:15:00Z",
                          "12026-11-24T08:15:00Z",
                          "20261124T081500Z"})
    EXPECT_FALSE(parse_time(bad)) << bad;
  for (const char* bad : {"", "2026-11-24T08:15:00Z", "20261124T081500", "20261124T081500z",
                          "20261124081500Z", "20261124T0815000", "20260229T000000Z",
                          "20261124T240000Z", "2026112AT081500Z", "20261131T081500Z"})
    EXPECT_FALSE(parse_compact_time(bad)) << bad;
}

TEST(Time, AnErrorShowsTheFormAndNoControlCharacter) {
  const auto bad = parse_time("\x1b[2J");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::invalid);
  EXPECT_EQ(bad.error().what, "'\\x1B[2J' is no point in time of the form 2026-11-24T08:15:00Z");
}

TEST(Durations, AreReadAndWrittenShortest) {
  struct Case {
    const char* text;
    Duration duration;
    const char* shortest;
  };
  for (const Case& one : std::vector<Case>{{"0", 0s, "0s"},
                                           {"0w", 0s, "0s"},
                                           {"90s", 90s, "90s"},
                                           {"90", 90s, "90s"},
                                           {"90m", 90min, "90m"},
                                           {"60m", 1h, "1h"},
                                           {"24h", 24h, "1d"},
                                           {"2d", 48h, "2d"},
                                           {"86400", 24h, "1d"},
                                           {"604800", 168h, "1w"},
                                           {"8d", 192h, "8d"},
                                           {"31557600", 31557600s, "8766h"},
                                           {"007d", 168h, "1w"},
                                           {"36600d", 878400h, "36600d"}}) {
    EXPECT_EQ(parse_duration(one.text), one.duration) << one.text;
    EXPECT_EQ(format_duration(one.duration), one.shortest);
    EXPECT_EQ(parse_duration(one.shortest), one.duration);
  }
}

TEST(Durations, RejectsAndSaysWhy) {
  struct Case {
    const char* text;
    const char* why;
  };
  for (const Case& one : std::vector<Case>{{"", "no whole number"},
                                           {"d", "no whole number"},
                                           {"-1d", "no whole number"},
                                           {"+1d", "no whole number"},
                                           {" 1d", "no whole number"},
                                           {"1.5d", "unknown unit"},
                                           {"1 d", "unknown unit"},
                                           {"1D", "unknown unit"},
                                           {"1y", "unknown unit"},
                                           {"1d12h", "unknown unit"},
                                           {"1d ", "unknown unit"},
                                           {"36601d", "longer than 100 years"},
                                           {"9223372036854775807w", "longer than 100 years"},
                                           {"99999999999999999999", "longer than 100 years"}}) {
    const auto bad = parse_duration(one.text);
    ASSERT_FALSE(bad) << one.text;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_NE(bad.error().what.find(one.why), std::string::npos) << bad.error().what;
    EXPECT_NE(bad.error().hint, "");
  }
}

TEST(Durations, AreDescribedInTwoUnits) {
  struct Case {
    Duration duration;
    const char* text;
  };
  for (const Case& one : std::vector<Case>{{0s, "0 seconds"},
                                           {-5s, "0 seconds"},
                                           {1s, "1 second"},
                                           {59s, "59 seconds"},
                                           {60s, "1 minute"},
                                           {61s, "1 minute 1 second"},
                                           {3600s, "1 hour"},
                                           {3605s, "1 hour"},  // rounded down, not "5 seconds"
                                           {7260s, "2 hours 1 minute"},
                                           {24h, "1 day"},
                                           {76h, "3 days 4 hours"},
                                           {76h + 59min + 59s, "3 days 4 hours"},
                                           {72h + 5min, "3 days"},
                                           {31557600s, "365 days 6 hours"}})
    EXPECT_EQ(describe_duration(one.duration), one.text);
}

}  // namespace
}  // namespace stsctl
