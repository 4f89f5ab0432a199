// Which policy is published for which MX records.
#include "plan/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plan/story.h"

namespace stsctl::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LiveMx live(const std::vector<std::string>& hosts) {
  LiveMx mx{.hosts = {}, .ttl = Duration{3600}};
  for (const std::string& host : hosts)
    mx.hosts.push_back(*dns::Name::parse(host));
  return mx;
}

std::vector<std::string> texts(const std::vector<sts::MxPattern>& patterns) {
  std::vector<std::string> texts;
  for (const sts::MxPattern& pattern : patterns)
    texts.push_back(sts::format_mx_pattern(pattern));
  return texts;
}

class LiveTarget : public testing::Test {
 protected:
  LiveTarget() {
    story.desired.mx_live = true;
    story.desired.policy = Story::policy("enforce", "1w", {});
  }

  Result<Target> target(const std::optional<Result<LiveMx>>& mx) const {
    Observed observed = story.observed();
    observed.mx = mx;
    return choose_target(story.desired, observed, story.now);
  }

  Story story;
};

TEST_F(LiveTarget, TakesTheHostsByName) {
  const auto chosen = target(live({"b.example", "a.example", "b.example"}));
  ASSERT_TRUE(chosen);
  EXPECT_THAT(texts(chosen->policy.mx), ElementsAre("a.example", "b.example"));
  EXPECT_EQ(chosen->policy.mode, sts::Mode::enforce);
  EXPECT_EQ(chosen->policy.max_age, Duration{604800});
}

TEST_F(LiveTarget, SaysWhyThereIsNone) {
  struct Case {
    const char* name;
    std::optional<Result<LiveMx>> mx;
    Code code;
    const char* what;
  };
  LiveMx implicit = live({"example.com"});
  implicit.implicit = true;
  for (const Case& one : std::vector<Case>{
           {"nobody looked", std::nullopt, Code::unsupported, "nobody was asked"},
           {"lookup failed", fail(Code::timeout, "no answer"), Code::timeout,
            "cannot be read: no answer"},
           {"no domain", fail(Code::not_found, "the domain does not exist in DNS"), Code::not_found,
            "does not exist"},
           {"no MX records", implicit, Code::refused, "no MX records"},
           {"null MX", live({}), Code::refused, "RFC 7505"},
           {"an address for a name", live({"192.0.2.1"}), Code::refused, "192.0.2.1"},
           {"a name no policy can hold", live({"mail.example.com", "bad_host.example"}),
            Code::refused, "bad_host.example"}}) {
    const auto chosen = target(one.mx);
    ASSERT_FALSE(chosen) << one.name;
    EXPECT_EQ(chosen.error().code, one.code) << one.name;
    EXPECT_THAT(chosen.error().what, HasSubstr(one.what));
    EXPECT_EQ(chosen.error().where, "example.com") << one.name;
  }
}

TEST_F(LiveTarget, NeedsAHostThatCanBeWrittenTo) {
  story.desired.as_configured = true;
  const auto chosen = target(live({"mail.example.com"}));
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().hint, HasSubstr("'root'"));
}

// The last thing that a domain without mail needs is a policy that cannot be withdrawn.
TEST_F(LiveTarget, IsWithdrawnWithoutMxRecords) {
  story.desired.policy->mode = sts::Mode::none;
  EXPECT_THAT(texts(target(live({"a.example"}))->policy.mx), ElementsAre("a.example"));
  EXPECT_THAT(target(live({}))->policy.mx, IsEmpty()) << "nothing is served";
  story.body = sts::format_policy(Story::policy("enforce", "1w", {"old.example"}));
  for (const auto& mx : std::vector<std::optional<Result<LiveMx>>>{
           std::nullopt, live({}), fail(Code::timeout, "no answer")})
    EXPECT_THAT(texts(target(mx)->policy.mx), ElementsAre("old.example"));
}

TEST_F(LiveTarget, AnUnplannedDomainHasNoSteps) {
  story.mx = live({});
  const DomainPlan plan = story.plan();
  EXPECT_TRUE(plan.refused());
  EXPECT_FALSE(plan.changed());
}

TEST_F(LiveTarget, ThePlanSaysWhatTheRecordsName) {
  story.mx = live({"b.example", "a.example"});
  const DomainPlan plan = story.apply();
  ASSERT_FALSE(plan.notes.empty());
  EXPECT_EQ(plan.notes.front().id, "mx-live");
  EXPECT_THAT(plan.notes.front().text, HasSubstr("b.example, a.example"));
  EXPECT_FALSE(story.plan().changed());
  story.mx = live({"a.example", "b.example"});
  EXPECT_FALSE(story.plan().changed()) << "their order says nothing about the policy";
}

TEST_F(LiveTarget, MakesASavedPlanStaleOnlyWhereItWouldBeAnother) {
  story.mx = live({"a.example", "b.example"});
  const DomainPlan saved = story.plan();
  const auto stale = [&](const std::optional<Result<LiveMx>>& mx) {
    Observed now = story.observed();
    now.mx = mx;
    return staleness(saved, story.desired, now, {story.now, {}});
  };
  EXPECT_THAT(stale(live({"a.example", "b.example"})), IsEmpty());
  LiveMx cached = live({"b.example", "a.example"});
  cached.ttl = Duration{17};
  EXPECT_THAT(stale(cached), IsEmpty()) << "a resolver's cache runs down";
  EXPECT_THAT(stale(live({"a.example"})), ElementsAre("its MX records changed"));
  EXPECT_THAT(stale(live({"a.example", "b.example", "c.example"})),
              ElementsAre("its MX records changed"));
  EXPECT_THAT(stale(fail(Code::timeout, "no answer")), ElementsAre(HasSubstr("no answer")));
  EXPECT_THAT(stale(std::nullopt), ElementsAre(HasSubstr("nobody was asked")));
}

}  // namespace
}  // namespace stsctl::plan
