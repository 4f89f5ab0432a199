// What every policy host does when something goes wrong: nothing is lost, nothing is told that is
// not so, and the others go on.

#include <chrono>

#include "host_contract.h"
#include "servers/running.h"

namespace stsctl::contract {
namespace {

using testing::IsEmpty;

class HostCredentials : public HostContract {};

TEST_P(HostCredentials, WrongOnesWriteNothing) {
  world().put("example.com", policy(1));
  const auto results =
      write(open({.good_credentials = false}),
            {edit("example.com", policy(1), policy(2)), edit("example.org", {}, policy(1))});
  for (const Result<Done>& result : results) {
    expect_error(result, {Code::unauthorized});
    EXPECT_NE(result.error().hint, "");
  }
  EXPECT_EQ(world().stored("example.com"), policy(1));
  EXPECT_EQ(world().stored("example.org"), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostCredentials,
                         testing::ValuesIn(host_worlds_with(HostNeed::credentials)),
                         host_world_name);

class HostPermissions : public HostContract {};

TEST_P(HostPermissions, RefusedIsToldAndTheOthersGoOn) {
  world().put("shut.example", policy(1));
  world().put("gone.example", policy(1));
  world().forbid_writing("shut.example");
  world().forbid_writing("gone.example");
  const auto results =
      write(open(), {edit("shut.example", policy(1), policy(2)),
                     edit("gone.example", policy(1), {}), edit("example.com", {}, policy(3))});
  expect_error(results[0], {Code::unauthorized, Code::internal});
  expect_error(results[1], {Code::unauthorized, Code::internal});
  EXPECT_TRUE(results[2]);
  EXPECT_EQ(world().stored("shut.example"), policy(1));
  EXPECT_EQ(world().stored("gone.example"), policy(1));
  EXPECT_EQ(world().stored("example.com"), policy(3));
  EXPECT_THAT(world().leftovers({"shut.example", "gone.example", "example.com"}), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostPermissions,
                         testing::ValuesIn(host_worlds_with(HostNeed::permissions)),
                         host_world_name);

class HostDisk : public HostContract {};

TEST_P(HostDisk, FullKeepsTheOldBody) {
  world().put("example.com", policy(1));
  PolicyHost& host = open();
  world().fill_disk();
  const std::string longer = policy(2) + std::string(32768, 'x');
  const auto results =
      write(host, {edit("example.com", policy(1), longer), edit("example.org", {}, longer)});
  for (const Result<Done>& result : results)
    expect_error(result, {Code::internal});
  EXPECT_EQ(world().stored("example.com"), policy(1));
  EXPECT_EQ(world().stored("example.org"), std::nullopt);
  world().free_disk();
  EXPECT_THAT(world().leftovers({"example.com"}), IsEmpty());
  const Result<Done> done = write_one(host, edit("example.com", policy(1), policy(2)));
  EXPECT_TRUE(done) << to_string(done.error());
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostDisk, testing::ValuesIn(host_worlds_with(HostNeed::disk)),
                         host_world_name);

class HostWire : public HostContract {
 protected:
  // The host says "done" of exactly what is there.
  void expect_truth(const std::vector<plan::PolicyEdit>& edits,
                    const std::vector<Result<Done>>& results) const {
    for (std::size_t i = 0; i < edits.size(); ++i) {
      const plan::PolicyFile& file = edits[i].after ? *edits[i].after : *edits[i].before;
      const auto stored = world().stored(file.domain.text());
      const auto wanted =
          edits[i].after ? std::optional(edits[i].after->body) : std::optional<std::string>();
      EXPECT_EQ(results[i].has_value(), stored == wanted)
          << file.domain.text() << ": "
          << (results[i] ? "told as done" : to_string(results[i].error()));
      if (!results[i]) expect_error(results[i], {Code::unreachable, Code::timeout});
    }
  }
};

// The answer to the very change is lost: it is on its way when the connection breaks.
TEST_P(HostWire, CutAfterTheWork) {
  world().put("example.com", policy(1));
  PolicyHost& host = open();
  world().wire().delay_answers(std::chrono::milliseconds(30));
  world().wire().cut_when([&] { return world().stored("example.com") == policy(2); });
  const std::vector edits{edit("example.com", policy(1), policy(2))};
  const auto results = write(host, edits);
  EXPECT_TRUE(world().wire().has_cut());
  EXPECT_TRUE(results.front()) << to_string(results.front().error());
  EXPECT_EQ(world().stored("example.com"), policy(2));
}

TEST_P(HostWire, CutAfterARemoval) {
  world().put("example.com", policy(1));
  PolicyHost& host = open();
  world().wire().delay_answers(std::chrono::milliseconds(30));
  world().wire().cut_when([&] { return world().stored("example.com") == std::nullopt; });
  const Result<Done> done = write_one(host, edit("example.com", policy(1), {}));
  EXPECT_TRUE(world().wire().has_cut());
  EXPECT_TRUE(done) << to_string(done.error());
}

TEST_P(HostWire, CutInTheMiddleOfMany) {
  std::vector<plan::PolicyEdit> edits;
  for (int i = 0; i < 120; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    if (i % 2 == 0) world().put(domain, policy(1000));
    edits.push_back(
        edit(domain, i % 2 == 0 ? std::optional(policy(1000)) : std::nullopt, policy(i)));
  }
  PolicyHost& host = open();
  // Where all come at once the first answer after them is the last one.
  world().wire().delay_answers(std::chrono::milliseconds(kind().together ? 30 : 2));
  world().wire().cut_when([&] { return world().stored("d40.example") == policy(40); });
  const auto results = write(host, edits);
  EXPECT_TRUE(world().wire().has_cut());
  expect_truth(edits, results);
  // The next apply finishes it.
  for (const Result<Done>& result : write(open(), edits))
    EXPECT_TRUE(result) << to_string(result.error());
}

TEST_P(HostWire, CutBeforeTheAnswerToARead) {
  world().put("example.com", policy(1));
  PolicyHost& host = open();
  const std::size_t before = world().wire().connections();
  world().wire().hold(true);
  world().wire().cut_when([&] {
    if (world().wire().connections() == before) return false;
    world().wire().hold(false);
    return true;
  });
  const Result<Body> body = read_one(host, "example.com");
  EXPECT_TRUE(world().wire().has_cut());
  // Whether it is asked again or told, it is never taken for absent.
  if (body)
    EXPECT_EQ(*body, policy(1));
  else
    expect_error(body, {Code::unreachable, Code::timeout});
  EXPECT_EQ(must_read(host, "example.com"), policy(1));
}

TEST_P(HostWire, SilenceEndsInTimeAndIsNoAbsence) {
  world().put("example.com", policy(1));
  PolicyHost& host = open({.timeout = Duration{1}});
  world().wire().hold(true);
  const auto begin = std::chrono::steady_clock::now();
  std::stop_source stop;
  const auto bodies = read(host, {"example.com"}, {stop.get_token(), {}});
  expect_error(bodies.front(), {Code::timeout});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(40));
  world().wire().hold(false);
  EXPECT_EQ(must_read(open(), "example.com"), policy(1));
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostWire, testing::ValuesIn(host_worlds_with(HostNeed::wire)),
                         host_world_name);

}  // namespace
}  // namespace stsctl::contract
