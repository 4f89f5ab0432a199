#include "plan/make.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/plan/story.h"

namespace stsctl::plan {
namespace {

Desired whole(Story& story) {
  story.desired.tlsrpt = sts::TlsRptRecord{{"mailto:tls@example.net"}};
  story.desired.address = Address{.cname = *dns::Name::parse("web.example.net")};
  return story.desired;
}

std::vector<Stage> stages(const DomainPlan& plan) {
  std::vector<Stage> all;
  for (const Step& step : plan.steps)
    all.push_back(step.stage);
  return all;
}

TEST(Make, FirstPublicationInTheSafeOrder) {
  Story story;
  whole(story);
  const DomainPlan plan = story.apply();
  EXPECT_EQ(stages(plan), (std::vector{Stage::prepare, Stage::prepare, Stage::publish,
                                       Stage::confirm, Stage::announce}));
  const auto& tlsrpt = std::get<RecordChange>(plan.steps[0].action);  // first of all: it reports
  EXPECT_EQ(tlsrpt.edits.front().after->owner.text(), "_smtp._tls.example.com");
  EXPECT_EQ(tlsrpt.edits.front().after->ttl, default_tlsrpt_ttl);
  EXPECT_FALSE(story.plan().changed());
}

TEST(Make, CrashAfterAnyStepEndsAtTheSameState) {
  Story story;
  whole(story);
  const std::size_t steps = story.plan().steps.size();
  for (std::size_t taken = 0; taken <= steps; ++taken) {
    Story crashed = story;
    crashed.apply(taken);
    // Whatever id is announced, its policy is served.
    if (const auto id = crashed.generated())
      EXPECT_TRUE(sts::announces(*id, *sts::parse_policy(*crashed.body).value)) << taken;
    crashed.apply();
    EXPECT_FALSE(crashed.plan().changed()) << taken;
    EXPECT_TRUE(sts::announces(*crashed.generated(), *story.desired.policy)) << taken;
  }
}

TEST(Make, EqualArgumentsGiveEqualPlans) {
  Story story;
  whole(story);
  Plan left{.created = story.now, .valid_until = story.now, .domains = {story.plan()}};
  Plan right{.created = story.now, .valid_until = story.now, .domains = {story.plan()}};
  EXPECT_EQ(to_json(left), to_json(right));
}

TEST(Make, RecordsWrittenByOtherToolsNeedNoChange) {
  Story story;
  whole(story);
  story.apply();
  for (dns::RecordSet& set : story.sets) {
    set.ttl = Duration{1234};
    if (set.type == dns::Type::txt) set.values.front() += ";";
  }
  story.desired.ttls = {};
  EXPECT_FALSE(story.plan().changed());
  story.desired.ttls.sts = Duration{600};  // stated: now it counts
  EXPECT_EQ(stages(story.plan()), std::vector{Stage::announce});
}

TEST(Make, AnotherServicesCnameIsNotTouchedUnlessTakenOver) {
  Story story;
  story.sets.push_back(
      {owners(story.domain).sts, dns::Type::cname, Duration{300}, {"_mta-sts.provider.example"}});
  DomainPlan plan = story.plan();
  EXPECT_TRUE(plan.refused());
  EXPECT_FALSE(plan.changed());
  EXPECT_NE(plan.error->hint.find("takeover"), std::string::npos);
  story.desired.takeover = true;
  plan = story.apply();
  EXPECT_FALSE(plan.refused());
  const auto& change = std::get<RecordChange>(plan.steps.back().action);
  ASSERT_EQ(change.edits.size(), 2U);  // the CNAME goes in the batch that brings the TXT set
  EXPECT_FALSE(change.edits[0].after);
  EXPECT_FALSE(story.plan().changed());
}

TEST(Make, LockedRecordsStopTheDomainWhereItWouldWrite) {
  const char* const alias = "an alias (A) for d111.cloudfront.net";
  for (const bool takeover : {false, true})
    for (const std::string label : {"_mta-sts", "_smtp._tls", "mta-sts"}) {
      Story story;
      whole(story);
      story.desired.takeover = takeover;
      const dns::Name owner = story.domain.under(label);
      std::erase_if(story.sets, [&](const dns::RecordSet& set) { return set.owner == owner; });
      story.sets.push_back({owner, dns::Type::locked, Duration{0}, {alias}});
      const DomainPlan plan = story.plan();
      EXPECT_TRUE(plan.refused()) << label;
      EXPECT_FALSE(plan.changed());
      EXPECT_EQ(plan.error->what,
                owner.text() + " holds " + alias + ", which stsctl does not replace");
    }
}

TEST(Make, LockedRecordsElsewhereAreNoMatter) {
  Story story;
  story.sets.push_back({story.domain.under("mta-sts"),
                        dns::Type::locked,
                        Duration{0},
                        {"an alias (A) for d111.cloudfront.net"}});
  EXPECT_FALSE(story.plan().refused()) << "no address is to be published there";
}

TEST(Make, UnreadableIsNeverTakenForAbsent) {
  Story story;
  whole(story);
  for (int part = 0; part < 4; ++part) {
    Observed observed = story.observed();
    const auto bad = fail(Code::unreachable, "no answer");
    if (part == 0) observed.sts = bad;
    if (part == 1) observed.tlsrpt = bad;
    if (part == 2) observed.address = bad;
    if (part == 3) observed.policy = bad;
    const DomainPlan plan = make_domain(story.desired, observed, {story.now, {}});
    EXPECT_TRUE(plan.error) << part;
    EXPECT_FALSE(plan.changed()) << part;
  }
}

TEST(Make, WhatIsNotManagedMayBeUnreadable) {
  Story story;  // no TLS-RPT, no address
  Observed observed = story.observed();
  observed.tlsrpt = fail(Code::unreachable, "no answer");
  EXPECT_FALSE(make_domain(story.desired, observed, {story.now, {}}).error);
}

TEST(Make, AMovingHostServesBeforeItsAddressChanges) {
  Story story;
  whole(story);
  story.apply();
  story.desired.address = Address{.a = {"192.0.2.1"}, .aaaa = {"2001:db8::1"}};
  story.body.reset();
  const DomainPlan plan = story.apply();
  ASSERT_EQ(stages(plan),
            (std::vector{Stage::publish, Stage::confirm, Stage::redirect, Stage::redirect}));
  EXPECT_FALSE(std::get<PolicyServed>(plan.steps[1].action).outside) << "there is another host";
  EXPECT_TRUE(std::get<PolicyServed>(plan.steps[3].action).outside);
  const auto& change = std::get<RecordChange>(plan.steps[2].action);
  EXPECT_FALSE(change.edits.front().after);  // the CNAME goes first
  EXPECT_FALSE(story.plan().changed());
}

TEST(Make, NotesOnWhatMayRejectMail) {
  const auto ids = [](const DomainPlan& plan) {
    std::set<std::string> all;
    for (const Note& note : plan.notes)
      all.insert(note.id);
    return all;
  };
  Story story;
  story.apply();
  EXPECT_EQ(ids(story.plan()), std::set<std::string>{});
  story.desired.policy = Story::policy("enforce", "1w", {"mail.example.com", "b.example.com"});
  EXPECT_EQ(ids(story.apply()), std::set<std::string>{"enforce-begins"});
  story.desired.policy = Story::policy("enforce", "1w", {"b.example.com", "c.example.com"});
  EXPECT_EQ(ids(story.apply()), (std::set<std::string>{"mx-pattern-removed", "mx-pattern-added"}));
  story.desired.policy = Story::policy("none", "1d", {});
  EXPECT_TRUE(ids(story.plan()).contains("none-without-mx"));
}

TEST(Make, AWiderPatternRemovesNothing) {
  Story story;
  story.desired.policy = Story::policy("enforce", "1w", {"a.example.com"});
  story.apply();
  story.desired.policy = Story::policy("enforce", "1w", {"*.example.com"});
  for (const Note& note : story.plan().notes)
    EXPECT_NE(note.id, "mx-pattern-removed");
}

TEST(PlanJson, RoundTrips) {
  Story story;
  whole(story);
  story.desired.ttls.sts = Duration{60};
  story.sets.push_back({owners(story.domain).tlsrpt,
                        dns::Type::txt,
                        Duration{60},
                        {std::string("bytes \x01\xFF \"\\"), "other"}});
  story.body = std::string("no policy \xFF\x00 at all", 19);
  story.mx = LiveMx{{*dns::Name::parse("mail.example.com")}, Duration{3600}};
  story.desired.edge_delay = Duration{600};
  Plan plan{.created = story.now,
            .valid_until = story.now + Duration{60},
            .domains = {story.plan()},
            .budget = {{"cf", 1201, Duration{312}}}};
  Observed unread = story.observed();
  unread.mx = fail(Code::timeout, "no answer", "example.com", "");
  plan.domains.push_back(make_domain(story.desired, unread, {story.now, {}}));
  unread.sts = fail(Code::unauthorized, "no", "dns", "ask");
  plan.domains.push_back(make_domain(story.desired, unread, {story.now, {}}));
  story.apply();
  story.now += Duration{86400};
  story.desired.safety = SenderKind::daily;
  story.desired.policy = Story::policy("enforce", "1w", {"new.example.com"});
  plan.domains.push_back(story.plan());  // keeps a host that the MX records name,
  story.apply();
  story.mx->hosts = {*dns::Name::parse("new.example.com")};
  plan.domains.push_back(story.plan());  // and one that is leaving
  ASSERT_TRUE(plan.domains[3].mx->may_change);
  ASSERT_FALSE(plan.domains[4].mx->kept.empty());
  ASSERT_TRUE(plan.domains[4].mx->kept.front().until);
  const Result<Plan> read = plan_from_json(to_json(plan));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->budget, plan.budget);
  ASSERT_EQ(read->domains.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(read->domains[i].desired, plan.domains[i].desired);
    EXPECT_EQ(read->domains[i].observed, plan.domains[i].observed);
    EXPECT_EQ(read->domains[i].steps, plan.domains[i].steps);
    EXPECT_EQ(read->domains[i].notes, plan.domains[i].notes);
    EXPECT_EQ(read->domains[i].mx, plan.domains[i].mx);
    EXPECT_EQ(read->domains[i].later, plan.domains[i].later);
    EXPECT_EQ(read->domains[i].error, plan.domains[i].error);
  }
  EXPECT_EQ(to_json(*read), to_json(plan));
}

TEST(PlanJson, RefusesWhatIsNoPlan) {
  const std::string start = "{\"format\":\"stsctl-plan\",\"version\":";
  const std::string foreign = "'stsctl plan -o' did not write it";
  const std::vector<std::pair<std::string, std::string>> texts{
      {"", "no JSON at line 1"},
      {"[\n1\nx", "no JSON at line 3"},
      {"[]", foreign},
      {"{}", foreign},
      {"{\"format\":1}", foreign},
      {start + "2}", "its format version is 2, this program reads 1"},
      {start + "1}", "key 'created' not found"},
      {start + "1,\"created\":1}", "type must be string, but is number"}};
  for (const auto& [text, why] : texts) {
    const auto read = plan_from_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_EQ(read.error().what, "the plan cannot be read: " + why) << text;
  }
}

TEST(Staleness, NamesTheKeysThatDiffer) {
  using Edit = void (*)(Desired&);
  const std::vector<std::pair<Edit, std::string>> edits{
      {[](Desired& d) { d.dns = "other"; }, "dns"},
      {[](Desired& d) { d.host = "other"; }, "host"},
      {[](Desired& d) { d.policy.reset(); }, "policy"},
      {[](Desired& d) { d.policy->mode = sts::Mode::enforce; }, "policy.mode"},
      {[](Desired& d) { d.policy->mx.clear(); }, "policy.mx"},
      {[](Desired& d) { d.mx_live = true; }, "policy.mx"},
      {[](Desired& d) { d.policy->max_age += Duration{1}; }, "policy.max_age"},
      {[](Desired& d) { d.tlsrpt.reset(); }, "tlsrpt"},
      {[](Desired& d) { d.address.reset(); }, "address"},
      {[](Desired& d) { d.id_strategy = IdStrategy::digest; }, "id"},
      {[](Desired& d) { d.fixed_id = "a"; }, "id"},
      {[](Desired& d) { d.ttls.sts = Duration{7}; }, "ttl"},
      {[](Desired& d) { d.safety = SenderKind::daily; }, "safety"},
      {[](Desired& d) { d.takeover = true; }, "takeover"},
      {[](Desired& d) { d.longest_max_age = Duration{7}; }, "longest_max_age"},
      {[](Desired& d) { d.edge_delay = Duration{7}; }, "settings of the host"},
      {[](Desired& d) { d.as_configured = true; }, "settings of the host"},
      {[](Desired& d) { d.policy->mode = sts::Mode::none, d.dns = "x"; }, "dns, policy.mode"}};
  Story story;
  whole(story);
  const DomainPlan saved = story.plan();
  for (const auto& [edit, keys] : edits) {
    Desired desired = story.desired;
    edit(desired);
    const auto differences = staleness(saved, desired, story.observed(), {story.now, {}});
    EXPECT_EQ(differences, std::vector{"its configuration changed: " + keys});
  }
}

TEST(Staleness, NamesWhatDiffers) {
  Story story;
  whole(story);
  const DomainPlan saved = story.plan();
  EXPECT_TRUE(staleness(saved, story.desired, story.observed(), {story.now, {}}).empty());
  Story edited = story;
  edited.set_txt("v=STSv1; id=other");
  edited.body = "x";
  const auto world = staleness(saved, edited.desired, edited.observed(), {story.now, {}});
  ASSERT_EQ(world.size(), 2U);
  EXPECT_EQ(world[0], "the records at _mta-sts.example.com changed, now TXT \"v=STSv1; id=other\"");
  EXPECT_EQ(world[1], "the policy at its host changed");
  Story emptied = story;
  emptied.apply();
  emptied.desired.policy->mode = sts::Mode::enforce;
  const DomainPlan published = emptied.plan();
  std::erase_if(emptied.sets, [](const auto& set) { return set.type == dns::Type::txt; });
  emptied.body.reset();
  const auto gone = staleness(published, emptied.desired, emptied.observed(), {story.now, {}});
  ASSERT_EQ(gone.size(), 3U);
  EXPECT_EQ(gone[0], "the records at _mta-sts.example.com changed, now nothing");
  EXPECT_EQ(gone[2], "the policy at its host is gone");
  Story moved = story;
  moved.mx = LiveMx{{*dns::Name::parse("mail.example.com")}, Duration{3600}};
  const DomainPlan proved = moved.plan();
  EXPECT_TRUE(staleness(proved, moved.desired, story.observed(), {story.now, {}}).empty())
      << "nobody looked now";
  moved.mx->ttl = Duration{17};
  EXPECT_TRUE(staleness(proved, moved.desired, moved.observed(), {story.now, {}}).empty())
      << "the plan would be the same: a resolver's cache runs down";
  moved.desired.policy->mode = sts::Mode::enforce;
  moved.mx->hosts = {*dns::Name::parse("mail.example.com")};
  const DomainPlan enforced = moved.plan();
  moved.mx->hosts = {*dns::Name::parse("other.example.com")};
  EXPECT_EQ(staleness(enforced, moved.desired, moved.observed(), {story.now, {}}).size(), 1U);
  edited = story;
  edited.desired.policy->mode = sts::Mode::enforce;
  EXPECT_EQ(staleness(saved, edited.desired, edited.observed(), {story.now, {}}).size(), 1U);
  Observed unread = story.observed();
  unread.policy = fail(Code::timeout, "late");
  EXPECT_EQ(staleness(saved, story.desired, unread, {story.now, {}}).size(), 1U);
}

}  // namespace
}  // namespace stsctl::plan
