// What the model of senders says of plans as make_domain() makes them, and of plans that it never
// would make.

#include "plan/proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plan/story.h"

namespace stsctl::plan {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

class ProofTest : public testing::Test {
 protected:
  ProofTest() { set_mx({"mail.example.com"}); }

  void set_mx(const std::vector<std::string>& hosts) {
    LiveMx mx{.hosts = {}, .ttl = Duration{3600}};
    for (const std::string& host : hosts)
      mx.hosts.push_back(*dns::Name::parse(host));
    story.mx = mx;
  }

  void publish(const std::string& mode, const std::vector<std::string>& patterns,
               const std::string& max_age = "1w") {
    story.desired.policy = Story::policy(mode, max_age, patterns);
    story.apply();
    story.now += Duration{86400 * 30};
  }

  DomainPlan plan(const std::string& mode, const std::vector<std::string>& patterns) {
    story.desired.policy = Story::policy(mode, "1w", patterns);
    return story.plan();
  }

  static std::vector<std::string> ids(const DomainPlan& plan, Note::Kind kind) {
    std::vector<std::string> ids;
    for (const Note& note : plan.notes)
      if (note.kind == kind) ids.push_back(note.id);
    return ids;
  }
  static std::vector<std::string> refusals(const DomainPlan& plan) {
    return ids(plan, Note::Kind::refusal);
  }

  Story story;
};

TEST_F(ProofTest, AFirstPublicationThatCoversTheMxRefusesNothing) {
  const DomainPlan made = plan("enforce", {"mail.example.com"});
  EXPECT_THAT(refusals(made), IsEmpty());
  EXPECT_THAT(made.notes, Contains(Field(&Note::id, "proved")));
  EXPECT_EQ(prove(made, story.observed()).states, 3 * (made.steps.size() + 1));
}

TEST_F(ProofTest, AnEnforcedPolicyThatMissesEveryMxIsRefused) {
  story.desired.as_configured = true;  // what the MX records need is not added
  publish("testing", {"mail.example.com"});
  const DomainPlan made = plan("enforce", {"other.example.com"});
  EXPECT_THAT(refusals(made), testing::ElementsAre("mail-refused"));
  EXPECT_TRUE(made.refused());
  // Who sees the domain first then stores the new policy under the old id.
  EXPECT_EQ(prove(made, story.observed()).first_worse, 1U);
  EXPECT_THAT(made.notes,
              Contains(Field(&Note::text,
                             HasSubstr("it begins with step 1 of 3 (mode testing -> enforce"))));
}

TEST_F(ProofTest, InTestingNothingIsRefusedButItIsSaid) {
  story.desired.as_configured = true;  // what the MX records need is not added
  const DomainPlan made = plan("testing", {"other.example.com"});
  EXPECT_THAT(refusals(made), IsEmpty());
  EXPECT_THAT(ids(made, Note::Kind::warning), Contains("mx-not-allowed"));
}

TEST_F(ProofTest, OneHostOfSeveralThatIsMissedIsAWarning) {
  story.desired.as_configured = true;  // what the MX records need is not added
  set_mx({"mail.example.com", "backup.example.net"});
  const DomainPlan made = plan("enforce", {"mail.example.com"});
  EXPECT_THAT(refusals(made), IsEmpty());
  EXPECT_THAT(made.notes,
              Contains(testing::AllOf(Field(&Note::id, "mx-not-allowed"),
                                      Field(&Note::text, HasSubstr("backup.example.net")))));
}

TEST_F(ProofTest, APlanThatMendsARefusalIsNotHeldUp) {
  story.desired.as_configured = true;  // what the MX records need is not added
  publish("enforce", {"gone.example.com"});
  const DomainPlan made = plan("enforce", {"gone.example.com", "mail.example.com"});
  EXPECT_THAT(refusals(made), IsEmpty());
  EXPECT_THAT(ids(made, Note::Kind::warning), Contains("mail-refused-already"));
  EXPECT_EQ(prove(made, story.observed()).first_worse, std::nullopt);
}

TEST_F(ProofTest, ADomainWithoutMailRefusesNothing) {
  set_mx({});
  EXPECT_THAT(refusals(plan("enforce", {"mail.example.com"})), IsEmpty());
}

TEST_F(ProofTest, WithoutALookAtTheMxNothingIsProved) {
  story.mx.reset();
  const DomainPlan made = plan("enforce", {"other.example.com"});
  EXPECT_THAT(made.notes, Not(Contains(Field(&Note::id, "proved"))));
  EXPECT_THAT(refusals(made), IsEmpty());
}

// Every kind of change in the order that is planned is clean; with the id before the policy it is
// not, whatever else is shuffled.
TEST_F(ProofTest, TheIdBeforeThePolicyIsCaught) {
  story.mx.reset();  // patterns go at once
  const std::vector<std::pair<std::string, std::vector<std::string>>> changes{
      {"enforce", {"mail.example.com"}},
      {"enforce", {"mail.example.com", "new.example.com"}},
      {"testing", {"mail.example.com"}},
      {"none", {"mail.example.com"}}};
  publish("enforce", {"mail.example.com", "old.example.com"});
  for (const auto& [mode, patterns] : changes) {
    DomainPlan made = plan(mode, patterns);
    ASSERT_TRUE(made.changed());
    EXPECT_FALSE(prove(made, story.observed()).stale) << mode;
    std::ranges::sort(made.steps, std::greater{}, &Step::stage);
    EXPECT_TRUE(prove(made, story.observed()).stale) << mode << " backwards";
  }
}

// The order that senders need, said apart from the model: what they are served, by the policy and
// by the address of its host; the wait until no cache serves an older one; and then a new id.
bool in_order(const std::vector<Step>& steps) {
  const auto serves = [](const Step& step) {
    return std::holds_alternative<PolicyChange>(step.action) ||
           (step.stage == Stage::redirect && std::holds_alternative<RecordChange>(step.action));
  };
  const auto last = std::find_if(steps.rbegin(), steps.rend(), serves).base();
  const auto wait = std::find_if(last, steps.end(), [](const Step& step) {
    return std::holds_alternative<PolicyServed>(step.action);
  });
  return std::any_of(wait, steps.end(), [](const Step& step) {
    const auto* change = std::get_if<RecordChange>(&step.action);
    return change != nullptr && change->edits.front().after &&
           change->edits.front().after->owner.text().starts_with("_mta-sts.");
  });
}

// Of how many orders of its steps does the model say what in_order() says, that they are wrong?
int caught_when_shuffled(DomainPlan plan, const Observed& observed) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    order.push_back(i);
  const std::vector<Step> steps = plan.steps;
  int caught = 0;
  do {
    std::string stages;
    for (std::size_t i = 0; i < order.size(); ++i) {
      plan.steps[i] = steps[order[i]];
      stages += std::string(" ") + to_string(plan.steps[i].stage);
    }
    EXPECT_EQ(prove(plan, observed).stale, !in_order(plan.steps)) << stages;
    caught += in_order(plan.steps) ? 0 : 1;
  } while (std::ranges::next_permutation(order).found);
  return caught;
}

// Every order of the steps of every kind of change: those that a sender could be misled by are
// those that the model catches, and no others.
TEST_F(ProofTest, ShufflingDependentStepsIsCaught) {
  story.mx.reset();  // patterns go at once
  const std::vector<std::pair<std::string, std::vector<std::string>>> changes{
      {"enforce", {"mail.example.com"}},
      {"enforce", {"mail.example.com", "old.example.com", "new.example.com"}},
      {"testing", {"mail.example.com", "old.example.com"}},
      {"none", {"mail.example.com"}}};
  story.desired.tlsrpt = sts::TlsRptRecord{{"mailto:tls@example.net"}};
  story.desired.edge_delay = Duration{600};
  for (const bool foreign : {false, true})
    for (const auto& [mode, patterns] : changes) {
      publish("enforce", {"mail.example.com", "old.example.com"});
      if (foreign) story.set_txt("v=STSv1; id=byhand");
      story.desired.tlsrpt->rua.front() += "x";
      const DomainPlan made = plan(mode, patterns);
      ASSERT_GE(made.steps.size(), 4U);
      ASSERT_TRUE(in_order(made.steps));
      EXPECT_GT(caught_when_shuffled(made, story.observed()), 10) << mode;
      story.desired.policy =
          Story::policy("enforce", "1w", {"mail.example.com", "old.example.com"});
    }
}

TEST_F(ProofTest, ShufflingThatOfAHostThatMovesIsCaught) {
  story.mx.reset();
  story.desired.address = Address{.cname = *dns::Name::parse("web.example.net")};
  story.desired.edge_delay = Duration{600};
  publish("enforce", {"mail.example.com", "old.example.com"});
  story.desired.address = Address{.a = {"192.0.2.1"}};
  const DomainPlan alone = story.plan();
  ASSERT_TRUE(alone.changed());
  EXPECT_FALSE(prove(alone, story.observed()).stale) << "the policy stays";
  const DomainPlan made = plan("enforce", {"mail.example.com"});
  ASSERT_EQ(made.steps.size(), 5U);
  ASSERT_TRUE(in_order(made.steps));
  EXPECT_GT(caught_when_shuffled(made, story.observed()), 10);
}

TEST_F(ProofTest, AnEdgeThatLagsIsWaitedFor) {
  story.mx.reset();  // patterns go at once
  publish("enforce", {"mail.example.com", "old.example.com"});
  story.desired.edge_delay = Duration{600};
  DomainPlan made = plan("enforce", {"mail.example.com"});
  EXPECT_FALSE(prove(made, story.observed()).stale);
  std::erase_if(made.steps, [](const Step& step) { return step.stage == Stage::confirm; });
  EXPECT_TRUE(prove(made, story.observed()).stale) << "without the wait";
}

TEST_F(ProofTest, AFixedIdThatStaysIsRefusedOnce) {
  story.desired.id_strategy = IdStrategy::fixed;
  story.desired.fixed_id = "one";
  publish("enforce", {"mail.example.com", "old.example.com"});
  EXPECT_THAT(refusals(plan("enforce", {"mail.example.com"})),
              testing::ElementsAre("fixed-id-unchanged"));
}

TEST_F(ProofTest, SaysFromWhenTheMxMayChange) {
  publish("enforce", {"mail.example.com"});
  const DomainPlan made = plan("enforce", {"mail.example.com", "new.example.com"});
  const SafeFrom safe = safe_from(made, story.observed(), story.now);
  const Time announced = story.now + Duration{300} + Duration{3};  // TTL, and a second a step
  EXPECT_EQ(safe.prompt, announced);
  EXPECT_EQ(safe.daily, announced + Duration{86400});
  EXPECT_GE(safe.strict, story.now + Duration{7 * 86400});
  EXPECT_LE(safe.strict, story.now + Duration{8 * 86400 + 86400}) << "the horizon, in whole days";
}

TEST_F(ProofTest, ThePublishedIdSaysTheSameLater) {
  story.apply();
  EXPECT_EQ(safe_since(story.observed(), Duration{0})->strict, story.now) << "nothing was before";
  publish("enforce", {"mail.example.com"});
  const DomainPlan made = plan("enforce", {"mail.example.com", "new.example.com"});
  const SafeFrom planned = safe_from(made, story.observed(), story.now);
  story.desired.policy = Story::policy("enforce", "1w", {"mail.example.com", "new.example.com"});
  story.apply();
  story.now += Duration{3600};
  const std::optional<SafeFrom> since = safe_since(story.observed(), Duration{0});
  ASSERT_TRUE(since);
  EXPECT_EQ(since->strict, planned.strict);
  EXPECT_LE(planned.prompt - since->prompt, Duration{3}) << "a second a step";
  EXPECT_EQ(since->daily - since->prompt, Duration{86400});
  story.set_txt("v=STSv1; id=byhand");
  EXPECT_FALSE(safe_since(story.observed(), Duration{0}));
}

// Moving the MX at the times that safe_from() gives refuses nothing; a moment before the strict
// one, a strict sender does.
TEST_F(ProofTest, TheSafeTimesAreSafe) {
  publish("enforce", {"mail.example.com"});
  const DomainPlan made = plan("enforce", {"mail.example.com", "new.example.com"});
  const SafeFrom safe = safe_from(made, story.observed(), story.now);
  const auto moved = [&](Time when, SenderKind kind) {
    Timeline line = timeline(made, story.observed(), made.steps.size());
    line.mx.push_back({when - story.now, {*dns::Name::parse("new.example.com")}});
    return worst_refusal(line, kind).total;
  };
  EXPECT_EQ(moved(safe.prompt, SenderKind::prompt), Duration{0});
  EXPECT_EQ(moved(safe.daily, SenderKind::daily), Duration{0});
  EXPECT_EQ(moved(safe.strict, SenderKind::strict), Duration{0});
  EXPECT_GT(moved(safe.prompt - Duration{60}, SenderKind::prompt), Duration{0});
  EXPECT_GT(moved(safe.daily - Duration{400}, SenderKind::daily), Duration{0});
  EXPECT_GT(moved(story.now + Duration{7 * 86400 - 60}, SenderKind::strict), Duration{0});
}

}  // namespace
}  // namespace stsctl::plan
