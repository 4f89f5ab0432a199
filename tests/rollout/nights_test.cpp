// Nightly plans, taken in full or cut off by a crash, while hosts come and go: what is remembered
// stands in what is published alone. Bookkeeping apart from it says whether that was right.
#include <random>

#include <gtest/gtest.h>

#include "rollout/decide.h"
#include "tests/plan/story.h"

namespace stsctl::rollout {
namespace {

using plan::RolloutAction;
using plan::Story;
using std::chrono::days;

const Rollout brisk{
    .name = "brisk",
    .stages = {
        {.mode = sts::Mode::testing,
         .max_age = days{1},
         .lasts = days{4},
         .gate = {.sessions = 30, .failures = Share{10'000}, .verify = true}},
        {.mode = sts::Mode::enforce,
         .max_age = days{2},
         .lasts = days{5},
         .gate = {.failures = Share{10'000}},
         .brake = Brake{Share{20'000}, days{1}}},
        {.mode = sts::Mode::enforce, .max_age = days{30}, .brake = Brake{Share{20'000}, days{1}}}}};

class Nights {
 public:
  explicit Nights(unsigned seed) : random_(seed) {
    story_.desired.rollout = Boxed(plan::RolloutState{.rollout = brisk.name});
  }

  void run() {
    for (int night = 0; night < 120 && !testing::Test::HasFailure(); ++night) {
      if (chance(10)) failing_ = !failing_;
      if (chance(25)) story_.desired.policy = Story::policy("testing", "1d", other_hosts());
      one_night();
      write_report();
      story_.now += days{1};
    }
  }

  int promotions = 0, brakes = 0, crashes = 0;

 private:
  bool chance(int one_in) { return std::uniform_int_distribution(1, one_in)(random_) == 1; }

  std::vector<std::string> other_hosts() {
    if (story_.desired.policy->mx.size() == 1) return {"mail.example.com", "backup.example.com"};
    return {"mail.example.com"};
  }

  // What senders tell of the day that begins, if they can know the policy that is served.
  void write_report() {
    if (!story_.body || !announced() || chance(8)) return;
    ReportedSessions report{story_.now, story_.now + days{1}, 20, 0, {}};
    if (failing_) report.failed = report.failures["certificate-expired"] = 10;
    reports_.emplace_back(*story_.body, report);
  }

  bool announced() const {
    const auto policy = sts::parse_policy(*story_.body).value;
    return policy && story_.generated() && sts::announces(*story_.generated(), *policy);
  }

  void one_night() {
    const bool passes = !chance(3);
    Evidence evidence{.reports = std::vector<ReportedSessions>{},
                      .verify = LiveCheck{passes, "expired"}};
    for (const auto& [body, report] : reports_)
      if (body == story_.body) evidence.reports->push_back(report);
    const Decision decision = decide(
        brisk, read_published(brisk, story_.desired, story_.observed()), evidence, {}, story_.now);
    ASSERT_GT(decision.state.target, 0U) << decision.state.reasons.front();
    const bool enforced = story_.body && story_.body->find("enforce") != std::string::npos;
    if (decision.state.action == RolloutAction::promote) check_promotion(passes);
    if (decision.mode == sts::Mode::enforce && !enforced)
      EXPECT_EQ(to_string(decision.state.action), std::string("promote"));
    if (decision.state.action == RolloutAction::brake) ++brakes;
    take(decision);
  }

  void check_promotion(bool passes) {
    ++promotions;
    const bool first = story_.body->find("testing") != std::string::npos;
    EXPECT_TRUE(passes || !first);
    EXPECT_GE(story_.now - complete_, first ? days{4} : days{5});
    std::uint64_t sessions = 0;
    for (const auto& [body, report] : reports_) {
      if (body != story_.body || report.begin < complete_) continue;
      sessions += report.sessions;
      if (report.begin >= story_.now - days{4}) EXPECT_EQ(report.failed, 0U);
    }
    EXPECT_GE(sessions, first ? 30U : 1U);
  }

  void take(const Decision& decision) {
    Story wanted = story_;
    wanted.desired.policy->mode = decision.mode;
    wanted.desired.policy->max_age = decision.max_age;
    wanted.desired.rollout = Boxed(decision.state);
    const bool crash = chance(6);
    const std::string before = story_.id();
    const plan::DomainPlan plan = wanted.apply(crash ? 1 : 99);
    EXPECT_FALSE(plan.error);
    story_.sets = wanted.sets;
    story_.body = wanted.body;
    if (crash && plan.steps.size() > 1) {
      ++crashes;
      return;
    }
    ASSERT_TRUE(story_.body && announced()) << "the id does not say what is served";
    EXPECT_EQ(story_.body, sts::format_policy(*wanted.desired.policy));
    if (story_.id() != before) complete_ = story_.now;
    EXPECT_EQ(story_.generated()->published, complete_);
  }

  std::mt19937 random_;
  Story story_;
  bool failing_ = false;
  std::vector<std::pair<std::string, ReportedSessions>> reports_;  // and the policy they are on
  Time complete_{};  // when the policy that is served was announced
};

TEST(Nights, RememberByWhatIsPublishedAlone) {
  int promotions = 0;
  int brakes = 0;
  int crashes = 0;
  for (unsigned seed = 1; seed <= 15 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Nights nights(seed);
    nights.run();
    promotions += nights.promotions;
    brakes += nights.brakes;
    crashes += nights.crashes;
  }
  EXPECT_GT(promotions, 15);
  EXPECT_GT(brakes, 8);
  EXPECT_GT(crashes, 8);
}

}  // namespace
}  // namespace stsctl::rollout
