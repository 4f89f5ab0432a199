#include "rollout/rollout.h"

#include <gtest/gtest.h>

namespace stsctl::rollout {
namespace {

using std::chrono::days;
using std::chrono::weeks;

TEST(ParseShare, ReadsPercent) {
  const std::vector<std::pair<std::string, std::uint32_t>> good{
      {"0%", 0},         {"0.1%", 1000}, {"2%", 20000},       {"12.5%", 125000},
      {"100%", 1000000}, {"0.0001%", 1}, {"100.0%", 1000000}, {"007%", 70000},
  };
  for (const auto& [text, millionths] : good) {
    const auto share = parse_share(text);
    ASSERT_TRUE(share) << text;
    EXPECT_EQ(share->millionths, millionths) << text;
    EXPECT_EQ(parse_share(format_share(*share)), share) << text;
  }
}

TEST(ParseShare, SaysWhatIsWrong) {
  for (const char* bad : {"",    "%",    "2",        "0.02",         "-1%",    "101%",  "100.1%",
                          "1.%", ".5%",  "0.12345%", "1.-2%",        "1,5%",   "2 %",   " 2%",
                          "2%%", "1e1%", "0x1%",     "99999999999%", "1.2.3%", "1.+5%", "0001%"})
    EXPECT_FALSE(parse_share(bad)) << bad;
}

TEST(FormatShare, LeavesOutWhatSaysNothing) {
  EXPECT_EQ(format_share({1000}), "0.1%");
  EXPECT_EQ(format_share({20000}), "2%");
  EXPECT_EQ(format_share({1000000}), "100%");
  EXPECT_EQ(format_share({0}), "0%");
  EXPECT_EQ(format_share({1}), "0.0001%");
}

TEST(Effects, FollowTheTableAndWhatIsConfigured) {
  Rollout rollout;
  EXPECT_EQ(effect_of(rollout, "certificate-expired"), Effect::brakes);
  EXPECT_EQ(effect_of(rollout, "sts-policy-fetch-error"), Effect::blocks);
  EXPECT_EQ(effect_of(rollout, "tlsa-invalid"), Effect::shows);
  EXPECT_EQ(effect_of(rollout, "a-type-of-tomorrow"), Effect::brakes);
  rollout.effects = {{"certificate-expired", Effect::shows},
                     {"a-type-of-tomorrow", Effect::blocks}};
  EXPECT_EQ(effect_of(rollout, "certificate-expired"), Effect::shows);
  EXPECT_EQ(effect_of(rollout, "a-type-of-tomorrow"), Effect::blocks);
  EXPECT_EQ(default_effects().size(), 11U);  // RFC 8460 §4.3 registers eleven
}

constexpr auto testing_mode = sts::Mode::testing;
constexpr auto enforce = sts::Mode::enforce;

Stage stage(sts::Mode mode, Duration max_age, Duration lasts = {}) {
  return {.mode = mode, .max_age = max_age, .lasts = lasts};
}

struct StagesCase {
  std::string name;
  std::vector<Stage> stages;
  std::vector<std::string> faults;  // begins of their messages
};

class CheckStages : public testing::TestWithParam<StagesCase> {};

TEST_P(CheckStages, FindsWhatCannotWork) {
  const auto faults = check_stages(GetParam().stages);
  ASSERT_EQ(faults.size(), GetParam().faults.size());
  for (std::size_t i = 0; i < faults.size(); ++i)
    EXPECT_TRUE(faults[i].message.starts_with(GetParam().faults[i])) << faults[i].message;
}

std::vector<StagesCase> stages_cases() {
  const Stage first = stage(testing_mode, days{1}, weeks{2});
  Stage gated = stage(enforce, weeks{1});
  gated.gate.verify = true;
  Stage braked = stage(enforce, weeks{4});
  braked.brake = Brake{};
  Stage braked_testing = stage(testing_mode, weeks{1}, days{1});
  braked_testing.brake = Brake{};
  return {
      {"good", {first, gated, braked}, {}},
      {"one", {stage(enforce, weeks{1})}, {}},
      {"equal", {first, first, braked}, {"stage 2 is testing, max_age 1d, as stage 1"}},
      {"equal_apart",
       {first, gated, first, braked},
       {"stage 3 is testing, max_age 1d, as stage 1"}},
      {"back", {first, gated, stage(testing_mode, weeks{1}, days{1}), braked}, {"stage 3 leads"}},
      {"same_mode", {first, stage(testing_mode, weeks{1}, days{1}), braked}, {}},
      {"never_ends", {stage(testing_mode, days{1}), braked}, {"stage 1 has neither"}},
      {"gate_on_last", {first, gated}, {"the last stage has a 'for' or 'gate'"}},
      {"time_on_last", {first}, {"the last stage has a 'for' or 'gate'"}},
      {"brake_in_testing", {braked_testing, gated, braked}, {"stage 1 has a 'brake' and does not"}},
      {"nowhere_to_go", {gated, braked}, {"stage 2 has a 'brake' and there is no stage"}},
  };
}

INSTANTIATE_TEST_SUITE_P(All, CheckStages, testing::ValuesIn(stages_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace stsctl::rollout
