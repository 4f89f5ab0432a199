// Who may do what, who wins, and what it costs.

#include <thread>

#include <fmt/format.h>

#include "dns_contract.h"

namespace stsctl::contract {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* owner = "_mta-sts.example.com";
const dns::RecordSet old_id = txt(owner, {"v=STSv1; id=1;"});
const dns::RecordSet new_id = txt(owner, {"v=STSv1; id=20261125;"});

class DnsCredentials : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }
};

TEST_P(DnsCredentials, WrongOnesAreRefusedAndNamed) {
  DnsProvider& stranger = open({.credentials = Credentials::wrong});
  const auto zones = stranger.find_zones({name(owner), name("_mta-sts.example.org")}, {});
  for (const auto& zone : zones) {
    ASSERT_FALSE(said(zone));
    EXPECT_EQ(zone.error().code, Code::unauthorized) << to_string(zone.error());
    EXPECT_THAT(zone.error().hint, Not(IsEmpty()));
  }
  EXPECT_FALSE(said(stranger.read({{name("example.com"), {name(owner)}}}, {}).front()));
  EXPECT_FALSE(said(stranger.write(name("example.com"), {{old_id, new_id}})));
  EXPECT_THAT(sees(owner, "TXT"), ElementsAre("v=STSv1; id=1;"));
}

class DnsLimitedCredentials : public DnsCredentials {};

TEST_P(DnsLimitedCredentials, ThoseThatMayOnlyReadSaySoWhenTheyWrite) {
  use({.credentials = Credentials::read_only});
  EXPECT_THAT(must_read("example.com", "_smtp._tls.example.com"),
              ElementsAre(txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:a@b.example"})));
  const auto done = write("example.com", {{old_id, new_id}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unauthorized) << to_string(done.error());
  EXPECT_THAT(to_string(done.error()), HasSubstr("example.com"));
  EXPECT_THAT(done.error().hint, Not(IsEmpty()));
  EXPECT_THAT(sees(owner, "TXT"), ElementsAre("v=STSv1; id=1;"));
}

class DnsRaces : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }
};

class DnsSetRaces : public DnsRaces {};

// Two runs of stsctl, both planned from the same state.
TEST_P(DnsSetRaces, OfTwoWritersWithOneBeforeOneWins) {
  DnsProvider* const writers[] = {&use({}), &use({})};
  for (int round = 0; round < 5; ++round) {
    const std::string label = fmt::format("_mta-sts.r{}.example.com", round);
    const dns::RecordSet wanted[] = {txt(label, {"v=STSv1; id=left;"}),
                                     txt(label, {"v=STSv1; id=right;"})};
    Result<Done> done[2];
    {
      const std::jthread left(
          [&] { done[0] = writers[0]->write(name("example.com"), {{std::nullopt, wanted[0]}}); });
      const std::jthread right(
          [&] { done[1] = writers[1]->write(name("example.com"), {{std::nullopt, wanted[1]}}); });
    }
    ASSERT_TRUE(done[0] || done[1]) << to_string(done[0].error()) << to_string(done[1].error());
    if (provider().capabilities().compare_and_swap) {
      EXPECT_NE(done[0].has_value(), done[1].has_value()) << "round " << round;
      EXPECT_EQ((done[0] ? done[1] : done[0]).error().code, Code::conflict);
      EXPECT_EQ(sees(label, "TXT"), wanted[done[0] ? 0 : 1].values);
    } else {
      EXPECT_THAT(sees(label, "TXT"), AnyOf(wanted[0].values, wanted[1].values));
    }
  }
}

// Writers of different names of one zone do not disturb each other.
TEST_P(DnsRaces, WritersOfDifferentNamesBothWin) {
  DnsProvider* const writers[] = {&use({}), &use({})};
  for (int round = 0; round < 5; ++round) {
    Result<Done> done[2];
    const auto write_one = [&](int side) {
      const std::string label = fmt::format("_mta-sts.d{}{}.example.com", side, round);
      done[side] = said(writers[side]->write(name("example.com"),
                                             {{std::nullopt, txt(label, {"v=STSv1; id=1;"})}}));
    };
    {
      const std::jthread left([&] { write_one(0); });
      const std::jthread right([&] { write_one(1); });
    }
    for (int side = 0; side < 2; ++side) {
      EXPECT_TRUE(done[side]) << to_string(done[side].error());
      EXPECT_THAT(sees(fmt::format("_mta-sts.d{}{}.example.com", side, round), "TXT"),
                  ElementsAre("v=STSv1; id=1;"));
    }
  }
}

class DnsCosts : public DnsContract {};

TEST_P(DnsCosts, AWaveOfWritesCostsNoMoreThanItIsSaidTo) {
  std::vector<ZoneSeed> zones;
  std::vector<ZoneQuery> wave;
  for (int i = 0; i < 20; ++i) {
    const std::string zone = fmt::format("c{}.example", i);
    zones.push_back({zone, {txt_line("_mta-sts." + zone, "v=STSv1; id=1;")}});
    wave.push_back({name(zone), {name("_mta-sts." + zone)}});
  }
  start(zones);
  for (const auto& sets : provider().read(wave, {}))
    ASSERT_TRUE(said(sets));
  const std::size_t said_to_be = provider().write_requests(wave);
  world().forget();
  provider().begin_writes(wave, {});
  for (const ZoneSeed& zone : zones)
    must_write(zone.name, {{txt("_mta-sts." + zone.name, {"v=STSv1; id=1;"}),
                            txt("_mta-sts." + zone.name, {"v=STSv1; id=2;"})}});
  for (const ZoneSeed& zone : zones)
    EXPECT_TRUE(provider().wait_served(name(zone.name), Duration{60}, {}));
  const Requests cost = world().requests();
  EXPECT_EQ(cost.writes, zones.size()) << "one write a zone";
  // 0: nobody minds (name servers).
  if (said_to_be > 0) EXPECT_LE(cost.all, said_to_be);
}

TEST_P(DnsCosts, WhatIsThereAlreadyCostsNoWrite) {
  start(usual_zones());
  provider();
  world().forget();
  must_write("example.com", {{txt(owner, {"v=STSv1; id=0;"}), old_id}});
  EXPECT_EQ(world().requests().writes, 0U);
}

INSTANTIATE_TEST_SUITE_P(Worlds, DnsCredentials, testing::ValuesIn(worlds_with(Need::credentials)),
                         world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsLimitedCredentials,
                         testing::ValuesIn(worlds_with(Need::limited_credentials)), world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsRaces, testing::ValuesIn(all_worlds()), world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsSetRaces, testing::ValuesIn(worlds_with(Need::whole_sets)),
                         world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsCosts, testing::ValuesIn(worlds_with(Need::counting)),
                         world_name);

}  // namespace
}  // namespace stsctl::contract
