// The sender model against worked sequences, and against a naive simulation hour by hour.

#include "plan/senders.h"

#include <array>
#include <random>

#include <gtest/gtest.h>

namespace stsctl::plan {
namespace {

using Policy = std::optional<sts::Policy>;
using Id = std::optional<std::string>;
using Hosts = std::vector<dns::Name>;

constexpr int week = 7 * 24;

Duration hours(int count) {
  return Duration{count * 3600};
}

Policy policy(sts::Mode mode, const std::vector<std::string>& mx, int max_age) {
  sts::Policy policy{.mode = mode, .max_age = hours(max_age)};
  for (const std::string& host : mx)
    policy.mx.push_back(*sts::parse_mx_pattern(host));
  return policy;
}

Hosts hosts(const std::vector<std::string>& names) {
  Hosts hosts;
  for (const std::string& name : names)
    hosts.push_back(*dns::Name::parse(name));
  return hosts;
}

const Policy old_only = policy(sts::Mode::enforce, {"old.example"}, week);
const Policy both = policy(sts::Mode::enforce, {"old.example", "new.example"}, week);
const Policy new_only = policy(sts::Mode::enforce, {"new.example"}, week);
const Policy old_day = policy(sts::Mode::enforce, {"old.example"}, 24);
const Policy both_day = policy(sts::Mode::enforce, {"old.example", "new.example"}, 24);
const Policy new_day = policy(sts::Mode::enforce, {"new.example"}, 24);
const Policy off_day = policy(sts::Mode::none, {"old.example"}, 24);
const Policy testing = policy(sts::Mode::testing, {"old.example"}, week);

// What is written at which hour, in hours; before that the old policy, id and MX.
struct Sequence {
  const char* name;
  std::vector<std::pair<int, Policy>> policies;
  std::vector<std::pair<int, Id>> ids;
  std::vector<int> mx;  // the hour at which the MX moves to the new host
  int edge = 0;
  std::array<int, 3> refused;  // hours, by a prompt, a daily and a strict sender
};

Timeline timeline(const Sequence& sequence) {
  Timeline line{.policies = {{Duration{}, old_only}},
                .ids = {{Duration{}, "0"}},
                .mx = {{Duration{}, hosts({"old.example"})}},
                .edge_delay = hours(sequence.edge),
                .id_ttl = hours(1),
                .mx_ttl = hours(1),
                .tick = hours(1)};
  for (const auto& [hour, what] : sequence.policies)
    line.policies.push_back({hours(hour), what});
  for (const auto& [hour, what] : sequence.ids)
    line.ids.push_back({hours(hour), what});
  for (const int hour : sequence.mx)
    line.mx.push_back({hours(hour), hosts({"new.example"})});
  return line;
}

std::vector<Sequence> sequences() {
  return {
      {"everything at once", {{0, new_only}}, {{0, "1"}}, {0}, 0, {1, 24, 167}},
      {"the MX first", {{2, new_only}}, {{2, "1"}}, {0}, 0, {3, 26, 169}},
      {"the policy first, no overlap", {{0, new_only}}, {{0, "1"}}, {2}, 0, {3, 22, 165}},
      {"superset, wait for the TTL",
       {{0, both}, {4, new_only}},
       {{0, "1"}, {4, "2"}},
       {2},
       0,
       {0, 22, 165}},
      {"superset, wait a day",
       {{0, both}, {28, new_only}},
       {{0, "1"}, {28, "2"}},
       {26},
       0,
       {0, 0, 141}},
      {"superset, wait for the old max_age",
       {{0, both}, {171, new_only}},
       {{0, "1"}, {171, "2"}},
       {169},
       0,
       {0, 0, 0}},
      {"max_age lowered a week before",
       {{0, old_day}, {169, both_day}, {196, new_day}},
       {{0, "1"}, {169, "2"}, {196, "3"}},
       {194},
       0,
       {0, 0, 0}},
      {"the id before the policy",
       {{1, both}, {6, new_only}},
       {{0, "1"}, {6, "2"}},
       {4},
       0,
       {2, 20, 164}},
      {"the id before the policy, mended by another",
       {{1, both}, {7, new_only}},
       {{0, "1"}, {2, "2"}, {7, "3"}},
       {5},
       0,
       {0, 19, 163}},
      {"an edge that lags a day",
       {{0, both}, {4, new_only}},
       {{0, "1"}, {4, "2"}},
       {2},
       24,
       {171, 189, 189}},
      {"an edge that lags a day, waited for",
       {{0, both}, {51, new_only}},
       {{24, "1"}, {76, "2"}},
       {26},
       24,
       {0, 22, 165}},
      {"no new id", {{0, both}, {4, new_only}}, {}, {2}, 0, {165, 165, 165}},
      {"shrunk in the hour of the move",
       {{0, both}, {170, new_only}},
       {{0, "1"}, {170, "2"}},
       {170},
       0,
       {1, 1, 1}},
      {"record and policy deleted", {{0, {}}}, {{0, {}}}, {2}, 0, {165, 165, 165}},
      {"none, wait for the TTL", {{0, off_day}}, {{0, "1"}}, {2}, 0, {0, 22, 165}},
      {"none, wait a day", {{0, off_day}}, {{0, "1"}}, {26}, 0, {0, 0, 141}},
      {"none, wait for the old max_age, remove",
       {{0, off_day}, {169, {}}},
       {{0, "1"}, {169, {}}},
       {170},
       0,
       {0, 0, 0}},
      {"the record deleted, the policy none", {{0, off_day}}, {{0, {}}}, {2}, 0, {165, 165, 165}},
      {"back to testing", {{0, testing}}, {{0, "1"}}, {2}, 0, {0, 22, 165}},
      {"none, removed after a day",
       {{0, off_day}, {25, {}}},
       {{0, "1"}, {25, {}}},
       {27},
       0,
       {0, 0, 140}},
  };
}

constexpr std::array kinds{SenderKind::prompt, SenderKind::daily, SenderKind::strict};

TEST(WorstRefusal, OfWorkedSequences) {
  for (const Sequence& sequence : sequences())
    for (std::size_t i = 0; i < kinds.size(); ++i)
      EXPECT_EQ(worst_refusal(timeline(sequence), kinds[i]).total / hours(1), sequence.refused[i])
          << sequence.name << ", " << to_string(kinds[i]);
}

TEST(WorstRefusal, AnMxMoreRefusesNothing) {
  Timeline line = timeline({.name = ""});
  line.mx.push_back({Duration{}, hosts({"old.example", "new.example"})});
  for (const SenderKind kind : kinds)
    EXPECT_EQ(worst_refusal(line, kind).total, Duration{0});
}

TEST(WorstRefusal, SaysFromWhenToWhen) {
  const Refusal refusal =
      worst_refusal(timeline({.name = "", .ids = {{0, "1"}}, .mx = {2}}), SenderKind::prompt);
  EXPECT_EQ(refusal.begin, hours(2)) << "when the MX moves";
  EXPECT_GT(refusal.end, hours(2 + week)) << "the policy served goes on to refuse";
}

TEST(WorstRefusal, NobodyRefusesWhereNoHostIsHealthy) {
  Timeline line = timeline({.name = "", .mx = {2}});
  line.mx.back().what.clear();
  for (const SenderKind kind : kinds)
    EXPECT_EQ(worst_refusal(line, kind).total, Duration{0});
}

// ---- the same by brute force ----

// One sender, hour by hour, with fixed lags: as plain as it can be written.
int simulate(const Timeline& line, SenderKind kind, int edge, int id_lag, int mx_lag, int first,
             int end) {
  const auto shown = [](const auto& list, int hour) -> const auto& {
    std::size_t index = 0;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (i == 0 || list[i].at <= hours(hour)) index = i;
    return list[index].what;
  };
  const sts::Policy* stored = nullptr;
  std::string stored_id;
  int expires = 0;
  int looked = 0;
  int refused = 0;
  for (int hour = first; hour < end; ++hour) {
    if (stored != nullptr && hour >= expires) stored = nullptr;
    const bool looks =
        !stored || kind == SenderKind::prompt || (kind == SenderKind::daily && hour - looked == 24);
    if (looks) {
      looked = hour;
      const Id& id = shown(line.ids, hour - id_lag);
      const Policy& served = shown(line.policies, hour - edge);
      if (id && (stored == nullptr || stored_id != *id) && served) {
        stored = &*served;
        stored_id = *id;
        expires = hour + static_cast<int>(served->max_age / hours(1));
      }
    }
    if (stored == nullptr || stored->mode != sts::Mode::enforce) continue;
    bool reachable = false;
    const Hosts& live = shown(line.mx, hour - mx_lag);
    for (const dns::Name& host : live)
      reachable = reachable || sts::matches(*stored, host);
    if (hour >= 0 && !reachable && !live.empty()) ++refused;
  }
  return refused;
}

int brute_force(const Timeline& line, SenderKind kind, int end) {
  int worst = 0;
  for (int edge = 0; hours(edge) <= line.edge_delay; ++edge)
    for (int id = 0; hours(id) <= line.id_ttl; ++id)
      for (int mx = 0; hours(mx) <= line.mx_ttl; ++mx)
        for (int first = -70; first < 25; ++first)
          worst = std::max(worst, simulate(line, kind, edge, id, mx, first, end));
  return worst;
}

class Worlds {
 public:
  Timeline next() {
    Timeline line{.policies = {{Duration{}, any_policy()}},
                  .ids = {{Duration{}, "0"}},
                  .mx = {{Duration{}, any_hosts()}},
                  .edge_delay = hours(below(3)),
                  .id_ttl = hours(below(3)),
                  .mx_ttl = hours(below(3)),
                  .tick = hours(1)};
    int hour = 0;
    for (int i = below(3); i > 0; --i)
      line.policies.push_back({hours(hour += below(4)), any_policy()});
    hour = 0;
    for (int i = below(3); i > 0; --i)
      line.ids.push_back({hours(hour += 1 + below(4)), std::to_string(i)});
    hour = 0;
    for (int i = below(3); i > 0; --i)
      line.mx.push_back({hours(hour += 1 + below(6)), any_hosts()});
    return line;
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  Policy any_policy() {
    static const std::vector<std::vector<std::string>> allowed{
        {"a.example"}, {"b.example"}, {"a.example", "b.example"}};
    if (below(8) == 0) return std::nullopt;
    const sts::Mode mode = below(5) == 0 ? sts::Mode::testing : sts::Mode::enforce;
    return policy(mode, allowed[static_cast<std::size_t>(below(3))], below(2) == 0 ? 3 : 30);
  }
  Hosts any_hosts() {
    static const std::vector<std::vector<std::string>> live{
        {"a.example"}, {"b.example"}, {"a.example", "b.example"}};
    return hosts(live[static_cast<std::size_t>(below(3))]);
  }

  std::mt19937 random_{20261125};
};

// Worlds in which the refusal is over before the end of both; a lasting one has no worst.
TEST(WorstRefusal, IsThatOfANaiveSimulation) {
  Worlds worlds;
  int compared = 0;
  int refused = 0;
  while (compared < 100) {
    const Timeline line = worlds.next();
    std::array<int, 3> naive{};
    for (std::size_t i = 0; i < kinds.size(); ++i)
      naive[i] = brute_force(line, kinds[i], 100);
    if (naive[2] != brute_force(line, SenderKind::strict, 101)) continue;
    ++compared;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      refused += naive[i] > 0 ? 1 : 0;
      ASSERT_EQ(worst_refusal(line, kinds[i]).total / hours(1), naive[i])
          << "world " << compared << ", " << to_string(kinds[i]);
    }
  }
  EXPECT_GT(refused, 40) << "the worlds must not be all harmless";
}

TEST(MayStoreStale, WhenAnOldPolicyCanBeFetchedUnderANewId) {
  struct Case {
    const char* name;
    std::vector<std::pair<int, Policy>> policies;
    std::vector<std::pair<int, Id>> ids;
    int edge;
    bool stale;
  };
  for (const Case& one : std::vector<Case>{
           {"policy, then id", {{0, both}}, {{1, "1"}}, 0, false},
           {"both in one moment", {{0, both}}, {{0, "1"}}, 0, false},
           {"id, then policy", {{1, both}}, {{0, "1"}}, 0, true},
           {"id, then policy, then another id", {{1, both}}, {{0, "1"}, {2, "2"}}, 0, false},
           {"no new id", {{0, both}}, {}, 0, true},
           {"the id within the edge's delay", {{0, both}}, {{5, "1"}}, 6, true},
           {"the id behind the edge's delay", {{0, both}}, {{6, "1"}}, 6, false},
           {"the same policy again", {{0, old_only}}, {}, 0, false},
           {"the policy goes, and its record", {{2, {}}}, {{1, {}}}, 0, false},
           {"the policy goes, its record stays", {{2, {}}}, {}, 0, true},
       })
    EXPECT_EQ(may_store_stale(timeline({one.name, one.policies, one.ids, {}, one.edge, {}})),
              one.stale)
        << one.name;
}

}  // namespace
}  // namespace stsctl::plan
