// Domains led through four months of chance, one decision a night, against bookkeeping that knows
// no stage, window or clock of the code under test.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "rollout/decide.h"

namespace stsctl::rollout {
namespace {

using plan::RolloutAction;
using std::chrono::days;
using std::chrono::hours;

constexpr auto testing_mode = sts::Mode::testing;
constexpr auto enforce = sts::Mode::enforce;

const Rollout rollout{
    .name = "brisk",
    .stages = {{.mode = testing_mode,
                .max_age = days{1},
                .lasts = days{5},
                .gate = {.sessions = 100, .failures = Share{10'000}, .verify = true}},
               {.mode = enforce,
                .max_age = days{2},
                .lasts = days{7},
                .gate = {.failures = Share{10'000}, .verify = true},
                .brake = Brake{Share{20'000}, days{1}}},
               {.mode = enforce, .max_age = days{30}, .brake = Brake{Share{20'000}, days{1}}}}};

// A day's report, when it comes in, and under which of the policies published (each time anew).
struct Mail {
  ReportedSessions report;
  Time arrives;
  std::size_t policy;
};

class Journey {
 public:
  explicit Journey(unsigned seed) : random_(seed) {}

  void run() {
    for (day_ = 0; day_ < 120; ++day_) {
      if (chance(12)) failing_ = !failing_;
      silent_ = chance(5);
      Time clock = midnight() + hours{3};
      if (chance(15)) clock -= days{pick(1, 40)};  // set back for a night
      night(clock, clock != midnight() + hours{3});
      if (testing::Test::HasFailure()) return;
      write_report();
    }
  }

  int promotions = 0, brakes = 0;

 private:
  bool chance(int one_in) { return pick(1, one_in) == 1; }
  int pick(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  Time midnight() const { return Time(days{20000 + day_}); }

  // Of the day that begins: what senders will tell of it.
  void write_report() {
    if (silent_) return;
    const auto sessions = static_cast<std::uint64_t>(pick(50, 150));
    ReportedSessions report{midnight(), midnight() + days{1}, sessions, 0, {}};
    if (failing_) report.failed = report.failures["certificate-expired"] = sessions / 2;
    mail_.push_back({report, report.end + hours{pick(1, 28)}, policy_});
    if (failing_ && policy_ > 0 && stage_ > 0 && !first_bad_) first_bad_ = mail_.back().arrives;
  }

  std::vector<ReportedSessions> arrived() {
    std::vector<ReportedSessions> all;
    for (const Mail& mail : mail_)
      if (mail.policy == policy_ && mail.arrives <= midnight() + hours{3})
        all.push_back(mail.report);
    std::ranges::shuffle(all, random_);
    return all;
  }

  void night(Time clock, bool clock_is_wrong) {
    Evidence evidence;
    const bool store_answers = !chance(10);
    if (store_answers) evidence.reports = arrived();
    const bool verified = !chance(4);
    if (verified || chance(2)) evidence.verify = LiveCheck{verified, verified ? "" : "expired"};
    const Decision decision = decide(rollout, published_, evidence, {}, clock);
    const auto action = decision.state.action;
    if (action == RolloutAction::promote) check_promotion(evidence, verified);
    if (action == RolloutAction::brake) {
      EXPECT_GT(stage_, 0U);
      EXPECT_EQ(decision.state.target, 1U);
      ++brakes;
    }
    // Too much failed, the report is there and readable: it must not enforce any longer.
    const bool told = first_bad_ && *first_bad_ <= midnight() + hours{3};
    if (told && store_answers && !clock_is_wrong)
      EXPECT_EQ(to_string(action), std::string("brake")) << "on day " << day_;
    // Whoever looks only when it is over sees no reason any more.
    if (told) first_bad_.reset();
    if (action != RolloutAction::stay) publish(decision, clock);
  }

  void check_promotion(const Evidence& evidence, bool verified) {
    ++promotions;
    ASSERT_TRUE(evidence.reports) << "without reports";
    EXPECT_TRUE(verified);
    EXPECT_GE(midnight() + hours{3} - *published_.since, stage_ == 0 ? days{5} : days{7})
        << "early";
    std::uint64_t sessions = 0;
    for (const ReportedSessions& report : *evidence.reports)
      sessions += report.sessions;
    EXPECT_GE(sessions, stage_ == 0 ? 100U : 1U);
    const Time recent = midnight() - (stage_ == 0 ? days{4} : days{6});
    for (const ReportedSessions& report : *evidence.reports)
      if (report.begin >= recent) EXPECT_EQ(report.failed, 0U) << "while mail fails";
  }

  // As the id goes: later than the one before, also where the clock went back.
  void publish(const Decision& decision, Time clock) {
    const std::size_t before = stage_;
    stage_ = decision.state.target - 1;
    EXPECT_LE(stage_, before + 1) << "a stage was left out";
    const Time id = published_.since ? std::max(clock, *published_.since + Duration{1}) : clock;
    published_ = {.policy = sts::Policy{decision.mode, {}, decision.max_age}, .since = id};
    ++policy_;
    first_bad_.reset();
  }

  std::mt19937 random_;
  int day_ = 0;
  bool failing_ = false, silent_ = false;
  std::vector<Mail> mail_;
  Published published_;
  std::size_t stage_ = 0, policy_ = 0;
  std::optional<Time> first_bad_;  // when the first report of failing enforcement comes in
};

TEST(Journey, NeitherEarlyNorLate) {
  int promotions = 0;
  int brakes = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    Journey journey(seed);
    journey.run();
    promotions += journey.promotions;
    brakes += journey.brakes;
    if (HasFailure()) return;
  }
  // Chance gave it something to check.
  EXPECT_GT(promotions, 100);
  EXPECT_GT(brakes, 40);
}

}  // namespace
}  // namespace stsctl::rollout
