// What every DNS provider finds and reads.

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "dns_contract.h"

namespace stsctl::contract {
namespace {

using dns::Type;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class DnsReads : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }

  std::vector<Result<dns::Name>> find(const std::vector<std::string>& names) {
    std::vector<dns::Name> wanted;
    for (const std::string& one : names)
      wanted.push_back(name(one));
    auto zones = provider().find_zones(wanted, {});
    for (const auto& zone : zones)
      said(zone);
    return zones;
  }
};

TEST_P(DnsReads, AbsentIsNothingAndNoError) {
  EXPECT_THAT(must_read("example.com", "_smtp._tls.nothing.example.com"), IsEmpty());
  EXPECT_THAT(must_read("example.org", "_mta-sts.example.org"), IsEmpty());
}

TEST_P(DnsReads, PresentIsItsValueAndTtl) {
  EXPECT_THAT(must_read("example.com", "_smtp._tls.example.com"),
              ElementsAre(txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:a@b.example"})));
  EXPECT_THAT(must_read("sub.example.com", "mta-sts.sub.example.com"),
              ElementsAre(set_of(Type::a, "mta-sts.sub.example.com", {"192.0.2.7"}, 600)));
}

TEST_P(DnsReads, SeveralValuesAreOneSet) {
  EXPECT_THAT(must_read("example.com", "_mta-sts.two.example.com"),
              ElementsAre(txt("_mta-sts.two.example.com", {"v=STSv1; id=2;", "v=spf1 -all"})));
}

TEST_P(DnsReads, EachTypeIsASetOfItsOwn) {
  EXPECT_THAT(
      must_read("example.com", "mta-sts.two.example.com"),
      ElementsAre(set_of(Type::a, "mta-sts.two.example.com", {"192.0.2.1", "192.0.2.2"}, 900),
                  set_of(Type::aaaa, "mta-sts.two.example.com", {"2001:db8::1"}, 900)));
}

TEST_P(DnsReads, ATypeNotManagedIsSeenWithoutValues) {
  const auto sets = must_read("example.com", "mta-sts.other.example.com");
  ASSERT_THAT(sets, SizeIs(1));
  EXPECT_EQ(sets[0].type, Type::other);
  EXPECT_THAT(sets[0].values, IsEmpty());
}

TEST_P(DnsReads, ACnameIsReadAndNotFollowed) {
  EXPECT_THAT(must_read("example.com", "mta-sts.example.com"),
              ElementsAre(cname("mta-sts.example.com", "policy.example.net")));
}

TEST_P(DnsReads, StringsAreJoined) {
  EXPECT_THAT(must_read("example.com", "_mta-sts.cut.example.com"),
              ElementsAre(txt("_mta-sts.cut.example.com", {"v=STSv1; id=3;"})));
  EXPECT_THAT(
      must_read("example.com", "_smtp._tls.long.example.com"),
      ElementsAre(txt("_smtp._tls.long.example.com",
                      {std::string(255, 'a') + std::string(255, 'b') + std::string(90, 'c')})));
}

TEST_P(DnsReads, EscapesAreUndone) {
  EXPECT_THAT(
      must_read("example.com", "_smtp._tls.odd.example.com"),
      ElementsAre(txt("_smtp._tls.odd.example.com", {"say \"hi\"; back\\slash; \xc3\xa4"})));
}

TEST_P(DnsReads, CaseAndFinalDotsAreNoDifference) {
  EXPECT_THAT(must_read("example.com", "_mta-sts.case.example.com"),
              ElementsAre(txt("_mta-sts.case.example.com", {"Kept As It Is"})));
  EXPECT_THAT(must_read("example.com", "mta-sts.case.example.com"),
              ElementsAre(cname("mta-sts.case.example.com", "policy.example.net")));
  EXPECT_EQ(find({"_MTA-STS.Example.ORG."}).front(), name("example.org"));
}

TEST_P(DnsReads, OnlyTheOwnersAskedForComeBack) {
  const auto sets =
      provider().read({{name("example.com"),
                        {name("_mta-sts.two.example.com"), name("_mta-sts.nothing.example.com"),
                         name("_smtp._tls.example.com")}}},
                      {});
  ASSERT_TRUE(said(sets.front()));
  EXPECT_THAT(
      *sets.front(),
      UnorderedElementsAre(txt("_mta-sts.two.example.com", {"v=STSv1; id=2;", "v=spf1 -all"}),
                           txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:a@b.example"})));
}

TEST_P(DnsReads, TheLongestZoneHoldsAName) {
  const auto zones = find({"_mta-sts.example.com", "mta-sts.example.com", "mta-sts.sub.example.com",
                           "_smtp._tls.new.sub.example.com", "_mta-sts.example.org"});
  EXPECT_EQ(zones[0], name("example.com"));
  EXPECT_EQ(zones[1], name("example.com"));
  EXPECT_EQ(zones[2], name("sub.example.com"));
  EXPECT_EQ(zones[3], name("sub.example.com"));
  EXPECT_EQ(zones[4], name("example.org"));
}

TEST_P(DnsReads, ANameInNoZoneIsNamedAndStopsNoOther) {
  const auto zones =
      find({"_mta-sts.nowhere.example", "_mta-sts.example.com", "_mta-sts.notexample.com"});
  ASSERT_FALSE(zones[0]);
  EXPECT_EQ(zones[0].error().code, Code::not_found);
  EXPECT_THAT(to_string(zones[0].error()), HasSubstr("_mta-sts.nowhere.example"));
  EXPECT_THAT(zones[0].error().hint, testing::Not(IsEmpty()));
  EXPECT_EQ(zones[1], name("example.com"));
  EXPECT_FALSE(zones[2]) << "a name that only ends alike is not below";
}

TEST_P(DnsReads, ProgressCountsEveryOwner) {
  std::atomic<std::size_t> advanced{0};
  const Watch watch{{}, [&](std::size_t count) { advanced += count; }};
  provider().read(
      {{name("example.com"), {name("_mta-sts.example.com"), name("mta-sts.example.com")}},
       {name("example.org"), {name("_mta-sts.example.org")}}},
      watch);
  EXPECT_EQ(advanced, 3U);
}

TEST_P(DnsReads, ReadingAgainIsTheSame) {
  const ZoneQuery query{name("example.com"),
                        {name("_mta-sts.example.com"), name("mta-sts.two.example.com")}};
  const auto sorted = [&] {
    auto sets = provider().read({query}, {}).front().value();
    std::ranges::sort(sets, {}, [](const auto& set) { return std::pair(set.owner, set.type); });
    return sets;
  };
  EXPECT_EQ(sorted(), sorted());
}

class DnsTypes : public DnsReads {};

TEST_P(DnsTypes, ATypeNotManagedIsSeenBesideOneThatIs) {
  const auto sets = must_read("example.com", "_mta-sts.example.com");
  ASSERT_THAT(sets, SizeIs(2));
  EXPECT_EQ(sets[0], txt("_mta-sts.example.com", {"v=STSv1; id=1;"}));
  EXPECT_EQ(sets[1].type, Type::other);
  EXPECT_THAT(sets[1].values, IsEmpty());
}

// What is left out for a world, and why.
class DnsWorlds : public DnsContract {};

TEST_P(DnsWorlds, SaysWhatItCannotDo) {
  for (const auto& [need, why] : kind().lacks) {
    fmt::print("{} lacks {}: {}\n", kind().name, to_string(need), why);
    EXPECT_THAT(why, testing::Not(IsEmpty()));
  }
  for (const auto& [trouble, why] : kind().spared) {
    fmt::print("{} is spared {}: {}\n", kind().name, to_string(trouble), why);
    EXPECT_THAT(why, testing::Not(IsEmpty()));
  }
}

// What `stsctl providers` lists is what the engine goes by.
TEST_P(DnsWorlds, TheRegistryListsTheSameCapabilities) {
  start(usual_zones());
  const auto& kinds = providers::dns_kinds();
  const auto listed = std::ranges::find_if(
      kinds, [&](const providers::DnsKind& one) { return kind().name.starts_with(one.name); });
  ASSERT_NE(listed, kinds.end());
  const providers::Capabilities& can = provider().capabilities();
  EXPECT_EQ(listed->capabilities.atomic_batch, can.atomic_batch);
  EXPECT_EQ(listed->capabilities.compare_and_swap, can.compare_and_swap);
  EXPECT_EQ(listed->capabilities.minimum_ttl, can.minimum_ttl);
  EXPECT_EQ(listed->capabilities.automatic_ttl, can.automatic_ttl);
  EXPECT_EQ(listed->capabilities.write_concurrency, can.write_concurrency);
  EXPECT_GE(can.write_concurrency, 1U);
}

class DnsFleet : public DnsContract {};

std::vector<ZoneSeed> fleet(std::size_t count) {
  std::vector<ZoneSeed> zones;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string zone = fmt::format("z{}.example", i);
    zones.push_back({zone,
                     {txt_line("_mta-sts." + zone, fmt::format("v=STSv1; id={};", i)),
                      txt_line("_smtp._tls." + zone, "v=TLSRPTv1; rua=mailto:a@b.example"),
                      fmt::format("mta-sts.{}. 300 IN CNAME policy.example.net.", zone)}});
  }
  return zones;
}

// More zones than any page holds, one of them not there.
TEST_P(DnsFleet, EveryZoneOfManyIsFoundAndRead) {
  const std::vector<ZoneSeed> zones = fleet(kind().fleet);
  start(zones);
  std::vector<dns::Name> names;
  for (const ZoneSeed& zone : zones)
    for (const char* label : {"_mta-sts.", "_smtp._tls.", "mta-sts."})
      names.push_back(name(label + zone.name));
  names.push_back(name("_mta-sts.missing.example"));
  DnsProvider& provider = open();
  world().forget();

  const auto found = provider.find_zones(names, {});
  ASSERT_THAT(found, SizeIs(names.size()));
  EXPECT_FALSE(said(found.back()));
  std::vector<ZoneQuery> queries;
  for (std::size_t i = 0; i + 1 < names.size(); i += 3) {
    ASSERT_TRUE(said(found[i])) << to_string(found[i].error());
    ASSERT_EQ(found[i]->text(), zones[i / 3].name);
    queries.push_back({*found[i], {names[i], names[i + 1], names[i + 2]}});
  }
  const auto sets = provider.read(queries, {});
  ASSERT_THAT(sets, SizeIs(queries.size()));
  for (std::size_t i = 0; i < sets.size(); ++i) {
    ASSERT_TRUE(said(sets[i])) << to_string(sets[i].error());
    ASSERT_THAT(*sets[i], UnorderedElementsAre(
                              txt(names[3 * i].text(), {fmt::format("v=STSv1; id={};", i)}),
                              txt(names[3 * i + 1].text(), {"v=TLSRPTv1; rua=mailto:a@b.example"}),
                              cname(names[3 * i + 2].text(), "policy.example.net")));
  }
  if (kind().plan_requests) {
    EXPECT_LE(world().requests().all, kind().plan_requests(zones.size()));
    EXPECT_GE(world().requests().all, 1U) << "nobody counts";
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, DnsWorlds, testing::ValuesIn(all_worlds()), world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsReads, testing::ValuesIn(all_worlds()), world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsTypes, testing::ValuesIn(worlds_with(Need::every_type)),
                         world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsFleet, testing::ValuesIn(all_worlds()), world_name);

}  // namespace
}  // namespace stsctl::contract
