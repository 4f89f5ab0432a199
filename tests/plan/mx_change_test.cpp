// MX records that change while plans are applied every night: what senders of every kind do about
// it, from the first night to the last.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/proof.h"
#include "plan/senders.h"
#include "tests/plan/story.h"

namespace stsctl::plan {
namespace {

using std::chrono::days;
using testing::HasSubstr;
using testing::IsEmpty;
using Hosts = std::vector<std::string>;

constexpr std::array kinds{SenderKind::prompt, SenderKind::daily, SenderKind::strict};

// A domain, its operator and the nights; everything that senders see is written down.
class Nights {
 public:
  Nights(const Hosts& patterns, const Hosts& mx, SenderKind safety) {
    story_.desired.safety = safety;
    line_.policies.push_back({Duration{0}, std::nullopt});
    line_.ids.push_back({Duration{0}, std::nullopt});
    line_.id_ttl = Duration{300};
    line_.mx_ttl = Duration{3600};
    begin_ = story_.now;
    move(mx);
    line_.mx = {{Duration{0}, story_.mx->hosts}};
    want(patterns);
    night();
    pass(40);  // whatever was before has ended
  }

  void want(const Hosts& patterns) {
    story_.desired.policy = Story::policy("enforce", "1w", patterns);
  }

  void move(const Hosts& hosts) {
    LiveMx mx{.hosts = {}, .ttl = Duration{3600}};
    for (const std::string& host : hosts)
      mx.hosts.push_back(*dns::Name::parse(host));
    line_.mx.push_back({story_.now - begin_, mx.hosts});
    story_.mx = mx;
  }

  // One apply that stops after `most` steps, and the day after it.
  DomainPlan night(std::size_t most = 99) {
    const DomainPlan plan = story_.plan();
    for (const Step& step : plan.steps) {
      if (most-- == 0) break;
      const std::string id = story_.id();
      const auto body = story_.body;
      story_.now += Duration{1};
      story_.take(step);
      if (story_.body != body)
        line_.policies.push_back({story_.now - begin_, sts::parse_policy(*story_.body).value});
      if (story_.id() != id) line_.ids.push_back({story_.now - begin_, story_.id()});
    }
    pass(1);
    return plan;
  }

  void pass(int count) { story_.now += days{count}; }

  // Nights until nothing is to come without the operator; the plan of the last one.
  DomainPlan settle() {
    for (int i = 0; i < 60; ++i) {
      const DomainPlan plan = night();
      const bool waits =
          std::ranges::any_of(plan.later, [](const Later& later) { return later.due.has_value(); });
      if (!plan.changed() && !waits) return plan;
    }
    ADD_FAILURE() << "it never settles";
    return story_.plan();
  }

  // Until no sender that is waited for holds an older policy.
  void wait() {
    const Time known = safe_for(story_.desired.safety, *safe_since(story_.observed(), Duration{0}));
    if (known > story_.now) story_.now = known;
  }

  Duration refused(SenderKind kind) const { return worst_refusal(line_, kind).total; }
  Story& story() { return story_; }

  // How often the policy became smaller.
  int shrunk() const {
    int times = 0;
    for (std::size_t i = 2; i < line_.policies.size(); ++i)
      times += line_.policies[i].what->mx.size() < line_.policies[i - 1].what->mx.size() ? 1 : 0;
    return times;
  }

 private:
  Story story_;
  Time begin_;
  Timeline line_;
};

struct Change {
  const char* name;
  Hosts patterns;
  Hosts mx;
  Hosts wanted;
  Hosts moved;
};

std::vector<Change> changes() {
  return {{"another host", {"old.x"}, {"old.x"}, {"new.x"}, {"new.x"}},
          {"one of two", {"a.x", "old.x"}, {"a.x", "old.x"}, {"a.x", "new.x"}, {"a.x", "new.x"}},
          {"both of two", {"a.x", "b.x"}, {"a.x", "b.x"}, {"c.x", "d.x"}, {"d.x"}},
          {"a wildcard's", {"*.old.x"}, {"mx.old.x"}, {"*.new.x"}, {"mx.new.x"}},
          {"one less", {"a.x", "old.x"}, {"a.x", "old.x"}, {"a.x"}, {"a.x"}}};
}

bool publishes(const Story& story, const Hosts& patterns) {
  return story.body == sts::format_policy(Story::policy("enforce", "1w", patterns));
}

TEST(MxChange, AtTheToldTimeRefusesNothing) {
  for (const SenderKind safety : kinds)
    for (const Change& change : changes()) {
      Nights nights(change.patterns, change.mx, safety);
      nights.want(change.wanted);
      const DomainPlan waiting = nights.settle();
      ASSERT_EQ(waiting.later.size(), 1U) << change.name;
      EXPECT_FALSE(publishes(nights.story(), change.wanted)) << change.name << " too early";
      nights.move(change.moved);
      const DomainPlan done = nights.settle();
      EXPECT_THAT(done.later, IsEmpty()) << change.name;
      EXPECT_TRUE(publishes(nights.story(), change.wanted)) << change.name;
      for (const SenderKind kind : kinds)
        if (kind <= safety)
          EXPECT_EQ(nights.refused(kind), Duration{0})
              << change.name << ", " << to_string(kind) << " of " << to_string(safety);
    }
}

// The dates are not too late either: a day before, somebody refuses.
TEST(MxChange, TooEarlyIsRefusedBySomebodyAndSaid) {
  Nights nights({"old.x"}, {"old.x"}, SenderKind::strict);
  nights.want({"new.x"});
  const DomainPlan plan = nights.night();
  ASSERT_TRUE(plan.mx && plan.mx->may_change);
  EXPECT_EQ(plan.later.front().due, plan.mx->may_change->strict);
  nights.pass(4);
  nights.move({"new.x"});
  const DomainPlan early = nights.night();
  EXPECT_THAT(early.notes, testing::Contains(testing::Field(&Note::id, "mx-moved-early")));
  nights.settle();
  EXPECT_EQ(nights.refused(SenderKind::prompt), Duration{0});
  EXPECT_EQ(nights.refused(SenderKind::daily), Duration{0});
  EXPECT_GT(nights.refused(SenderKind::strict), Duration{86400});
}

// Senders that hold the MX records of a moment before would refuse a policy that shrinks with them.
TEST(MxChange, ThePolicyShrinksADayAfterTheRecords) {
  Nights nights({"a.x", "old.x"}, {"old.x"}, SenderKind::prompt);
  nights.want({"a.x"});
  nights.settle();
  nights.move({"a.x"});
  const DomainPlan marked = nights.night();
  ASSERT_EQ(marked.steps.size(), 2U) << "seen once more, then an id that says who is leaving";
  EXPECT_TRUE(publishes(nights.story(), {"a.x", "old.x"}));
  EXPECT_THAT(marked.later.front().what, HasSubstr("old.x leaves the policy"));
  EXPECT_EQ(marked.later.front().due, *marked.mx->kept.front().until);
  const DomainPlan shrunk = nights.night();
  EXPECT_TRUE(shrunk.changed());
  EXPECT_THAT(shrunk.later, IsEmpty());
  EXPECT_TRUE(publishes(nights.story(), {"a.x"}));
}

TEST(MxChange, ACrashAnywhereIsMadeUpFor) {
  for (const Change& change : {changes()[0], changes()[2]})
    for (std::size_t first = 0; first < 4; ++first)
      for (const std::size_t second : {0U, 1U}) {
        Nights nights(change.patterns, change.mx, SenderKind::strict);
        nights.want(change.wanted);
        nights.night(first);
        nights.settle();
        nights.move(change.moved);
        nights.night(second);  // the id that says who is leaving
        nights.night(first);   // the smaller policy
        EXPECT_THAT(nights.settle().later, IsEmpty());
        EXPECT_TRUE(publishes(nights.story(), change.wanted)) << change.name;
        for (const SenderKind kind : kinds)
          EXPECT_EQ(nights.refused(kind), Duration{0})
              << change.name << " " << first << " " << second << " " << to_string(kind);
      }
}

// An operator who changes mind, patterns and records at random, but no record before it is said.
class Whims {
 public:
  explicit Whims(unsigned seed) : random_(seed) {}

  Hosts some(const Hosts& of) {
    Hosts chosen;
    for (const std::string& one : of)
      if (below(2) == 0) chosen.push_back(one);
    return chosen.empty() ? Hosts{of[below(of.size())]} : chosen;
  }
  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  std::mt19937 random_;
};

// A host that each of the patterns allows.
Hosts hosts_of(const Hosts& patterns) {
  Hosts hosts;
  for (const std::string& pattern : patterns)
    hosts.push_back(pattern.starts_with("*.") ? "mx" + pattern.substr(1) : pattern);
  return hosts;
}

TEST(MxChange, WhateverAPatientOperatorDoesNothingIsRefused) {
  const Hosts all{"a.x", "b.x", "mx.d.x", "*.d.x"};
  int shrunk = 0;
  for (unsigned seed = 0; seed < 24; ++seed) {
    Whims whims(seed);
    const SenderKind safety = kinds[seed % kinds.size()];
    Hosts wanted = whims.some(all);
    Nights nights(wanted, whims.some(hosts_of(wanted)), safety);
    for (int change = 0; change < 2; ++change) {
      wanted = whims.some(all);
      nights.want(wanted);
      nights.night(whims.below(5));
      nights.settle();
      nights.wait();
      nights.move(whims.some(hosts_of(wanted)));
      for (std::size_t night = whims.below(3); night > 0; --night)
        nights.night(whims.below(5));
    }
    EXPECT_THAT(nights.settle().later, IsEmpty()) << seed;
    EXPECT_TRUE(publishes(nights.story(), wanted)) << seed;
    shrunk += nights.shrunk();
    EXPECT_EQ(nights.refused(safety), Duration{0}) << seed << ", " << to_string(safety);
  }
  EXPECT_GT(shrunk, 20) << "the worlds must not be all harmless";
}

TEST(MxChange, RecordsThatComeBackAreKeptAsLongAsTheyStay) {
  Nights nights({"old.x"}, {"old.x"}, SenderKind::strict);
  nights.want({"new.x"});
  nights.settle();
  for (int i = 0; i < 3; ++i) {
    nights.move({"new.x"});
    nights.night();
    nights.move({"old.x"});
    nights.night();
  }
  EXPECT_TRUE(publishes(nights.story(), {"new.x", "old.x"}));
  nights.move({"new.x"});
  EXPECT_THAT(nights.settle().later, IsEmpty());
  for (const SenderKind kind : kinds)
    EXPECT_EQ(nights.refused(kind), Duration{0}) << to_string(kind);
}

// Live patterns follow the records: a host more at first, and the old one goes when the plan says.
TEST(MxChange, LivePatternsFollowARecordThatIsAddedBeforeAnotherGoes) {
  Nights nights({"old.x"}, {"old.x"}, SenderKind::strict);
  Story& story = nights.story();
  story.desired.mx_live = true;
  nights.want({});
  nights.settle();
  nights.move({"old.x", "new.x"});
  nights.night();
  EXPECT_TRUE(publishes(story, {"new.x", "old.x"}));
  const DomainPlan settling = nights.night();
  EXPECT_FALSE(settling.changed());
  ASSERT_EQ(settling.notes.size(), 1U);
  EXPECT_EQ(settling.notes.front().id, "mx-settling");
  EXPECT_THAT(settling.notes.front().text, HasSubstr(format_day(story.generated()->horizon)));
  nights.pass(8);
  nights.move({"new.x"});
  EXPECT_THAT(nights.settle().later, IsEmpty());
  EXPECT_TRUE(publishes(story, {"new.x"}));
  for (const SenderKind kind : kinds)
    EXPECT_EQ(nights.refused(kind), Duration{0}) << to_string(kind);
}

TEST(MxChange, APolicyThatStaysIsNotWrittenForItsOrder) {
  Nights nights({"b.x"}, {"a.x", "b.x"}, SenderKind::prompt);
  Story& story = nights.story();
  story.desired.mx_live = true;
  nights.want({});
  nights.settle();
  EXPECT_TRUE(publishes(story, {"a.x", "b.x"}) || publishes(story, {"b.x", "a.x"}));
  nights.move({"b.x"});  // wanted comes first, and yet the policy says the same
  const DomainPlan marked = nights.night();
  ASSERT_TRUE(marked.changed());
  for (const Step& step : marked.steps)
    EXPECT_NE(step.stage, Stage::publish) << step.why;
}

TEST(MxChange, RecordsThatCannotBeReadLetNothingGo) {
  Nights nights({"old.x"}, {"old.x"}, SenderKind::strict);
  nights.want({"new.x"});
  nights.settle();
  nights.move({"new.x"});
  nights.night();
  Observed unread = nights.story().observed();
  unread.mx = fail(Code::timeout, "no answer");
  const DomainPlan plan = make_domain(nights.story().desired, unread, {nights.story().now, {}});
  EXPECT_FALSE(plan.changed()) << "though the day is over";
  ASSERT_EQ(plan.later.size(), 1U);
  EXPECT_THAT(describe(plan.later.front()), HasSubstr("until the MX records can be read"));
}

TEST(MxChange, OtherIdsKeepOnlyWhatTheRecordsName) {
  for (const IdStrategy strategy : {IdStrategy::timestamp, IdStrategy::digest}) {
    Nights nights({"old.x"}, {"old.x"}, SenderKind::strict);
    nights.story().desired.id_strategy = strategy;
    nights.settle();
    nights.want({"new.x"});
    nights.settle();
    EXPECT_TRUE(publishes(nights.story(), {"new.x", "old.x"}));
    nights.move({"new.x"});
    const DomainPlan plan = nights.night();
    EXPECT_TRUE(publishes(nights.story(), {"new.x"}));
    EXPECT_THAT(plan.notes, testing::Contains(testing::Field(&Note::id, "mx-pattern-removed")));
  }
}

TEST(MxChange, AHostThatServesItsConfigurationGetsWhatThatSays) {
  Nights nights({"old.x"}, {"old.x"}, SenderKind::strict);
  nights.story().desired.as_configured = true;
  nights.want({"new.x"});
  const DomainPlan plan = nights.story().plan();
  EXPECT_TRUE(plan.refused()) << "the MX records name only the old host";
  EXPECT_THAT(plan.notes, testing::Contains(testing::Field(&Note::id, "mail-refused")));
}

TEST(MxChange, AHostThatNobodyListedIsAllowedAndSaid) {
  Nights nights({"a.x"}, {"a.x"}, SenderKind::strict);
  nights.move({"a.x", "b.x"});
  nights.want({"a.x", "c.x"});
  const DomainPlan plan = nights.night();
  EXPECT_TRUE(publishes(nights.story(), {"a.x", "c.x", "b.x"}));
  EXPECT_THAT(plan.notes,
              testing::Contains(testing::AllOf(testing::Field(&Note::id, "mx-not-listed"),
                                               testing::Field(&Note::text, HasSubstr("b.x")))));
}

TEST(MxChange, AForeignIdIsReplacedToRememberWhoLeft) {
  Story story;
  story.set_txt("v=STSv1; id=20200101");
  story.body = sts::format_policy(Story::policy("enforce", "1w", {"new.x", "old.x"}));
  story.desired.policy = Story::policy("enforce", "1w", {"new.x"});
  story.mx = LiveMx{{*dns::Name::parse("new.x")}, Duration{3600}};
  const DomainPlan marked = story.apply();
  EXPECT_EQ(marked.steps.size(), 2U);
  ASSERT_TRUE(story.generated());
  EXPECT_FALSE(story.plan().changed());
  story.now += days{1};
  story.apply();
  EXPECT_EQ(story.body, sts::format_policy(*story.desired.policy));
}

}  // namespace
}  // namespace stsctl::plan
