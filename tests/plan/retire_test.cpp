// How MTA-STS ends for a domain, night by night, and what must never happen on the way.
#include "plan/retire.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/senders.h"
#include "tests/plan/story.h"

namespace stsctl::plan {
namespace {

using std::chrono::days;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::array kinds{SenderKind::prompt, SenderKind::daily, SenderKind::strict};

std::vector<Stage> stages(const DomainPlan& plan) {
  std::vector<Stage> all;
  for (const Step& step : plan.steps)
    all.push_back(step.stage);
  return all;
}

class Retire : public testing::Test {
 protected:
  Retire() {
    story.desired.tlsrpt = sts::TlsRptRecord{{"mailto:tls@example.net"}};
    story.desired.address = Address{.cname = *dns::Name::parse("web.example.net")};
    story.desired.policy = Story::policy("enforce", "1w");
    story.apply();
    story.now += days{30};
  }

  void retire() {
    story.desired.retired = true;
    story.desired.policy->mode = sts::Mode::none;
    story.desired.policy->max_age = sts::min_published_max_age;
  }

  bool holds(const dns::Name& owner) const {
    return std::ranges::find(story.sets, owner, &dns::RecordSet::owner) != story.sets.end();
  }

  sts::Policy served() const { return *sts::parse_policy(*story.body).value; }
  Time end() const { return Time(story.generated()->horizon); }

  Story story;
  Owners names = owners(story.domain);
};

TEST_F(Retire, TakesThePolicyBackWaitsAndThenTakesAllOut) {
  retire();
  const DomainPlan first = story.apply();
  EXPECT_THAT(stages(first), ElementsAre(Stage::publish, Stage::confirm, Stage::announce));
  EXPECT_EQ(served(), Story::policy("none", "1d")) << "its patterns stay";
  EXPECT_GE(end(), story.now + days{7});
  ASSERT_EQ(first.later.size(), 1U);
  EXPECT_EQ(first.later[0].due, end());

  const std::string id = story.id();
  while (story.now + days{1} < end()) {
    story.now += days{1};
    const DomainPlan night = story.apply();
    EXPECT_THAT(night.steps, IsEmpty()) << format_time(story.now);
    EXPECT_EQ(night.later, first.later);
  }
  story.now = end() - Duration{1};
  EXPECT_FALSE(story.plan().changed()) << "a second early";
  EXPECT_EQ(story.id(), id);

  const Time due = end();
  story.now = due;
  const DomainPlan last = story.apply();
  EXPECT_THAT(stages(last), ElementsAre(Stage::confirm, Stage::retract, Stage::retract,
                                        Stage::withdraw, Stage::release));
  EXPECT_EQ(std::get<PolicyServed>(last.steps[0].action).not_before, due);
  EXPECT_EQ(std::get<CachesExpired>(last.steps[2].action).settle, default_sts_ttl);
  EXPECT_THAT(last.later, IsEmpty());
  EXPECT_FALSE(last.refused());
  EXPECT_FALSE(holds(names.sts));
  EXPECT_FALSE(holds(names.address));
  EXPECT_FALSE(story.body);
  EXPECT_TRUE(holds(names.tlsrpt)) << "nobody asked for that";
  EXPECT_FALSE(story.plan().changed());
}

// Crashes after every step of every night lead to the same end, and no sender ever refuses mail,
// though the MX records change on the day after the end.
TEST_F(Retire, NoSenderIsStrandedWhereverAnApplyDies) {
  for (std::size_t crash_at = 0; crash_at < 12; ++crash_at) {
    Story night = story;
    const Time begin = night.now - days{30};
    Timeline line{.id_ttl = default_sts_ttl, .mx_ttl = Duration{3600}, .from = days{30}};
    line.policies = {{Duration{0}, std::nullopt}, {Duration{1}, served()}};
    line.ids = {{Duration{0}, std::nullopt}, {Duration{2}, night.id()}};
    line.mx = {{Duration{0}, {*dns::Name::parse("mail.example.com")}}};
    night.desired.retired = true;
    night.desired.policy = Story::policy("none", "1d");
    std::size_t taken = 0;
    for (int i = 0; i < 20; ++i, night.now += days{1}) {
      for (const Step& step : night.plan().steps) {
        if (taken++ == crash_at) break;
        night.now += Duration{1};
        const auto* wait = std::get_if<CachesExpired>(&step.action);
        if (wait != nullptr) night.now += wait->settle;
        const std::string id = night.id();
        const auto body = night.body;
        night.take(step);
        const Duration at = night.now - begin;
        if (night.body != body)
          line.policies.push_back(
              {at, night.body ? sts::parse_policy(*night.body).value : std::nullopt});
        if (night.id() != id)
          line.ids.push_back({at, night.id().empty() ? std::nullopt : std::optional(night.id())});
      }
    }
    EXPECT_FALSE(night.body) << crash_at;
    EXPECT_EQ(night.txt(), "") << crash_at;
    EXPECT_THAT(night.plan().steps, IsEmpty()) << crash_at;
    const Duration gone = line.policies.back().at;
    line.mx.push_back({gone + Duration{3600}, {*dns::Name::parse("new.example.net")}});
    EXPECT_FALSE(may_store_stale(line)) << crash_at;
    for (const SenderKind kind : kinds)
      EXPECT_EQ(worst_refusal(line, kind), Refusal{}) << crash_at << " " << to_string(kind);
  }
}

TEST_F(Retire, AClockThatWentBackTakesNothingOut) {
  retire();
  story.apply();
  story.now -= days{400};
  EXPECT_FALSE(story.plan().changed());
  ASSERT_EQ(story.plan().later.size(), 1U);
  EXPECT_EQ(story.plan().later[0].due, end());
}

// An id made while the clock was ahead says a day that was never reached.
TEST_F(Retire, AClockThatWasAheadTakesNothingOutWhenItIsRightAgain) {
  retire();
  story.now += days{400};
  story.apply();
  const Time made = story.generated()->published;
  story.now -= days{400};
  EXPECT_FALSE(story.plan().changed());
  EXPECT_GE(*story.plan().later.at(0).due, made);
}

TEST_F(Retire, TwiceByHandOnOneDayIsAsOnce) {
  retire();
  story.apply();
  story.apply();
  EXPECT_FALSE(story.plan().changed());
  EXPECT_TRUE(holds(names.sts));
}

TEST_F(Retire, AForeignIdIsReplacedByOneThatTellsTheDay) {
  for (const auto& [longest, wait] :
       {std::pair{std::optional<Duration>{}, sts::max_max_age}, {days{30}, days{30}}}) {
    Story other = story;
    other.set_txt("v=STSv1; id=2024");
    other.body = sts::format_policy(Story::policy("none", "1d"));
    other.desired.retired = true;
    other.desired.policy = Story::policy("none", "1d");
    other.desired.longest_max_age = longest;
    other.apply();
    ASSERT_TRUE(other.generated());
    EXPECT_GE(Time(other.generated()->horizon), other.now + wait);
    EXPECT_LT(Time(other.generated()->horizon), other.now + wait + days{2});
    EXPECT_FALSE(other.plan().changed());
  }
}

TEST_F(Retire, WhatWasNeverPublishedNeedsNothing) {
  story.sets.clear();
  story.body.reset();
  story.desired.tlsrpt.reset();
  retire();
  EXPECT_FALSE(story.plan().changed());
  EXPECT_THAT(story.plan().later, IsEmpty());
}

TEST_F(Retire, ARecordThatSomebodyDeletedIsPutBackWhileAPolicyMayBeCached) {
  std::erase_if(story.sets, [&](const dns::RecordSet& set) { return set.owner == names.sts; });
  retire();
  EXPECT_THAT(stages(story.apply()), ElementsAre(Stage::publish, Stage::confirm, Stage::announce));
  EXPECT_GE(end(), story.now + days{7});
}

TEST_F(Retire, OtherValuesAtTheNameStay) {
  retire();
  story.apply();
  for (dns::RecordSet& set : story.sets)
    if (set.owner == names.sts) set.values.insert(set.values.begin(), "something else");
  EXPECT_FALSE(story.plan().changed());
  story.now = Time(published_id(story.observed())->horizon);
  story.apply();
  EXPECT_EQ(story.txt(), "something else");
  EXPECT_FALSE(story.body);
}

TEST_F(Retire, AnAddressThatLeadsElsewhereStaysWhenNothingIsPublished) {
  std::erase_if(story.sets, [&](const dns::RecordSet& set) { return set.owner == names.sts; });
  story.body.reset();
  for (dns::RecordSet& set : story.sets)
    if (set.owner == names.address) set.values = {"elsewhere.example.org"};
  retire();
  EXPECT_FALSE(story.plan().changed());
}

TEST_F(Retire, AHostThatServesTheConfigurationKeepsItsFile) {
  story.desired.as_configured = true;
  retire();
  story.body = sts::format_policy(*story.desired.policy);
  story.apply();
  story.now = end();
  EXPECT_THAT(stages(story.apply()),
              ElementsAre(Stage::confirm, Stage::retract, Stage::retract, Stage::release));
  EXPECT_FALSE(story.plan().changed());
}

TEST_F(Retire, TlsRptGoesLast) {
  retire();
  story.desired.tlsrpt.reset();
  story.desired.tlsrpt_retired = true;
  story.apply();
  EXPECT_TRUE(holds(names.tlsrpt));
  story.now = end();
  const DomainPlan last = story.apply();
  EXPECT_TRUE(holds(names.tlsrpt));
  EXPECT_THAT(last.later, Contains(Field(&Later::what, HasSubstr("TLS-RPT"))));
  story.now += days{1};
  EXPECT_THAT(stages(story.apply()), ElementsAre(Stage::release));
  EXPECT_THAT(story.sets, IsEmpty());
  EXPECT_THAT(story.plan().later, IsEmpty());
}

TEST_F(Retire, TlsRptAloneGoesAtOnce) {
  story.desired.tlsrpt.reset();
  story.desired.tlsrpt_retired = true;
  EXPECT_THAT(stages(story.apply()), ElementsAre(Stage::release));
  EXPECT_FALSE(holds(names.tlsrpt));
  EXPECT_TRUE(holds(names.sts));
}

// The planner never makes such a plan; the proof does not take its word for it.
TEST_F(Retire, ARemovalThatStrandsSendersIsFound) {
  const auto early = [&](const Story& world) {
    DomainPlan plan{.desired = world.desired};
    plan.steps = {{Stage::retract,
                   RecordChange{"dns", world.domain, {{world.observed().sts->sets[0], {}}}}, ""}};
    return strands_senders(plan, world.observed(), world.now);
  };
  EXPECT_TRUE(early(story)) << "it enforces";
  retire();
  story.apply();
  EXPECT_TRUE(early(story)) << "older policies live on";
  story.now = end();
  EXPECT_FALSE(early(story));
  story.body = sts::format_policy(Story::policy("enforce", "1d"));
  EXPECT_TRUE(early(story)) << "the host serves another policy again";
  story.set_txt("v=STSv1; id=2024");
  EXPECT_TRUE(early(story)) << "nobody knows";
}

TEST_F(Retire, IsWrittenAndReadAsJson) {
  retire();
  story.apply();
  story.now = end();
  Plan plan{.created = story.now, .valid_until = story.now, .domains = {story.plan()}};
  const auto read = plan_from_json(to_json(plan));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->domains[0].steps, plan.domains[0].steps);
  EXPECT_EQ(read->domains[0].desired, plan.domains[0].desired);
}

}  // namespace
}  // namespace stsctl::plan
