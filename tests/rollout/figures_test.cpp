#include "rollout/figures.h"

#include <gtest/gtest.h>

namespace stsctl::rollout {
namespace {

using std::chrono::days;

const Time start{days{20000}};

ReportedSessions report(int day, std::uint64_t sessions, std::uint64_t failed,
                        std::map<std::string, std::uint64_t> failures = {}) {
  return {start + days{day}, start + days{day + 1}, sessions, failed, std::move(failures)};
}

struct SumCase {
  std::string name;
  std::vector<ReportedSessions> reports;
  Effect least;
  Figures sum;
};

class AddUp : public testing::TestWithParam<SumCase> {};

TEST_P(AddUp, CountsWhatCounts) {
  EXPECT_EQ(add_up(GetParam().reports, {}, GetParam().least, start + days{1}), GetParam().sum);
}

std::vector<SumCase> sum_cases() {
  return {
      {"nothing", {}, Effect::blocks, {0, 0}},
      {"two_days", {report(1, 10, 0), report(2, 5, 0)}, Effect::blocks, {15, 0}},
      {"ended_before", {report(0, 10, 10), report(1, 7, 0)}, Effect::blocks, {7, 0}},
      {"typed", {report(1, 10, 2, {{"certificate-expired", 2}})}, Effect::brakes, {10, 2}},
      {"dane", {report(1, 10, 2, {{"tlsa-invalid", 2}})}, Effect::blocks, {10, 0}},
      {"fetch_blocks",
       {report(1, 10, 2, {{"sts-policy-fetch-error", 2}})},
       Effect::blocks,
       {10, 2}},
      {"fetch_never_brakes",
       {report(1, 10, 2, {{"sts-policy-fetch-error", 2}})},
       Effect::brakes,
       {10, 0}},
      {"no_details", {report(1, 10, 3)}, Effect::brakes, {10, 3}},
      {"some_details", {report(1, 10, 3, {{"tlsa-invalid", 1}})}, Effect::brakes, {10, 2}},
      {"more_details_than_total",
       {report(1, 4, 1, {{"validation-failure", 6}})},
       Effect::blocks,
       {6, 6}},
  };
}

INSTANTIATE_TEST_SUITE_P(All, AddUp, testing::ValuesIn(sum_cases()),
                         [](const auto& one) { return one.param.name; });

TEST(AddUp, NeverOverflows) {
  const auto huge = std::numeric_limits<std::uint64_t>::max();
  const std::vector<ReportedSessions> reports(
      5,
      report(1, huge, huge, {{"x", huge}, {"certificate-expired", huge}, {"tlsa-invalid", huge}}));
  const Figures sum = add_up(reports, {}, Effect::blocks, start);
  EXPECT_GT(sum.sessions, 0U);
  EXPECT_EQ(sum.sessions, sum.failed);
  EXPECT_TRUE(exceeds(sum, {999'999}));
  EXPECT_FALSE(exceeds(sum, {whole_share}));
  EXPECT_NE(describe(sum).find("(100%)"), std::string::npos);
}

TEST(Exceeds, IsStrict) {
  EXPECT_FALSE(exceeds({1000, 1}, {1000}));  // exactly 0.1%
  EXPECT_TRUE(exceeds({999, 1}, {1000}));
  EXPECT_FALSE(exceeds({0, 0}, {0}));
  EXPECT_FALSE(exceeds({10, 0}, {0}));
  EXPECT_TRUE(exceeds({1'000'000'000, 1}, {0}));
}

TEST(Describe, RoundsUp) {
  EXPECT_EQ(describe(Figures{10000, 12}), "12 of 10000 sessions (0.12%)");
  EXPECT_EQ(describe(Figures{999, 1}), "1 of 999 sessions (0.1002%)");
  EXPECT_EQ(describe(Figures{0, 0}), "no reports");
}

}  // namespace
}  // namespace stsctl::rollout
