// A fleet through 120 days of simulated time: every night reports are taken in and plans are
// applied, some die half-way; reports come late, twice, out of order and from strangers; MX records
// change and mail hosts fail. Senders that know nothing of stsctl deliver every hour: none may
// refuse good mail.
#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "plan/senders.h"
#include "reports/evidence.h"
#include "reports/report.h"
#include "reports/store.h"
#include "rollout/decide.h"
#include "tests/plan/story.h"

namespace stsctl::engine {
namespace {

using plan::SenderKind;
using plan::Story;
using std::chrono::days;
using std::chrono::hours;

constexpr int fleet_size = 200;
constexpr int parts = 4;  // of the fleet, tested side by side
constexpr int fleet_days = 120;
constexpr int hour_of_apply = 3;
constexpr int hour_of_change = 12;

const rollout::Rollout careful{
    .name = "careful",
    .stages = {{.mode = sts::Mode::testing,
                .max_age = days{1},
                .lasts = days{7},
                .gate = {.sessions = 100, .failures = rollout::Share{10'000}, .verify = true}},
               {.mode = sts::Mode::enforce,
                .max_age = days{7},
                .lasts = days{14},
                .gate = {.failures = rollout::Share{10'000}, .verify = true},
                .brake = rollout::Brake{rollout::Share{20'000}, days{1}}},
               {.mode = sts::Mode::enforce,
                .max_age = days{28},
                .brake = rollout::Brake{rollout::Share{20'000}, days{1}}}}};

// What a domain shows at one hour.
struct Shown {
  std::string id;
  std::optional<sts::Policy> policy;
  std::set<dns::Name> mx;
};

// The world as a mail sender meets it, hour by hour.
struct World {
  std::vector<Shown> hours;
  std::set<dns::Name> failing;  // hosts whose certificate has expired

  const Shown& at(std::size_t hour, std::size_t lag) const {
    return hours[hour < lag ? 0 : hour - lag];
  }
};

// Of one sender's day: sessions under each policy.
struct Tally {
  std::uint64_t good = 0;
  std::uint64_t failed = 0;
};

// Delivers once an hour, as RFC 8461 §5 says and no cleverer.
class Sender {
 public:
  Sender(SenderKind kind, std::size_t lag) : kind_(kind), lag_(lag) {}

  // False: it refused to hand mail to a domain that had a healthy host.
  bool deliver(const World& world, std::size_t hour) {
    look(world, hour);
    const std::set<dns::Name>& mx = world.at(hour, lag_).mx;
    if (!cached_) return true;
    const auto healthy = [&](const dns::Name& host) { return !world.failing.contains(host); };
    const auto allowed = [&](const dns::Name& host) { return sts::matches(cached_->policy, host); };
    Tally& tally = tallies_[cached_->body];
    if (std::ranges::any_of(mx, [&](const auto& host) { return healthy(host) && allowed(host); })) {
      ++tally.good;
      return true;
    }
    ++tally.failed;
    return cached_->policy.mode != sts::Mode::enforce || std::ranges::none_of(mx, healthy);
  }

  std::map<std::string, Tally> take_day() { return std::exchange(tallies_, {}); }

 private:
  struct Cached {
    sts::Policy policy;
    std::string body;
    std::string id;
    std::size_t ends;
  };

  void look(const World& world, std::size_t hour) {
    if (cached_ && hour >= cached_->ends) cached_.reset();
    const bool looks = !cached_ || kind_ == SenderKind::prompt ||
                       (kind_ == SenderKind::daily && hour >= next_look_);
    if (!looks) return;
    next_look_ = hour + 24;
    const std::string& id = world.at(hour, lag_).id;
    const auto& policy = world.at(hour, 0).policy;
    if (id.empty() || !policy || (cached_ && cached_->id == id)) return;
    const auto age = std::chrono::duration_cast<hours>(policy->max_age);
    cached_ = Cached{*policy, sts::format_policy(*policy), id,
                     hour + static_cast<std::size_t>(age.count())};
  }

  SenderKind kind_;
  std::size_t lag_;  // hours that its resolver is behind
  std::size_t next_look_ = 0;
  std::optional<Cached> cached_;
  std::map<std::string, Tally> tallies_;
};

// A report on its way.
struct Mailed {
  dns::Name domain;
  reports::Report report;
  std::optional<dns::Name> signer;
};

struct Count {
  int promotions = 0, brakes = 0, crashes = 0, moves = 0, failures = 0;
};

class Domain {
 public:
  Domain(int number, std::mt19937& random, Count& count)
      : random_(random), count_(count), name_("d" + std::to_string(number) + ".example") {
    story_.domain = *dns::Name::parse(name_);
    story_.desired = {.domain = story_.domain, .dns = "dns", .host = "web"};
    want(host());
    story_.desired.rollout = Boxed(plan::RolloutState{.rollout = careful.name});
    move_to(host());
    std::size_t lag = 0;
    for (const SenderKind kind : {SenderKind::prompt, SenderKind::daily, SenderKind::strict})
      senders_.emplace_back(kind, lag++ % 2);
  }

  void hour(std::size_t now, Time time, reports::Store& store) {
    const int of_day = static_cast<int>(now % 24);
    story_.now = time;
    if (of_day == hour_of_apply) night(store);
    if (of_day == hour_of_change) operate();
    show();
    for (Sender& sender : senders_)
      EXPECT_TRUE(sender.deliver(world_, now)) << name_ << " on day " << now / 24;
  }

  // What each sender reports of the day that ended at `end`, and what a stranger claims.
  void report(Time end, std::vector<std::pair<Time, Mailed>>& mail) {
    for (std::size_t i = 0; i < senders_.size(); ++i)
      send(senders_[i].take_day(), "sender" + std::to_string(i) + ".example", true, end, mail);
    if (chance(20) && story_.body)
      send({{*story_.body, {0, 10'000}}}, "stranger.example", false, end, mail);
  }

 private:
  bool chance(int one_in) { return std::uniform_int_distribution(1, one_in)(random_) == 1; }
  std::string host() const { return "mx" + std::to_string(generation_) + "." + name_; }
  std::optional<sts::Policy> served() const {
    return story_.body ? sts::parse_policy(*story_.body).value : std::nullopt;
  }

  // Much is as it was an hour before.
  void show() {
    const bool same = !world_.hours.empty() && shown_ == story_.body;
    auto policy = same ? world_.hours.back().policy : served();
    shown_ = story_.body;
    world_.hours.push_back({story_.id(), std::move(policy), live_});
  }

  void want(const std::string& host) {
    story_.desired.policy = Story::policy("testing", "1d", {host});
  }

  void move_to(const std::string& host) {
    live_ = {*dns::Name::parse(host)};
    story_.mx = plan::LiveMx{.hosts = {*live_.begin()}, .ttl = hours{1}};
  }

  // What happens without stsctl: certificates expire and are renewed, MX hosts are replaced, but
  // not before the plan has said that they may be.
  void operate() {
    if (world_.failing.empty() && chance(40)) {
      world_.failing = live_;
      ends_failing_ = story_.now + days{std::uniform_int_distribution(2, 9)(random_)};
      began_failing_ = story_.now;
      ++count_.failures;
    } else if (!world_.failing.empty() && story_.now >= ends_failing_) {
      world_.failing.clear();
    }
    if (may_move_) {
      move_to(host());
      world_.failing.clear();  // the new host is a sound one
      may_move_ = false;
      moving_ = false;
      ++count_.moves;
    } else if (!moving_ && world_.failing.empty() && chance(50)) {
      ++generation_;
      want(host());
      moving_ = true;
    }
  }

  rollout::Evidence evidence(reports::Store& store) {
    rollout::Evidence evidence;
    const auto policy = served();
    const rollout::Published published =
        rollout::read_published(careful, story_.desired, story_.observed());
    if (!policy) return evidence;
    const auto said =
        reports::sessions_under(store, {.domain = story_.domain,
                                        .policy = reports::canonical_policy(*story_.body),
                                        .since = published.since.value_or(Time::min())});
    EXPECT_TRUE(said);
    evidence.reports = std::vector<rollout::ReportedSessions>{};
    for (const reports::ReportedSessions& one : *said)
      evidence.reports->push_back({one.begin, one.end, one.sessions, one.failed, one.failures});
    if (chance(10))
      evidence.verify = fail(Code::unreachable, "nobody could look");
    else
      evidence.verify = rollout::LiveCheck{world_.failing.empty(), "expired"};
    return evidence;
  }

  void night(reports::Store& store) {
    const rollout::Decision decision = rollout::decide(
        careful, rollout::read_published(careful, story_.desired, story_.observed()),
        evidence(store), {}, story_.now);
    ASSERT_GT(decision.state.target, 0U) << name_ << ": " << decision.state.reasons.front();
    if (decision.state.action == plan::RolloutAction::promote) check_promotion();
    if (decision.state.action == plan::RolloutAction::brake) ++count_.brakes;
    check_brake(decision.mode);
    take(decision);
  }

  void check_promotion() {
    ++count_.promotions;
    EXPECT_TRUE(world_.failing.empty()) << name_ << " is promoted while its mail fails";
    EXPECT_GE(story_.now - announced_, days{7}) << name_;
  }

  // A day's report comes 28 hours after it at the latest; an apply that dies costs a night more.
  void check_brake(sts::Mode mode) const {
    constexpr Duration bound = days{1} + hours{28} + 3 * days{1};
    if (!world_.failing.empty() && story_.now - began_failing_ > bound)
      EXPECT_EQ(mode, sts::Mode::testing) << name_ << " fails and is not braked";
  }

  void take(const rollout::Decision& decision) {
    Story wanted = story_;
    wanted.desired.policy->mode = decision.mode;
    wanted.desired.policy->max_age = decision.max_age;
    wanted.desired.rollout = Boxed(decision.state);
    const std::string before = story_.id();
    const std::size_t most = chance(8) ? 1U : 99U;
    const plan::DomainPlan plan = wanted.apply(most);
    EXPECT_FALSE(plan.error) << name_;
    EXPECT_FALSE(plan.refused()) << name_;
    story_.sets = wanted.sets;
    story_.body = wanted.body;
    if (most < plan.steps.size()) ++count_.crashes;
    if (story_.id() != before) announced_ = story_.now;
    if (!moving_ || plan.changed() || !plan.mx || !plan.mx->may_change) return;
    may_move_ = safe_for(SenderKind::strict, *plan.mx->may_change) <= story_.now;
  }

  void send(const std::map<std::string, Tally>& day, const std::string& organization, bool signs,
            Time end, std::vector<std::pair<Time, Mailed>>& mail) {
    reports::Report report{.organization = organization,
                           .contact = "",
                           .id = name_ + format_time(end),
                           .begin = end - days{1},
                           .end = end - Duration{1},
                           .policies = {},
                           .deviations = {}};
    for (const auto& [policy, tally] : day) {
      reports::PolicyEntry entry{.type = reports::PolicyType::sts,
                                 .domain = story_.domain,
                                 .policy = reports::canonical_policy(policy),
                                 .mx = {},
                                 .successful = tally.good * 10,
                                 .failed = tally.failed * 10,
                                 .failures = {}};
      if (tally.failed > 0)
        entry.failures.push_back({.result = reports::ResultType::certificate_expired,
                                  .result_name = "certificate-expired",
                                  .sessions = entry.failed});
      report.policies.push_back(std::move(entry));
    }
    if (report.policies.empty()) return;
    std::optional<dns::Name> signer;
    if (signs) signer = *dns::Name::parse(organization);
    for (int copies = chance(5) ? 2 : 1; copies > 0; --copies)
      mail.emplace_back(end + hours{std::uniform_int_distribution(0, 27)(random_)},
                        Mailed{story_.domain, report, signer});
  }

  std::mt19937& random_;
  Count& count_;
  std::string name_;
  Story story_;
  World world_;
  std::optional<std::string> shown_;  // the body behind the last hour of it
  std::vector<Sender> senders_;
  std::set<dns::Name> live_;
  int generation_ = 0;
  bool moving_ = false;    // the policy waits for the MX records to change
  bool may_move_ = false;  // and the plan says that they may
  Time began_failing_{}, ends_failing_{}, announced_{};
};

class Fleet : public testing::TestWithParam<int> {};

TEST_P(Fleet, LosesNoMailInAHundredAndTwentyDays) {
  constexpr unsigned seed = 20261125;
  std::mt19937 random(seed + static_cast<unsigned>(GetParam()));
  Count count;
  std::vector<Domain> domains;
  domains.reserve(fleet_size / parts);
  for (int i = GetParam(); i < fleet_size; i += parts)
    domains.emplace_back(i, random, count);
  auto store = reports::Store::open(":memory:", reports::Database::Mode::create);
  ASSERT_TRUE(store);
  std::vector<std::pair<Time, Mailed>> mail;
  const Time begin = *parse_time("2026-12-01T00:00:00Z");
  for (std::size_t hour = 0; hour < std::size_t{24} * fleet_days && !HasFailure(); ++hour) {
    const Time now = begin + hours{hour};
    if (hour % 24 == 0 && hour > 0)
      for (Domain& domain : domains)
        domain.report(now, mail);
    ASSERT_TRUE(store->begin());
    std::erase_if(mail, [&](const auto& one) {
      if (one.first > now) return false;
      EXPECT_TRUE(store->add(one.second.report, one.second.domain, {"", one.second.signer, now}));
      return true;
    });
    ASSERT_TRUE(store->commit());
    for (Domain& domain : domains)
      domain.hour(hour, now, *store);
  }
  EXPECT_GT(count.promotions, fleet_size / parts);
  EXPECT_GT(count.brakes, 12);
  EXPECT_GT(count.crashes, 12);
  EXPECT_GT(count.moves, 12);
  EXPECT_GT(count.failures, 25);
}

INSTANTIATE_TEST_SUITE_P(Parts, Fleet, testing::Range(0, parts));

}  // namespace
}  // namespace stsctl::engine
