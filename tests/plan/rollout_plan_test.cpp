// A plan for a domain that follows a rollout: what is decided is what is planned, shown and held
// against what is decided later.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plan/story.h"

namespace stsctl::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RolloutState state(RolloutAction action, std::size_t stage, std::size_t target) {
  const char* const stages[] = {"testing, max_age 1d", "enforce, max_age 1w",
                                "enforce, max_age 4w"};
  return {.rollout = "careful",
          .action = action,
          .stages = 3,
          .stage = stage,
          .target = target,
          .target_is = stages[target - 1],
          .next_is = target < 3 ? stages[target] : "",
          .since = *parse_time("2026-11-01T00:00:00Z"),
          .in_stage = Duration{86400},
          .gates = {{"time", "at least 14 days", "1 day", false}},
          .brake = RolloutGate{"brake", "more than 2%", "no reports", false},
          .earliest = *parse_time("2026-12-01T00:00:00Z"),
          .reasons = {"not every gate holds"}};
}

// A domain at stage 1, published by stsctl.
Story led() {
  Story story;
  story.desired.rollout = Boxed(state(RolloutAction::enter, 1, 1));
  story.apply();
  story.desired.rollout = Boxed(state(RolloutAction::stay, 1, 1));
  return story;
}

Desired promoted(const Story& story) {
  Desired desired = story.desired;
  desired.policy = Story::policy("enforce", "1w");
  desired.rollout = Boxed(state(RolloutAction::promote, 1, 2));
  return desired;
}

TEST(RolloutPlan, PlansNothingUndecided) {
  Story story;
  story.desired.rollout = Boxed(RolloutState{.rollout = "careful", .stages = 3});
  const DomainPlan plan = story.plan();
  ASSERT_TRUE(plan.error);
  EXPECT_EQ(plan.error->code, Code::unsupported);
  EXPECT_THAT(plan.steps, IsEmpty());
}

TEST(RolloutPlan, SaysFirstWhatCouldNotBeRead) {
  Story story;
  story.desired.rollout = Boxed(RolloutState{.rollout = "careful", .stages = 3});
  Observed seen = story.observed();
  seen.policy = fail(Code::timeout, "no answer");
  EXPECT_EQ(make_domain(story.desired, seen, {story.now, {}}).error->code, Code::timeout);
}

TEST(RolloutPlan, RefusesWhatTheRolloutRefuses) {
  Story story = led();
  RolloutState refused = state(RolloutAction::refuse, 1, 1);
  refused.target = 0;
  refused.reasons = {"it enforces already"};
  refused.hint = "say where";
  story.desired.rollout = Boxed(refused);
  const DomainPlan plan = story.plan();
  EXPECT_TRUE(plan.refused());
  EXPECT_THAT(plan.error->what, HasSubstr("it enforces already"));
  EXPECT_EQ(plan.error->hint, "say where");
  EXPECT_THAT(plan.steps, IsEmpty());
}

TEST(RolloutPlan, NeedsAHostThatTakesPolicies) {
  Story story = led();
  story.desired.as_configured = true;
  EXPECT_EQ(story.plan().error->code, Code::unsupported);
}

TEST(RolloutPlan, GivesAForeignIdWayToOneThatSaysWhen) {
  Story story = led();
  story.set_txt("v=STSv1; id=20260101");
  EXPECT_EQ(story.plan().steps.size(), 2U);  // a look at the policy, and the id
  story.apply();
  ASSERT_TRUE(story.generated());
  EXPECT_EQ(story.generated()->published, story.now);
  story.desired.rollout = {};
  story.set_txt("v=STSv1; id=20260101");
  EXPECT_THAT(story.plan().steps, IsEmpty());  // without a rollout it stays
}

TEST(RolloutPlan, SaysWhichStageComesNext) {
  Story story = led();
  ASSERT_EQ(story.plan().later.size(), 1U);
  EXPECT_EQ(describe(story.plan().later.front()),
            "enforce, max_age 1w, if every gate holds, from 2026-12-01T00:00:00Z on");
  story.now = *parse_time("2026-12-02T00:00:00Z");
  EXPECT_EQ(describe(story.plan().later.front()), "enforce, max_age 1w, when every gate holds");
  story.desired.rollout = Boxed(state(RolloutAction::stay, 3, 3));
  EXPECT_THAT(story.plan().later, IsEmpty());
}

TEST(RolloutPlan, WarnsOfABrakeAndOfEvidenceLeftOut) {
  const auto ids = [](const DomainPlan& plan) {
    std::vector<std::string> all;
    for (const Note& note : plan.notes)
      if (note.kind == Note::Kind::warning) all.push_back(note.id);
    return all;
  };
  Story story = led();
  EXPECT_THAT(ids(story.plan()), IsEmpty());
  RolloutState changed = state(RolloutAction::stay, 1, 1);
  changed.evidence_left_out = true;
  story.desired.rollout = Boxed(changed);
  EXPECT_THAT(ids(story.plan()), ElementsAre("evidence-left-out"));
  changed = state(RolloutAction::brake, 2, 1);
  changed.brake->holds = true;
  story.desired.rollout = Boxed(changed);
  EXPECT_THAT(ids(story.plan()), ElementsAre("rollout-brake"));
  changed.action = RolloutAction::stay;
  story.desired.rollout = Boxed(changed);
  EXPECT_THAT(ids(story.plan()), ElementsAre("rollout-brake-pinned"));
}

TEST(RolloutPlan, IsReadBackAsItWasWritten) {
  Story story = led();
  RolloutState full = state(RolloutAction::promote, 1, 2);
  full.hint = "a hint";
  full.evidence_left_out = true;
  RolloutState bare = state(RolloutAction::enter, 1, 1);
  bare.since.reset();
  bare.in_stage.reset();
  bare.earliest.reset();
  bare.brake.reset();
  bare.gates.clear();
  for (const RolloutState& one : {full, bare}) {
    story.desired.rollout = Boxed(one);
    const auto read = plan_from_json(to_json({.domains = {story.plan()}}));
    ASSERT_TRUE(read) << to_string(read.error());
    ASSERT_TRUE(read->domains.front().desired.rollout);
    EXPECT_EQ(*read->domains.front().desired.rollout, one);
    EXPECT_EQ(read->domains.front().desired, story.desired);
  }
}

class RolloutStaleness : public testing::Test {
 protected:
  std::vector<std::string> differences(const Desired& now) const {
    const DomainPlan saved = make_domain(promoted(story), story.observed(), {story.now, {}});
    EXPECT_TRUE(saved.changed());
    return staleness(saved, now, story.observed(), {story.now, {}});
  }
  Story story = led();
};

TEST_F(RolloutStaleness, FiguresMayChange) {
  Desired now = promoted(story);
  EXPECT_THAT(differences(now), IsEmpty());
  RolloutState later = *now.rollout;
  later.in_stage = Duration{90000};
  later.gates.front().figure = "1 day 1 hour";
  later.earliest = *parse_time("2026-12-01T01:00:00Z");
  now.rollout = Boxed(later);
  EXPECT_THAT(differences(now), IsEmpty());
}

TEST_F(RolloutStaleness, TheDecisionMayNot) {
  EXPECT_THAT(differences(story.desired),
              ElementsAre("its rollout now leads to stage 1 of 3 of 'careful' (testing, max_age "
                          "1d), not to stage 2 of 3 of 'careful' (enforce, max_age 1w): not every "
                          "gate holds"));
  Desired refused = story.desired;
  RolloutState stopped = state(RolloutAction::refuse, 1, 1);
  stopped.target = 0;
  refused.rollout = Boxed(stopped);
  EXPECT_THAT(differences(refused), ElementsAre("its rollout stops now: not every gate holds"));
  // The same stage, for another reason.
  Desired pinned = promoted(story);
  pinned.rollout = Boxed(state(RolloutAction::enter, 1, 2));
  EXPECT_EQ(differences(pinned).size(), 1U);
}

TEST_F(RolloutStaleness, NorWhatIsWrittenByHand) {
  Desired other = promoted(story);
  other.ttls.sts = Duration{600};
  EXPECT_THAT(differences(other), ElementsAre("its configuration changed: ttl"));
  Desired moved = promoted(story);
  moved.policy->mx = Story::policy("enforce", "1w", {"other.example.com"}).mx;
  EXPECT_THAT(differences(moved), ElementsAre("its configuration changed: policy.mx"));
  Desired without = promoted(story);
  without.rollout = {};
  EXPECT_THAT(differences(without), ElementsAre("its configuration changed: rollout"));
}

}  // namespace
}  // namespace stsctl::plan
