// What every policy host does when it reads.

#include <atomic>

#include "host_contract.h"

namespace stsctl::contract {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// A failure where there should be none shows as what nobody stores.
std::optional<std::string> value(const Result<std::optional<std::string>>& body) {
  return body ? *body : to_string(body.error());
}

class HostReads : public HostContract {};

TEST_P(HostReads, Absent) {
  const auto body = read_one(open(), "example.com");
  ASSERT_TRUE(body) << to_string(body.error());
  EXPECT_EQ(*body, std::nullopt);
}

TEST_P(HostReads, PresentByteForByte) {
  for (const std::string& text :
       {policy(1), std::string("lines\nof\nanother\nhabit"),
        std::string("\xef\xbb\xbfversion: STSv1\r\n"), std::string(65536, 'x'),
        std::string("\0\xff\xfe\x80\r\n\x1b[2J", 10)}) {
    world().put("example.com", text);
    const auto body = read_one(open(), "example.com");
    ASSERT_TRUE(body) << to_string(body.error());
    EXPECT_EQ(*body, text);
  }
}

TEST_P(HostReads, NothingIsReadTwice) {
  PolicyHost& host = open();
  world().put("example.com", policy(1));
  EXPECT_EQ(must_read(host, "example.com"), policy(1));
  world().put("example.com", policy(2));
  EXPECT_EQ(must_read(host, "example.com"), policy(2));
  world().drop("example.com");
  EXPECT_EQ(must_read(host, "example.com"), std::nullopt);
}

TEST_P(HostReads, ManyInTheirOrderWithProgress) {
  std::vector<std::string> domains;
  for (int i = 0; i < 40; ++i) {
    domains.push_back("d" + std::to_string(i) + ".example");
    if (i % 3 != 0) world().put(domains.back(), policy(i));
  }
  std::atomic<std::size_t> count = 0;
  const auto bodies =
      read(open(), domains, {.stop = {}, .advance = [&](std::size_t more) { count += more; }});
  for (int i = 0; i < 40; ++i) {
    const auto& body = bodies[static_cast<std::size_t>(i)];
    ASSERT_TRUE(body) << to_string(body.error());
    EXPECT_EQ(*body, i % 3 != 0 ? std::optional(policy(i)) : std::nullopt);
  }
  EXPECT_EQ(count, 40U);
}

TEST_P(HostReads, NothingAskedNothingRead) {
  EXPECT_THAT(read(open(), {}), IsEmpty());
}

TEST_P(HostReads, InternationalNames) {
  world().put("xn--mnchen-3ya.example", policy(1));
  EXPECT_EQ(must_read(open(), "m\xc3\xbcnchen.example"), policy(1));
}

TEST_P(HostReads, MoreThanAMegabyteIsAnErrorOfItsOwn) {
  world().put("big.example", std::string((std::size_t{1} << 20U) + 1, 'x'));
  world().put("example.com", policy(1));
  const auto bodies = read(open(), {"big.example", "example.com"});
  expect_error(bodies[0], {Code::invalid, Code::protocol});
  ASSERT_TRUE(bodies[1]) << to_string(bodies[1].error());
  EXPECT_EQ(value(bodies[1]), policy(1));
}

TEST_P(HostReads, StoppedBeforeItBegins) {
  std::stop_source stop;
  stop.request_stop();
  for (const auto& body : read(open(), {"a.example", "b.example"}, {stop.get_token(), {}}))
    expect_error(body, {Code::cancelled});
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostReads, testing::ValuesIn(all_host_worlds()), host_world_name);

class HostReadsCredentials : public HostContract {};

TEST_P(HostReadsCredentials, WrongOnesAreNoAbsence) {
  world().put("example.com", policy(1));
  for (const auto& body :
       read(open({.good_credentials = false}), {"example.com", "absent.example"})) {
    expect_error(body, {Code::unauthorized});
    EXPECT_NE(body.error().hint, "");
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostReadsCredentials,
                         testing::ValuesIn(host_worlds_with(HostNeed::credentials)),
                         host_world_name);

class HostReadsPermissions : public HostContract {};

TEST_P(HostReadsPermissions, OutOfReachIsNoAbsence) {
  world().put("shut.example", policy(1));
  world().put("example.com", policy(2));
  world().forbid_reading("shut.example");
  const auto bodies = read(open(), {"shut.example", "example.com"});
  expect_error(bodies[0], kind().hidden);
  EXPECT_EQ(value(bodies[1]), policy(2));
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostReadsPermissions,
                         testing::ValuesIn(host_worlds_with(HostNeed::permissions)),
                         host_world_name);

class HostReadsFolders : public HostContract {};

TEST_P(HostReadsFolders, AFolderIsNoAbsence) {
  world().put_folder("folder.example");
  world().put("example.com", policy(1));
  const auto bodies = read(open(), {"folder.example", "example.com", "absent.example"});
  EXPECT_FALSE(bodies[0]);
  EXPECT_EQ(value(bodies[1]), policy(1));
  EXPECT_EQ(value(bodies[2]), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostReadsFolders,
                         testing::ValuesIn(host_worlds_with(HostNeed::folders)), host_world_name);

class HostReadsLayouts : public HostContract {};

TEST_P(HostReadsLayouts, Flat) {
  world().start(Layout::flat);
  world().put("example.com", policy(1));
  PolicyHost& host = open();
  EXPECT_EQ(must_read(host, "example.com"), policy(1));
  EXPECT_EQ(must_read(host, "example.org"), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostReadsLayouts,
                         testing::ValuesIn(host_worlds_with(HostNeed::layouts)), host_world_name);

// The cases above leave worlds out only for a reason that can be read.
TEST(HostWorlds, SayWhatTheyCannotDo) {
  ASSERT_FALSE(host_worlds().empty());
  for (const HostWorldKind& kind : host_worlds())
    for (const auto& [need, why] : kind.lacks) {
      EXPECT_NE(why, "") << kind.name << ' ' << to_string(need);
      std::cout << kind.name << " has no " << to_string(need) << ": " << why << '\n';
    }
}

}  // namespace
}  // namespace stsctl::contract
