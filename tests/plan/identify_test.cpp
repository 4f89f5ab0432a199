// The id carries which, when, and until when (docs/policy-id.md): the cases worked through.
#include "plan/identify.h"

#include <gtest/gtest.h>

#include "tests/plan/story.h"

namespace stsctl::plan {
namespace {

using std::chrono::days;
using std::chrono::hours;

std::string day(const std::optional<sts::PolicyId>& id) {
  return id ? format_day(id->horizon) : "";
}

TEST(Id, FirstPublication) {
  Story story;
  story.apply();
  ASSERT_TRUE(story.generated());
  EXPECT_EQ(story.generated()->published, story.now);
  EXPECT_TRUE(sts::announces(*story.generated(), *story.desired.policy));
  EXPECT_EQ(day(story.generated()), "2026-11-24");  // nothing was served before
  EXPECT_FALSE(story.plan().changed());
}

TEST(Id, EditedInYamlBumpsAfterThePolicy) {
  Story story;
  story.apply();
  const std::string first = story.id();
  story.now += hours{1};
  story.desired.policy = Story::policy("enforce", "1d");
  const DomainPlan plan = story.apply();
  ASSERT_EQ(plan.steps.size(), 3U);
  EXPECT_EQ(plan.steps[0].stage, Stage::publish);  // RFC 8461 §8.1: the policy first
  EXPECT_EQ(plan.steps[1].stage, Stage::confirm);
  EXPECT_EQ(plan.steps[2].stage, Stage::announce);
  EXPECT_NE(story.id(), first);
  EXPECT_EQ(day(story.generated()), "2026-11-26");  // 24th 09:00 + 1 day, rounded up
  EXPECT_FALSE(story.plan().changed());
}

TEST(Id, EditedByHandAtTheHostIsMendedAndBumped) {
  Story story;
  story.apply();
  const std::string first = story.id();
  story.body = sts::format_policy(Story::policy("none", "1w"));
  story.apply();
  EXPECT_EQ(story.body, sts::format_policy(*story.desired.policy));
  EXPECT_NE(story.id(), first);  // a sender may hold the edit under the old id
  EXPECT_EQ(day(story.generated()),
            "2026-12-02");  // the edit's week counts: 08:00 + 7 d, rounded up
}

TEST(Id, EditedByHandStaysWhileThePolicyIsUnchanged) {
  Story story;
  story.apply();
  story.set_txt("v=STSv1; id=byhand1");
  EXPECT_FALSE(story.plan().changed());
}

TEST(Id, ForeignIdIsAdoptedBeforeThePolicyChanges) {
  Story story;
  story.set_txt("v=STSv1; id=20200101");
  story.body = sts::format_policy(Story::policy("testing", "1d"));
  EXPECT_FALSE(story.plan().changed());  // adopting what is there changes nothing
  story.desired.policy = Story::policy("enforce", "1d");
  const DomainPlan plan = story.plan();
  ASSERT_EQ(plan.steps.size(), 4U);
  EXPECT_EQ(plan.steps[0].stage, Stage::prepare);
  // Crash after any step: the next apply ends at the wanted policy under an id that announces it.
  for (std::size_t steps = 0; steps < 4; ++steps) {
    Story crashed = story;
    crashed.apply(steps);
    crashed.now += hours{1};
    crashed.apply();
    EXPECT_EQ(crashed.body, sts::format_policy(*story.desired.policy)) << steps;
    ASSERT_TRUE(crashed.generated()) << steps;
    EXPECT_TRUE(sts::announces(*crashed.generated(), *story.desired.policy)) << steps;
    // Its history is taken as the longest the RFC allows: 366 days less 6 hours.
    EXPECT_GE(crashed.generated()->horizon, story.now + days{365}) << steps;
    EXPECT_FALSE(crashed.plan().changed());
  }
}

TEST(Id, HistoryOfAForeignIdMayBeStated) {
  Story story;
  story.set_txt("v=STSv1; id=20200101");
  story.body = sts::format_policy(Story::policy("testing", "1d"));
  story.desired.policy = Story::policy("enforce", "1d");
  story.desired.longest_max_age = Duration{604800};
  story.apply();
  EXPECT_EQ(day(story.generated()), "2026-12-02");
}

TEST(Id, CrashBetweenPolicyAndIdIsFinished) {
  Story story;
  story.desired.policy = Story::policy("enforce", "3w");
  story.apply();
  const std::string first = story.id();
  story.now += hours{10};
  story.desired.policy = Story::policy("enforce", "1d");
  story.apply(2);  // policy written and seen, id not
  EXPECT_EQ(story.id(), first);
  story.now += hours{10};
  const DomainPlan plan = story.apply();
  ASSERT_EQ(plan.steps.size(), 2U);  // seen once more, then announced
  EXPECT_NE(story.id(), first);
  EXPECT_TRUE(sts::announces(*story.generated(), *story.desired.policy));
  // The old policy's three weeks are no longer served, but its digest tells of them.
  EXPECT_EQ(day(story.generated()), "2026-12-17");
}

TEST(Id, APolicyThatReturnsGetsANewId) {
  Story story;
  story.apply();
  const std::string first = story.id();
  story.now += hours{1};
  story.desired.policy = Story::policy("enforce", "1d");
  story.apply();
  story.now += hours{1};
  story.desired.policy = Story::policy("testing", "1d");
  story.apply();
  EXPECT_NE(story.id(), first);
  EXPECT_EQ(story.generated()->digest, sts::parse_policy_id(first)->digest);
}

TEST(Id, ClockSetBackStillGivesALaterId) {
  Story story;
  story.apply();
  const Time first = story.generated()->published;
  story.now -= days{400};
  story.desired.policy = Story::policy("enforce", "1d");
  story.apply();
  EXPECT_EQ(story.generated()->published, first + std::chrono::seconds{1});
  EXPECT_GE(story.generated()->horizon, Day{std::chrono::floor<days>(first)});  // never falls
}

TEST(Id, HorizonIsCarriedOverThreeChanges) {
  Story story;
  story.desired.policy = Story::policy("enforce", "4w");
  story.apply();
  EXPECT_EQ(day(story.generated()), "2026-11-24");
  story.now += days{1};
  story.desired.policy = Story::policy("enforce", "1d");  // falling: the four weeks still count
  story.apply();
  EXPECT_EQ(day(story.generated()), "2026-12-24");  // 25th + 28 days at 08:00, rounded up
  story.now += days{1};
  story.desired.policy = Story::policy("enforce", "2w");
  story.apply();
  EXPECT_EQ(day(story.generated()), "2026-12-24");  // 26th + 1 day is earlier: carried
  story.now += days{20};
  story.desired.policy = Story::policy("none", "1d");  // rising: two weeks from 16 December
  story.apply();
  EXPECT_EQ(day(story.generated()), "2026-12-31");
}

TEST(Id, TheSamePolicyAHundredTimesIsOneId) {
  Story story;
  story.apply();
  const std::string first = story.id();
  for (int i = 0; i < 100; ++i) {
    story.now += hours{7};
    EXPECT_FALSE(story.apply().changed());
  }
  EXPECT_EQ(story.id(), first);
}

TEST(Id, SavedPlansAndEdgesMakeTheHorizonLater) {
  Story story;
  story.apply();
  story.desired.policy = Story::policy("enforce", "1d");
  story.valid_for = days{2};
  story.desired.edge_delay = hours{24};
  story.apply();
  EXPECT_EQ(day(story.generated()), "2026-11-29");  // 24th 08:00 + 2 + 1 + 1 days, rounded up
}

TEST(Id, SeveralRecordsAreReplacedByOneNewOne) {
  Story story;
  story.apply();
  const dns::RecordSet set{owners(story.domain).sts,
                           dns::Type::txt,
                           Duration{300},
                           {"google-site-verification=x", "v=STSv1; id=a", "v=STSv1; id=b"}};
  std::erase_if(story.sets, [&](const auto& one) { return one.owner == set.owner; });
  story.sets.push_back(set);
  story.apply();
  const auto txt = txt_values(*story.observed().sts);
  ASSERT_EQ(txt.size(), 2U);
  EXPECT_EQ(txt[0], "google-site-verification=x");  // not ours: left alone
  EXPECT_TRUE(sts::parse_sts_records(txt).value);
}

TEST(Id, PolicyMissingAtTheHostKeepsTheId) {
  Story story;
  story.apply();
  const std::string first = story.id();
  story.body.reset();  // a new, empty host: nobody can have fetched another policy there
  const DomainPlan plan = story.apply();
  EXPECT_EQ(plan.steps.size(), 2U);
  EXPECT_EQ(story.id(), first);
}

TEST(Id, OtherStrategies) {
  Story story;
  story.desired.id_strategy = IdStrategy::timestamp;
  story.apply();
  EXPECT_EQ(story.id(), "20261124T080000Z");
  story.desired.policy = Story::policy("enforce", "1d");
  story.apply();  // within the same second
  EXPECT_EQ(story.id(), "20261124T080001Z");

  story.desired.id_strategy = IdStrategy::digest;
  story.apply();
  const std::string digest = story.id();
  EXPECT_EQ(digest.size(), 32U);
  EXPECT_EQ(digest.substr(0, 13), sts::policy_digest(*story.desired.policy));
  EXPECT_FALSE(story.plan().changed());

  story.desired.id_strategy = IdStrategy::fixed;
  story.desired.fixed_id = "mine1";
  story.apply();
  EXPECT_EQ(story.id(), "mine1");
  story.desired.policy = Story::policy("testing", "1d");
  EXPECT_TRUE(story.plan().refused());  // a changed policy under an unchanged id
  story.desired.fixed_id = "mine2";
  EXPECT_FALSE(story.plan().refused());
}

}  // namespace
}  // namespace stsctl::plan
