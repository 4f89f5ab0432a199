// What every policy host does when it writes, and what it leaves alone.

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "host_contract.h"

namespace stsctl::contract {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class HostWrites : public HostContract {};

TEST_P(HostWrites, Creates) {
  must_write(edit("example.com", {}, policy(1)));
  EXPECT_EQ(world().stored("example.com"), policy(1));  // with every CR LF
  EXPECT_EQ(must_read(open(), "example.com"), policy(1));
  EXPECT_THAT(world().leftovers({"example.com"}), IsEmpty());
}

TEST_P(HostWrites, Replaces) {
  world().put("example.com", policy(1));
  world().put("neighbour.example", policy(9));
  must_write(edit("example.com", policy(1), policy(2)));
  EXPECT_EQ(world().stored("example.com"), policy(2));
  EXPECT_EQ(world().stored("neighbour.example"), policy(9));
  EXPECT_THAT(world().leftovers({"example.com", "neighbour.example"}), IsEmpty());
}

TEST_P(HostWrites, ReplacesWhatItHasJustWritten) {
  PolicyHost& host = open();
  for (int i = 1; i <= 4; ++i) {
    const auto before = i == 1 ? std::nullopt : std::optional(policy(i - 1));
    const Result<Done> done = write_one(host, edit("example.com", before, policy(i)));
    ASSERT_TRUE(done) << i << ' ' << to_string(done.error());
    EXPECT_EQ(world().stored("example.com"), policy(i));
  }
}

TEST_P(HostWrites, ReplacesAForeignBody) {
  const std::string foreign("\xff\xfe<html>\0 not ours", 16);
  world().put("example.com", foreign);
  must_write(edit("example.com", foreign, policy(1)));
  EXPECT_EQ(world().stored("example.com"), policy(1));
}

TEST_P(HostWrites, Removes) {
  world().put("example.com", policy(1));
  world().put("neighbour.example", policy(9));
  must_write(edit("example.com", policy(1), {}));
  EXPECT_EQ(world().stored("example.com"), std::nullopt);
  EXPECT_EQ(must_read(open(), "example.com"), std::nullopt);
  EXPECT_EQ(world().stored("neighbour.example"), policy(9));
  must_write(edit("example.com", {}, policy(2)));  // and back again
  EXPECT_EQ(world().stored("example.com"), policy(2));
}

TEST_P(HostWrites, DoneAlreadyIsDone) {
  world().put("example.com", policy(2));
  must_write(edit("example.com", policy(1), policy(2)));
  must_write(edit("example.com", {}, policy(2)));
  must_write(edit("absent.example", policy(1), {}));
  EXPECT_EQ(world().stored("example.com"), policy(2));
  EXPECT_EQ(world().stored("absent.example"), std::nullopt);
  EXPECT_THAT(world().leftovers({"example.com"}), IsEmpty());
}

struct Lost {
  const char* domain;
  std::optional<std::string> before, live, after;
};

TEST_P(HostWrites, WhatChangedBehindTheBackIsAConflictAndStays) {
  const std::vector<Lost> cases{
      {"changed.example", policy(1), policy(7), policy(2)},
      {"appeared.example", {}, policy(7), policy(2)},
      {"vanished.example", policy(1), {}, policy(2)},
      {"changed-and-to-go.example", policy(1), policy(7), {}},
      {"line-ends.example", policy(1), "version: STSv1\nmode: enforce\n", policy(2)},
      {"emptied.example", policy(1), "", policy(2)},
  };
  std::vector<plan::PolicyEdit> edits;
  std::vector<std::string> domains{"example.com"};
  for (const Lost& one : cases) {
    if (one.live) world().put(one.domain, *one.live);
    edits.push_back(edit(one.domain, one.before, one.after));
    domains.emplace_back(one.domain);
  }
  edits.push_back(edit("example.com", {}, policy(3)));
  const auto results = write(open(), edits);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    expect_error(results[i], {Code::conflict});
    EXPECT_EQ(world().stored(cases[i].domain), cases[i].live) << cases[i].domain;
  }
  EXPECT_TRUE(results.back());  // the others go on
  EXPECT_EQ(world().stored("example.com"), policy(3));
  EXPECT_THAT(world().leftovers(domains), IsEmpty());
}

TEST_P(HostWrites, ManyAtOnce) {
  std::vector<plan::PolicyEdit> edits;
  std::vector<std::string> domains;
  for (std::size_t i = 0; i < kind().fleet; ++i) {
    domains.push_back("d" + std::to_string(i) + ".example");
    edits.push_back(edit(domains.back(), {}, policy(static_cast<int>(i))));
  }
  std::atomic<std::size_t> count = 0;
  const auto results =
      write(open(), edits, {.stop = {}, .advance = [&](std::size_t more) { count += more; }});
  for (const Result<Done>& result : results)
    ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(count, kind().fleet);
  const auto bodies = read(open(), domains);
  for (std::size_t i = 0; i < kind().fleet; ++i) {
    ASSERT_TRUE(bodies[i]) << to_string(bodies[i].error());
    ASSERT_EQ(*bodies[i], policy(static_cast<int>(i)));
    ASSERT_EQ(world().stored(domains[i]), *bodies[i]);
  }
  EXPECT_THAT(world().leftovers(domains), IsEmpty());
}

// RFC 8461 knows no half a policy: a sender that reads it reads no policy.
TEST_P(HostWrites, AReaderSeesTheOldBodyOrTheNewOne) {
  constexpr int turns = 5;
  constexpr int domains = 12;
  const auto domain = [](int number) { return "d" + std::to_string(number) + ".example"; };
  const auto body = [](int turn) {
    return policy(turn) + std::string(static_cast<std::size_t>(8192 * (turn % 2)), 'x');
  };
  std::set<std::string> bodies;
  for (int turn = 0; turn <= turns; ++turn)
    bodies.insert(body(turn));
  for (int i = 0; i < domains; ++i)
    world().put(domain(i), body(0));
  PolicyHost& host = open();
  std::atomic<int> looks = 0;
  std::atomic<int> torn = 0;
  std::atomic<int> missing = 0;
  {
    const std::jthread reader([&](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested(); i = (i + 1) % domains) {
        const std::optional<std::string> seen = world().stored(domain(i));
        ++looks;
        if (!seen) ++missing;
        if (seen && !bodies.contains(*seen)) ++torn;
      }
    });
    for (int turn = 1; turn <= turns; ++turn) {
      std::vector<plan::PolicyEdit> edits;
      for (int i = 0; i < domains; ++i)
        edits.push_back(edit(domain(i), body(turn - 1), body(turn)));
      for (const Result<Done>& done : write(host, edits))
        ASSERT_TRUE(done) << to_string(done.error());
    }
  }
  EXPECT_GT(looks, turns * domains);
  EXPECT_EQ(torn, 0) << "of " << looks;
  EXPECT_EQ(missing, 0) << "of " << looks;
}

TEST_P(HostWrites, StoppedBeforeItBegins) {
  std::stop_source stop;
  stop.request_stop();
  const auto results = write(open(), {edit("example.com", {}, policy(1))},
                             {.stop = stop.get_token(), .advance = {}});
  expect_error(results.front(), {Code::cancelled});
  EXPECT_EQ(world().stored("example.com"), std::nullopt);
}

TEST_P(HostWrites, StoppedInTheMiddleTellsWhatIsDone) {
  std::stop_source stop;
  std::vector<plan::PolicyEdit> edits;
  std::vector<std::string> domains;
  for (int i = 0; i < 200; ++i) {
    domains.push_back("d" + std::to_string(i) + ".example");
    edits.push_back(edit(domains.back(), {}, policy(i)));
  }
  const auto results =
      write(open(), edits, {stop.get_token(), [&](std::size_t) { stop.request_stop(); }});
  std::size_t done = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) ++done;
    if (!results[i]) expect_error(results[i], {Code::cancelled});
    EXPECT_EQ(world().stored(domains[i]),
              results[i] ? std::optional(edits[i].after->body) : std::nullopt);
  }
  EXPECT_GT(done, 0U);
  if (kind().together)
    EXPECT_EQ(done, results.size());
  else
    EXPECT_LT(done, results.size());
  EXPECT_THAT(world().leftovers(domains), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostWrites, testing::ValuesIn(all_host_worlds()), host_world_name);

class HostWritesTogether : public HostContract {};

// A pair of domains is looked at in both orders: what is seen second is never older.
TEST_P(HostWritesTogether, AReaderNeverSeesSomeOfThem) {
  constexpr int turns = 6;
  constexpr int domains = 60;
  const auto domain = [](int number) { return "d" + std::to_string(number) + ".example"; };
  for (int i = 0; i < domains; ++i)
    world().put(domain(i), policy(0));
  PolicyHost& host = open();
  std::atomic<int> looks = 0;
  std::atomic<int> older = 0;
  {
    const std::jthread reader([&](const std::stop_token& stop) {
      for (bool turned = false; !stop.stop_requested(); turned = !turned) {
        const int first = turned ? domains - 1 : 0;
        const auto seen = world().stored(domain(first));
        const auto then = world().stored(domain(domains - 1 - first));
        ++looks;
        if (then < seen) ++older;
      }
    });
    for (int turn = 1; turn <= turns; ++turn) {
      std::vector<plan::PolicyEdit> edits;
      for (int i = 0; i < domains; ++i)
        edits.push_back(edit(domain(i), policy(turn - 1), policy(turn)));
      for (const Result<Done>& done : write(host, edits))
        ASSERT_TRUE(done) << to_string(done.error());
    }
  }
  EXPECT_GT(looks, 10 * turns);
  EXPECT_EQ(older, 0) << "of " << looks;
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostWritesTogether, testing::ValuesIn(host_worlds_together()),
                         host_world_name);

class HostWritesLayouts : public HostContract {};

TEST_P(HostWritesLayouts, Flat) {
  world().start(Layout::flat);
  must_write(edit("example.com", {}, policy(1)));
  must_write(edit("example.org", {}, policy(2)));
  EXPECT_EQ(world().stored("example.com"), policy(1));
  must_write(edit("example.com", policy(1), {}));
  EXPECT_EQ(world().stored("example.com"), std::nullopt);
  EXPECT_EQ(world().stored("example.org"), policy(2));
  EXPECT_THAT(world().leftovers({"example.org"}), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostWritesLayouts,
                         testing::ValuesIn(host_worlds_with(HostNeed::layouts)), host_world_name);

}  // namespace
}  // namespace stsctl::contract
