// What a rollout does, state by state; each case differs from a sound one in one thing.
#include "rollout/decide.h"

#include <functional>

#include <gtest/gtest.h>

namespace stsctl::rollout {
namespace {

using plan::RolloutAction;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::weeks;

const Time now{days{20000} + hours{3}};
constexpr auto testing_mode = sts::Mode::testing;
constexpr auto enforce = sts::Mode::enforce;

// That of docs/rollout.md.
Rollout careful() {
  return {.name = "careful",
          .stages = {{.mode = testing_mode,
                      .max_age = days{1},
                      .lasts = weeks{2},
                      .gate = {.sessions = 100, .failures = Share{1000}, .verify = true}},
                     {.mode = enforce,
                      .max_age = weeks{1},
                      .lasts = weeks{2},
                      .gate = {.failures = Share{1000}, .verify = true},
                      .brake = Brake{Share{20000}, days{1}}},
                     {.mode = enforce, .max_age = weeks{26}}}};
}

sts::Policy policy(sts::Mode mode, Duration max_age) {
  return {mode, {*sts::parse_mx_pattern("mail.example.com")}, max_age};
}

ReportedSessions report(Time begin, std::uint64_t sessions, std::uint64_t failed = 0,
                        const std::string& type = "certificate-expired") {
  ReportedSessions one{begin, begin + days{1}, sessions, failed, {}};
  if (failed > 0) one.failures[type] = failed;
  return one;
}

Result<std::vector<ReportedSessions>> reports(std::vector<ReportedSessions> all) {
  return all;
}

// A domain on which every gate of its stage holds.
struct Case {
  Rollout rollout = careful();
  Published published{.policy = policy(testing_mode, days{1}), .since = now - days{20}};
  Evidence evidence{.reports = reports({report(now - days{4}, 5000, 1)}),
                    .verify = LiveCheck{true, ""}};
  Pins pins;

  Decision decided() const { return decide(rollout, published, evidence, pins, now); }
};

struct Line {
  std::string name;
  std::function<void(Case&)> change;
  RolloutAction action;
  std::size_t target;
};

void at_stage(Case& one, std::size_t stage) {
  const Stage& it = one.rollout.stages[stage - 1];
  one.published.policy = policy(it.mode, it.max_age);
}

class Decide : public testing::TestWithParam<Line> {};

TEST_P(Decide, DoesThis) {
  Case one;
  GetParam().change(one);
  const Decision decision = one.decided();
  EXPECT_EQ(to_string(decision.state.action), std::string(to_string(GetParam().action)));
  EXPECT_EQ(decision.state.target, GetParam().target);
  EXPECT_FALSE(decision.state.reasons.empty());
  if (decision.state.target == 0) {
    EXPECT_FALSE(decision.state.hint.empty());
    return;
  }
  const Stage& target = one.rollout.stages[decision.state.target - 1];
  EXPECT_EQ(decision.mode, target.mode);
  EXPECT_EQ(decision.max_age, target.max_age);
}

std::vector<Line> gates() {
  using enum RolloutAction;
  return {
      {"all_hold", [](Case&) {}, promote, 2},
      {"to_the_second_only", [](Case& c) { c.published.since = now - days{3650}; }, promote, 2},
      {"time_short", [](Case& c) { c.published.since = now - weeks{2} + days{1}; }, stay, 1},
      {"time_just", [](Case& c) { c.published.since = now - weeks{2}; }, promote, 2},
      {"a_second_short", [](Case& c) { c.published.since = now - weeks{2} + Duration{1}; }, stay,
       1},
      {"clock_set_back", [](Case& c) { c.published.since = now + days{30}; }, stay, 1},
      {"clock_set_back_and_no_time",
       [](Case& c) {
         c.rollout.stages[0].lasts = Duration{0};
         c.published.since = now + Duration{1};
       },
       stay, 1},
      {"few_sessions", [](Case& c) { c.evidence.reports = reports({report(now - days{4}, 99)}); },
       stay, 1},
      {"enough_sessions",
       [](Case& c) {
         c.evidence.reports = reports({report(now - days{4}, 60), report(now - days{18}, 40)});
       },
       promote, 2},
      {"sessions_before_the_stage",
       [](Case& c) {
         c.evidence.reports = reports({report(now - days{4}, 60), report(now - days{40}, 400)});
       },
       stay, 1},
      {"failing", [](Case& c) { c.evidence.reports = reports({report(now - days{4}, 5000, 6)}); },
       stay, 1},
      {"failing_at_the_bound",
       [](Case& c) { c.evidence.reports = reports({report(now - days{4}, 5000, 5)}); }, promote, 2},
      {"failing_long_ago",
       [](Case& c) {
         c.published.since = now - days{60};
         c.evidence.reports =
             reports({report(now - days{50}, 5000, 900), report(now - days{4}, 5000)});
       },
       promote, 2},
      {"failing_and_told_late",
       [](Case& c) {
         c.published.since = now - days{60};
         c.evidence.reports =
             reports({report(now - days{15} - hours{4}, 5000, 900), report(now - days{4}, 5000)});
       },
       stay, 1},
      {"failing_and_nothing_since",
       [](Case& c) {
         c.published.since = now - days{60};
         c.evidence.reports = reports({report(now - days{50}, 5000)});
       },
       stay, 1},
      {"dane_alone_fails",
       [](Case& c) {
         c.evidence.reports = reports({report(now - days{4}, 5000, 900, "tlsa-invalid")});
       },
       promote, 2},
      {"fetching_fails",
       [](Case& c) {
         c.evidence.reports = reports({report(now - days{4}, 5000, 900, "sts-policy-fetch-error")});
       },
       stay, 1},
      {"a_new_type_fails",
       [](Case& c) { c.evidence.reports = reports({report(now - days{4}, 5000, 900, "new")}); },
       stay, 1},
      {"type_set_to_show",
       [](Case& c) {
         c.rollout.effects["new"] = Effect::shows;
         c.evidence.reports = reports({report(now - days{4}, 5000, 900, "new")});
       },
       promote, 2},
      {"no_reports", [](Case& c) { c.evidence.reports = reports({}); }, stay, 1},
      {"no_report_store",
       [](Case& c) { c.evidence.reports = fail(Code::unsupported, "no reports"); }, stay, 1},
      {"no_sessions_asked_none_seen",
       [](Case& c) {
         c.rollout.stages[0].gate.sessions.reset();
         c.evidence.reports = reports({report(now - days{4}, 0)});
       },
       stay, 1},
      {"verify_fails", [](Case& c) { c.evidence.verify = LiveCheck{false, "expired"}; }, stay, 1},
      {"verify_not_run", [](Case& c) { c.evidence.verify = fail(Code::timeout, "no answer"); },
       stay, 1},
      {"verify_not_looked", [](Case& c) { c.evidence.verify.reset(); }, stay, 1},
      {"nothing_known", [](Case& c) { c.evidence = {}; }, stay, 1},
      {"time_alone",
       [](Case& c) {
         c.rollout.stages[0].gate = {};
         c.evidence = {};
       },
       promote, 2},
      {"from_enforce", [](Case& c) { at_stage(c, 2); }, promote, 3},
      {"last", [](Case& c) { at_stage(c, 3); }, stay, 3},
      {"last_without_evidence",
       [](Case& c) {
         at_stage(c, 3);
         c.evidence = {};
       },
       stay, 3},
      {"mx_is_no_matter", [](Case& c) { c.published.policy->mx.clear(); }, promote, 2},
  };
}

std::vector<Line> brakes() {
  using enum RolloutAction;
  const auto enforcing = [](Case& c, Result<std::vector<ReportedSessions>> seen) {
    at_stage(c, 2);
    c.evidence.reports = std::move(seen);
  };
  return {
      {"over_the_bound", [=](Case& c) { enforcing(c, reports({report(now - days{2}, 100, 3)})); },
       brake, 1},
      {"at_the_bound", [=](Case& c) { enforcing(c, reports({report(now - days{2}, 100, 2)})); },
       stay, 2},
      {"long_ago",
       [=](Case& c) {
         enforcing(c, reports({report(now - days{9}, 100, 90), report(now - days{1}, 100)}));
       },
       stay, 2},
      {"before_the_stage",
       [=](Case& c) {
         enforcing(c, reports({report(now - days{2}, 100, 90)}));
         c.published.since = now - hours{1};
       },
       stay, 2},
      {"on_the_first_day",
       [=](Case& c) {
         enforcing(c, reports({report(now - hours{25}, 100, 90)}));
         c.published.since = now - hours{10};
       },
       brake, 1},
      {"told_a_day_late",
       [=](Case& c) { enforcing(c, reports({report(now - days{2} - hours{24}, 100, 90)})); }, brake,
       1},
      {"only_fetching_fails",
       [=](Case& c) {
         enforcing(c, reports({report(now - days{2}, 100, 90, "sts-policy-fetch-error")}));
       },
       stay, 2},
      {"only_dane_fails",
       [=](Case& c) { enforcing(c, reports({report(now - days{2}, 100, 90, "dane-required")})); },
       promote, 3},
      {"no_evidence", [=](Case& c) { enforcing(c, fail(Code::internal, "disk")); }, stay, 2},
      {"held",
       [=](Case& c) {
         enforcing(c, reports({report(now - days{2}, 100, 3)}));
         c.pins.hold = true;
       },
       brake, 1},
      {"pinned",
       [=](Case& c) {
         enforcing(c, reports({report(now - days{2}, 100, 3)}));
         c.pins.stage = 2;
       },
       stay, 2},
      {"clock_set_back",
       [=](Case& c) {
         enforcing(c, reports({report(now - days{2}, 100, 3)}));
         c.published.since = now + days{1};
       },
       brake, 1},
      {"begin_not_known",
       [=](Case& c) {
         enforcing(c, reports({report(now - days{2}, 100, 3)}));
         c.published.since.reset();
       },
       brake, 1},
      {"to_the_first_that_tests",
       [=](Case& c) {
         c.rollout.stages.insert(c.rollout.stages.begin(),
                                 {.mode = testing_mode, .max_age = weeks{1}, .lasts = days{1}});
         at_stage(c, 3);
         c.evidence.reports = reports({report(now - days{2}, 100, 3)});
       },
       brake, 1},
      {"none_in_testing",
       [](Case& c) { c.evidence.reports = reports({report(now - days{2}, 100, 90)}); }, stay, 1},
  };
}

std::vector<Line> entries() {
  using enum RolloutAction;
  const auto shows = [](Case& c, std::optional<sts::Policy> what) {
    c.published = {.policy = std::move(what), .since = {}};
  };
  const auto foreign = [=](Case& c) { shows(c, policy(enforce, days{3})); };
  return {
      {"nothing", [=](Case& c) { shows(c, {}); }, enter, 1},
      {"nothing_held",
       [=](Case& c) {
         shows(c, {});
         c.pins.hold = true;
       },
       enter, 1},
      {"nothing_start_2",
       [=](Case& c) {
         shows(c, {});
         c.pins.start = 2;
       },
       enter, 1},
      {"lost", [=](Case& c) { c.published = {.policy = {}, .since = {}, .lost = true}; }, refuse,
       0},
      {"lost_start_2",
       [=](Case& c) {
         c.published = {.policy = {}, .since = {}, .lost = true};
         c.pins.start = 2;
       },
       refuse, 0},
      {"lost_pinned",
       [=](Case& c) {
         c.published = {.policy = {}, .since = {}, .lost = true};
         c.pins.stage = 1;
       },
       enter, 1},
      {"none", [=](Case& c) { shows(c, policy(sts::Mode::none, days{1})); }, enter, 1},
      {"other_testing", [=](Case& c) { shows(c, policy(testing_mode, weeks{1})); }, enter, 1},
      {"other_testing_start_2",
       [=](Case& c) {
         shows(c, policy(testing_mode, weeks{1}));
         c.pins.start = 2;
       },
       enter, 1},
      {"testing_begin_not_known", [](Case& c) { c.published.since.reset(); }, enter, 1},
      {"enforce_begin_not_known",
       [](Case& c) {
         at_stage(c, 2);
         c.published.since.reset();
       },
       enter, 2},
      {"last_begin_not_known",
       [](Case& c) {
         at_stage(c, 3);
         c.published.since.reset();
       },
       enter, 3},
      {"other_enforce", foreign, refuse, 0},
      {"other_enforce_since_known",
       [=](Case& c) {
         foreign(c);
         c.published.since = now - days{99};
       },
       refuse, 0},
      {"other_enforce_held",
       [=](Case& c) {
         foreign(c);
         c.pins.hold = true;
       },
       refuse, 0},
      {"other_enforce_start_1",
       [=](Case& c) {
         foreign(c);
         c.pins.start = 1;
       },
       refuse, 0},
      {"other_enforce_start_2",
       [=](Case& c) {
         foreign(c);
         c.pins.start = 2;
       },
       enter, 2},
      {"other_enforce_start_3",
       [=](Case& c) {
         foreign(c);
         c.pins.start = 3;
       },
       enter, 3},
      {"other_enforce_pinned_1",
       [=](Case& c) {
         foreign(c);
         c.pins.stage = 1;
       },
       enter, 1},
      {"start_is_no_matter_at_a_stage", [](Case& c) { c.pins.start = 3; }, promote, 2},
      {"begins_with_enforce",
       [=](Case& c) {
         shows(c, {});
         c.rollout.stages.erase(c.rollout.stages.begin());
       },
       enter, 1},
  };
}

std::vector<Line> pins() {
  using enum RolloutAction;
  return {
      {"hold", [](Case& c) { c.pins.hold = true; }, stay, 1},
      {"hold_at_2",
       [](Case& c) {
         at_stage(c, 2);
         c.pins.hold = true;
       },
       stay, 2},
      {"stage_here", [](Case& c) { c.pins.stage = 1; }, stay, 1},
      {"stage_on", [](Case& c) { c.pins.stage = 3; }, enter, 3},
      {"stage_back",
       [](Case& c) {
         at_stage(c, 3);
         c.pins.stage = 1;
       },
       enter, 1},
      {"stage_and_start",
       [](Case& c) {
         c.pins.stage = 2;
         c.pins.start = 3;
       },
       enter, 2},
      {"stage_here_begin_not_known",
       [](Case& c) {
         c.pins.stage = 1;
         c.published.since.reset();
       },
       enter, 1},
  };
}

const auto line_name = [](const auto& one) { return one.param.name; };
INSTANTIATE_TEST_SUITE_P(Gates, Decide, testing::ValuesIn(gates()), line_name);
INSTANTIATE_TEST_SUITE_P(Brakes, Decide, testing::ValuesIn(brakes()), line_name);
INSTANTIATE_TEST_SUITE_P(Entries, Decide, testing::ValuesIn(entries()), line_name);
INSTANTIATE_TEST_SUITE_P(Pins, Decide, testing::ValuesIn(pins()), line_name);

TEST(DecideShows, EachGateWithItsFigure) {
  Case one;
  one.published.since = now - days{9} - hours{4};
  one.evidence.verify.reset();
  const plan::RolloutState state = one.decided().state;
  const std::vector<plan::RolloutGate> expected{
      {"time", "at least 14 days", "9 days 4 hours", false},
      {"sessions", "at least 100", "5000", true},
      {"failures", "at most 0.1% within 14 days", "1 of 5000 sessions (0.02%)", true},
      {"verify", "pass", "not looked at yet", false}};
  EXPECT_EQ(state.gates, expected);
  EXPECT_EQ(state.stage, 1U);
  EXPECT_EQ(state.stages, 3U);
  EXPECT_EQ(state.in_stage, Duration(days{9} + hours{4}));
  EXPECT_EQ(state.earliest, now - days{9} - hours{4} + weeks{2});
  EXPECT_EQ(state.next_is, "enforce, max_age 1w");
  EXPECT_EQ(plan::describe(state), "stage 1 of 3 of 'careful' (testing, max_age 1d)");
}

TEST(DecideShows, WhyEvidenceIsMissing) {
  Case one;
  one.evidence.reports = fail(Code::unsupported, "no reports: none were imported");
  one.evidence.verify = fail(Code::unreachable, "port 25 is closed");
  one.evidence.left_out = true;
  const plan::RolloutState state = one.decided().state;
  EXPECT_EQ(state.gates[1].figure, "no reports: none were imported");
  EXPECT_EQ(state.gates[2].figure, "no reports: none were imported");
  EXPECT_EQ(state.gates[3].figure, "could not be run: port 25 is closed");
  EXPECT_TRUE(state.evidence_left_out);
}

TEST(DecideShows, WhenTheStageAfterAPromotionMayEnd) {
  const plan::RolloutState state = Case{}.decided().state;
  EXPECT_EQ(state.target, 2U);
  EXPECT_EQ(state.earliest, now + weeks{2});
  EXPECT_EQ(state.next_is, "enforce, max_age 26w");
}

TEST(DecideShows, NothingAheadWherePinnedOrHeldOrLast) {
  std::vector<Case> cases(3);
  cases[0].pins.hold = true;
  cases[1].pins.stage = 1;
  at_stage(cases[2], 3);
  for (const Case& one : cases) {
    EXPECT_FALSE(one.decided().state.earliest);
    EXPECT_TRUE(one.decided().state.next_is.empty());
  }
}

TEST(DecideShows, TheBrake) {
  Case one;
  at_stage(one, 2);
  const plan::RolloutState state = one.decided().state;
  ASSERT_TRUE(state.brake);
  EXPECT_EQ(state.brake->wanted, "more than 2% within 1 day");
  EXPECT_EQ(state.brake->figure, "no reports");  // none of the last days
  EXPECT_FALSE(state.brake->holds);
}

TEST(Wants, VerifyWhenItsTimeHasCome) {
  Case one;
  const auto wanted = [&] { return wants_verify(one.rollout, one.published, one.pins, now); };
  EXPECT_TRUE(wanted());
  one.pins.hold = true;  // whoever makes up their mind wants to see
  EXPECT_TRUE(wanted());
  one.pins = {.stage = 1};
  EXPECT_FALSE(wanted());
  one.pins = {};
  one.published.since = now - days{3};
  EXPECT_FALSE(wanted());
  one.published.since.reset();
  EXPECT_FALSE(wanted());
  one.published.since = now - days{20};
  one.rollout.stages[0].gate.verify = false;
  EXPECT_FALSE(wanted());
  at_stage(one, 3);
  EXPECT_FALSE(wanted());
}

TEST(Wants, ReportsForGatesAndBrakes) {
  Case one;
  EXPECT_TRUE(wants_reports(one.rollout, one.published));
  at_stage(one, 3);
  EXPECT_FALSE(wants_reports(one.rollout, one.published));
  at_stage(one, 2);
  one.rollout.stages[1].gate = {};
  EXPECT_TRUE(wants_reports(one.rollout, one.published));
  one.rollout.stages[1].brake.reset();
  EXPECT_FALSE(wants_reports(one.rollout, one.published));
  EXPECT_FALSE(wants_reports(one.rollout, {}));
}

}  // namespace
}  // namespace stsctl::rollout
