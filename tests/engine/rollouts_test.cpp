// From what is published and reported to what rollouts make of it, for many domains.

#include "engine/rollouts.h"

#include <gtest/gtest.h>

#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::engine {
namespace {

using plan::RolloutAction;
using std::chrono::days;

const Time now{days{20000}};

rollout::Rollout careful() {
  return {.name = "careful",
          .stages = {{.mode = sts::Mode::testing,
                      .max_age = days{1},
                      .lasts = days{7},
                      .gate = {.sessions = 10, .verify = true}},
                     {.mode = sts::Mode::enforce,
                      .max_age = days{7},
                      .brake = rollout::Brake{rollout::Share{20'000}, days{1}}}}};
}

// Domains side by side: a.example at stage 1, b.example at stage 2, c.example without a rollout,
// d.example not readable.
class Rollouts : public testing::Test {
 protected:
  void SetUp() override {
    const auto shared = std::make_shared<const rollout::Rollout>(careful());
    add("a.example", shared, sts::Mode::testing, days{1});
    add("b.example", shared, sts::Mode::enforce, days{7});
    add("c.example", nullptr, sts::Mode::testing, days{1});
    add("d.example", shared, sts::Mode::testing, days{1});
    observed[3].policy = fail(Code::timeout, "no answer");
    evidence.resize(4);
  }

  void add(const std::string& name, std::shared_ptr<const rollout::Rollout> led, sts::Mode mode,
           Duration max_age) {
    const dns::Name domain = *dns::Name::parse(name);
    const sts::Policy policy{mode, {*sts::parse_mx_pattern("mail.example")}, max_age};
    config::Domain one{.desired = {.domain = domain, .policy = policy}};
    one.desired.policy->mode = sts::Mode::testing;
    one.desired.policy->max_age = days{1};
    if (led) one.desired.rollout = Boxed(plan::RolloutState{.rollout = led->name});
    one.rollout = std::move(led);
    const std::string id =
        sts::format_policy_id({now - days{10}, Day{days{20000}}, sts::policy_digest(policy)});
    plan::NameState record{domain, {}};
    record.sets.push_back(*dns::make_record_set(domain.under("_mta-sts"), dns::Type::txt,
                                                Duration{300}, {sts::format_sts_record({id})}));
    const plan::NameState none{domain, {}};
    observed.push_back({domain, record, none, none, sts::format_policy(policy)});
    desired.push_back(one.desired);
    domains.push_back(std::move(one));
  }

  RolloutAction action(std::size_t i) const { return desired[i].rollout->action; }

  std::vector<config::Domain> domains;
  std::vector<plan::Observed> observed;
  std::vector<plan::Desired> desired;
  std::vector<rollout::Evidence> evidence;
};

TEST_F(Rollouts, StayWithoutEvidence) {
  const std::vector<plan::Desired> before = desired;
  decide_rollouts(domains, observed, evidence, now, desired);
  EXPECT_EQ(action(0), RolloutAction::stay);
  EXPECT_EQ(action(1), RolloutAction::stay);
  EXPECT_EQ(desired[1].policy->mode, sts::Mode::enforce);
  EXPECT_EQ(desired[1].policy->max_age, days{7});
  EXPECT_EQ(desired[2], before[2]);
  EXPECT_EQ(action(3), RolloutAction::undecided);
}

TEST_F(Rollouts, LookWhereTheDecisionHangsOnIt) {
  EXPECT_EQ(wants_look(domains, desired, observed, now),
            (std::vector<bool>{true, false, false, false}));
  EXPECT_EQ(wants_look(domains, desired, observed, now - days{5}),
            (std::vector<bool>{false, false, false, false}));
}

TEST_F(Rollouts, GoOnAndBackByReports) {
  std::vector<std::string> asked;
  const rollout::ReportSource source = [&](const dns::Name& domain, const sts::Policy& policy,
                                           Time since) {
    asked.push_back(domain.text() + " " + sts::to_string(policy.mode));
    EXPECT_EQ(since, now - days{10});
    std::vector<rollout::ReportedSessions> reports{{now - days{2}, now - days{1}, 50, 0, {}}};
    if (policy.mode == sts::Mode::enforce) reports.front().failed = 2;
    return Result<std::vector<rollout::ReportedSessions>>(reports);
  };
  read_reports(domains, desired, observed, source, evidence);
  EXPECT_EQ(asked, (std::vector<std::string>{"a.example testing", "b.example enforce"}));
  evidence[0].verify = rollout::LiveCheck{true, ""};
  decide_rollouts(domains, observed, evidence, now, desired);
  EXPECT_EQ(action(0), RolloutAction::promote);
  EXPECT_EQ(desired[0].policy->mode, sts::Mode::enforce);
  EXPECT_EQ(desired[0].policy->max_age, days{7});
  EXPECT_EQ(action(1), RolloutAction::brake);
  EXPECT_EQ(desired[1].policy->mode, sts::Mode::testing);
  EXPECT_EQ(desired[1].policy->max_age, days{1});
  EXPECT_EQ(desired[1].policy->mx.size(), 1U);
}

TEST_F(Rollouts, SayWhenThereIsNoSourceOfReports) {
  read_reports(domains, desired, observed, {}, evidence);
  decide_rollouts(domains, observed, evidence, now, desired);
  EXPECT_EQ(desired[0].rollout->gates[1].figure, "no reports");
  EXPECT_FALSE(desired[0].rollout->gates[1].holds);
}

}  // namespace
}  // namespace stsctl::engine
