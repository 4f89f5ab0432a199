// What every DNS provider does when it writes, and what it leaves alone.

#include <algorithm>

#include <fmt/format.h>

#include "base/parallel.h"
#include "dns_contract.h"

namespace stsctl::contract {
namespace {

using dns::Type;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const dns::RecordSet old_id = txt("_mta-sts.example.com", {"v=STSv1; id=1;"});
const dns::RecordSet new_id = txt("_mta-sts.example.com", {"v=STSv1; id=20261125;"});
const dns::RecordSet fresh = txt("_mta-sts.new.example.com", {"v=STSv1; id=7;"}, 600);

class DnsWrites : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }

  // All records of example.com but those of the sets named as "OWNER TYPE".
  std::vector<Seen> others(const std::vector<std::string>& named) {
    std::vector<Seen> records = world().look("example.com");
    std::erase_if(records, [&](const Seen& one) {
      return std::ranges::find(named, one.owner + " " + one.type) != named.end();
    });
    return records;
  }

  // The set at one owner as the provider reads it back.
  dns::RecordSet read_back(const dns::RecordSet& written, const std::string& zone) {
    for (const dns::RecordSet& set : must_read(zone, written.owner.text()))
      if (set.type == written.type) return set;
    return txt("nothing.example", {});
  }
};

TEST_P(DnsWrites, Creates) {
  must_write("example.com", {{std::nullopt, fresh}});
  EXPECT_THAT(sees("_mta-sts.new.example.com", "TXT"), ElementsAre("v=STSv1; id=7;"));
  EXPECT_EQ(read_back(fresh, "example.com"), fresh);
}

TEST_P(DnsWrites, CreatesInAnEmptyZone) {
  must_write("example.org", {{std::nullopt, txt("_mta-sts.example.org", {"v=STSv1; id=7;"})}});
  EXPECT_THAT(sees("_mta-sts.example.org", "TXT", "example.org"), ElementsAre("v=STSv1; id=7;"));
}

TEST_P(DnsWrites, Replaces) {
  must_write("example.com", {{old_id, new_id}});
  EXPECT_THAT(sees("_mta-sts.example.com", "TXT"), ElementsAre("v=STSv1; id=20261125;"));
}

TEST_P(DnsWrites, Removes) {
  must_write("example.com", {{old_id, std::nullopt}});
  EXPECT_THAT(sees("_mta-sts.example.com", "TXT"), IsEmpty());
  EXPECT_EQ(read_back(old_id, "example.com").owner, name("nothing.example"));
}

TEST_P(DnsWrites, EveryTypeThatIsManaged) {
  const auto v4 = set_of(Type::a, "mta-sts.new.example.com", {"192.0.2.4", "192.0.2.5"});
  const auto v6 = set_of(Type::aaaa, "mta-sts.new.example.com", {"2001:db8::4"});
  const auto alias = cname("mta-sts.new2.example.com", "policy.example.net");
  must_write("example.com", {{std::nullopt, v4}, {std::nullopt, v6}, {std::nullopt, alias}});
  EXPECT_THAT(sees("mta-sts.new.example.com", "A"), UnorderedElementsAre("192.0.2.4", "192.0.2.5"));
  EXPECT_THAT(sees("mta-sts.new.example.com", "AAAA"), ElementsAre("2001:db8::4"));
  EXPECT_THAT(sees("mta-sts.new2.example.com", "CNAME"), ElementsAre("policy.example.net"));
  EXPECT_THAT(must_read("example.com", "mta-sts.new.example.com"), ElementsAre(v4, v6));
  EXPECT_THAT(must_read("example.com", "mta-sts.new2.example.com"), ElementsAre(alias));
}

TEST_P(DnsWrites, SeveralValues) {
  const auto both = txt("_smtp._tls.new.example.com", {"one", "two", "three"});
  must_write("example.com", {{std::nullopt, both}});
  EXPECT_THAT(sees("_smtp._tls.new.example.com", "TXT"),
              UnorderedElementsAre("one", "two", "three"));
  const auto fewer = txt("_smtp._tls.new.example.com", {"two", "four"});
  must_write("example.com", {{both, fewer}});
  EXPECT_THAT(sees("_smtp._tls.new.example.com", "TXT"), UnorderedElementsAre("two", "four"));
  EXPECT_EQ(read_back(fewer, "example.com"), fewer);
}

TEST_P(DnsWrites, OneValueOfTwoIsReplacedAndTheOtherKept) {
  must_write("example.com", {{txt("_mta-sts.two.example.com", {"v=STSv1; id=2;", "v=spf1 -all"}),
                              txt("_mta-sts.two.example.com", {"v=STSv1; id=3;", "v=spf1 -all"})}});
  EXPECT_THAT(sees("_mta-sts.two.example.com", "TXT"),
              UnorderedElementsAre("v=STSv1; id=3;", "v=spf1 -all"));
}

TEST_P(DnsWrites, NeighboursStayAsTheyAre) {
  const std::vector<std::string> named{"_mta-sts.example.com TXT", "_smtp._tls.example.com TXT",
                                       "mta-sts.two.example.com A", "_mta-sts.new.example.com TXT"};
  const std::vector<Seen> before = others(named);
  ASSERT_GT(before.size(), 10U);
  must_write("example.com",
             {{old_id, new_id},
              {txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:a@b.example"}), std::nullopt},
              {set_of(Type::a, "mta-sts.two.example.com", {"192.0.2.1", "192.0.2.2"}, 900),
               set_of(Type::a, "mta-sts.two.example.com", {"192.0.2.9"}, 900)},
              {std::nullopt, fresh}});
  EXPECT_EQ(others(named), before);
  EXPECT_THAT(world().look("sub.example.com"),
              testing::Contains(testing::Field(&Seen::owner, "mta-sts.sub.example.com")));
}

TEST_P(DnsWrites, ALongTextIsCutByWhoeverMust) {
  const auto text = txt("_smtp._tls.new.example.com",
                        {std::string(255, 'a') + std::string(256, 'b') + std::string(200, 'c')});
  must_write("example.com", {{std::nullopt, text}});
  EXPECT_EQ(sees("_smtp._tls.new.example.com", "TXT"), text.values);
  EXPECT_EQ(read_back(text, "example.com"), text);
}

TEST_P(DnsWrites, EveryCharacterArrives) {
  const auto text =
      txt("_smtp._tls.new.example.com",
          {"a \"b\" \\c\\ ;d; 'e' (f) $g @h #i %j \xc3\xa4 \xe2\x82\xac  two blanks"});
  must_write("example.com", {{std::nullopt, text}});
  EXPECT_EQ(sees("_smtp._tls.new.example.com", "TXT"), text.values);
  EXPECT_EQ(read_back(text, "example.com"), text);
}

TEST_P(DnsWrites, ATtlChangesAloneAndTheValueKeepsItsForm) {
  const auto spelling = [&] {
    for (const Seen& one : world().look("example.com"))
      if (one.owner == "_mta-sts.cut.example.com") return one.spelling;
    return std::string("nothing");
  };
  const std::string before = spelling();
  must_write("example.com", {{txt("_mta-sts.cut.example.com", {"v=STSv1; id=3;"}),
                              txt("_mta-sts.cut.example.com", {"v=STSv1; id=3;"}, 600)}});
  EXPECT_EQ(read_back(old_id, "example.com"), old_id);
  EXPECT_EQ(read_back(txt("_mta-sts.cut.example.com", {}), "example.com"),
            txt("_mta-sts.cut.example.com", {"v=STSv1; id=3;"}, 600));
  EXPECT_EQ(spelling(), before);
}

TEST_P(DnsWrites, TheSmallestTtlIsKept) {
  const auto smallest =
      static_cast<int>(std::max(provider().capabilities().minimum_ttl, Duration{1}).count());
  const auto set = txt("_mta-sts.new.example.com", {"v=STSv1; id=7;"}, smallest);
  must_write("example.com", {{std::nullopt, set}});
  EXPECT_EQ(read_back(set, "example.com"), set);
  for (const Seen& one : world().look("example.com"))
    if (one.owner == "_mta-sts.new.example.com") EXPECT_EQ(one.ttl, smallest);
}

// Where 0 stands for the service's own choice it stays 0; else it is a TTL like others, or refused.
TEST_P(DnsWrites, TtlZeroIsKeptOrRefused) {
  const auto set = txt("_mta-sts.new.example.com", {"v=STSv1; id=7;"}, 0);
  const auto done = write("example.com", {{std::nullopt, set}});
  if (done || provider().capabilities().automatic_ttl) {
    EXPECT_TRUE(done) << to_string(done.error());
    EXPECT_EQ(read_back(set, "example.com"), set);
  } else {
    EXPECT_EQ(done.error().code, Code::invalid) << to_string(done.error());
    EXPECT_THAT(sees("_mta-sts.new.example.com", "TXT"), IsEmpty());
  }
}

TEST_P(DnsWrites, TheSameWriteTwiceIsOnce) {
  const std::vector<RecordEdit> edits{{old_id, new_id}, {std::nullopt, fresh}};
  must_write("example.com", edits);
  const std::uint64_t version = world().version("example.com");
  must_write("example.com", edits);
  EXPECT_EQ(world().version("example.com"), version);
}

TEST_P(DnsWrites, ARemovalTwiceIsOnce) {
  must_write("example.com", {{old_id, std::nullopt}});
  const std::uint64_t version = world().version("example.com");
  must_write("example.com", {{old_id, std::nullopt}});
  EXPECT_EQ(world().version("example.com"), version);
}

TEST_P(DnsWrites, WhatIsThereAlreadyIsDone) {
  const std::uint64_t version = world().version("example.com");
  must_write("example.com", {{txt("_mta-sts.example.com", {"v=STSv1; id=0;"}), old_id}});
  EXPECT_EQ(world().version("example.com"), version);
}

TEST_P(DnsWrites, AStaleBeforeIsAConflictAndNothingIsWritten) {
  const std::vector<Seen> before = world().look("example.com");
  const auto done =
      write("example.com",
            {{std::nullopt, fresh}, {txt("_mta-sts.example.com", {"v=STSv1; id=0;"}), new_id}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("id=1"));
  EXPECT_THAT(done.error().what, HasSubstr("_mta-sts.example.com"));
  EXPECT_EQ(world().look("example.com"), before);
}

TEST_P(DnsWrites, WhatAppearedOrWentMeanwhileIsAConflict) {
  world().change("example.com", "_mta-sts.example.com", "TXT", {});
  const auto gone = write("example.com", {{old_id, new_id}});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::conflict);
  world().change("example.com", "_mta-sts.new.example.com", "TXT",
                 {txt_line("_mta-sts.new.example.com", "v=STSv1; id=neighbour;")});
  const auto there = write("example.com", {{std::nullopt, fresh}});
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().code, Code::conflict);
  EXPECT_THAT(there.error().what, HasSubstr("neighbour"));
  EXPECT_THAT(sees("_mta-sts.new.example.com", "TXT"), ElementsAre("v=STSv1; id=neighbour;"));
}

TEST_P(DnsWrites, AnotherTtlIsAConflict) {
  const auto done = write("example.com", {{txt("_mta-sts.example.com", {"v=STSv1; id=1;"}, 60),
                                           txt("_mta-sts.example.com", {"v=STSv1; id=1;"}, 120)}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
}

TEST_P(DnsWrites, ACnameGivesWayInOneBatchAndBack) {
  const auto alias = cname("mta-sts.example.com", "policy.example.net");
  const auto address = set_of(Type::a, "mta-sts.example.com", {"192.0.2.1"});
  // The edits' order is no matter.
  must_write("example.com", {{std::nullopt, address}, {alias, std::nullopt}});
  EXPECT_THAT(must_read("example.com", "mta-sts.example.com"), ElementsAre(address));
  must_write("example.com", {{address, std::nullopt}, {std::nullopt, alias}});
  EXPECT_THAT(must_read("example.com", "mta-sts.example.com"), ElementsAre(alias));
}

TEST_P(DnsWrites, ACnameIsReplacedByText) {
  world().change("example.com", "_mta-sts.cname.example.com", "CNAME",
                 {"_mta-sts.cname.example.com. 300 IN CNAME sts.provider.example."});
  const auto text = txt("_mta-sts.cname.example.com", {"v=STSv1; id=4;"});
  must_write("example.com",
             {{cname("_mta-sts.cname.example.com", "sts.provider.example"), std::nullopt},
              {std::nullopt, text}});
  EXPECT_THAT(must_read("example.com", "_mta-sts.cname.example.com"), ElementsAre(text));
}

TEST_P(DnsWrites, NothingIsPutBesideACname) {
  const std::vector<Seen> before = world().look("example.com");
  const auto done = write("example.com", {{std::nullopt, txt("mta-sts.example.com", {"beside"})},
                                          {std::nullopt, fresh}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict) << to_string(done.error());
  const auto beside =
      write("example.com", {{std::nullopt, cname("mta-sts.two.example.com", "x.example")}});
  ASSERT_FALSE(beside);
  EXPECT_EQ(beside.error().code, Code::conflict) << to_string(beside.error());
  EXPECT_EQ(world().look("example.com"), before);
}

TEST_P(DnsWrites, ANameOutsideTheZoneIsRefusedAndNothingIsWritten) {
  const std::vector<Seen> before = world().look("example.com");
  const auto done = write("example.com", {{std::nullopt, fresh},
                                          {std::nullopt, txt("_mta-sts.outside.example", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid) << to_string(done.error());
  if (provider().capabilities().atomic_batch) EXPECT_EQ(world().look("example.com"), before);
}

// More than any limit of one request (Cloudflare's free plan: 200 operations).
TEST_P(DnsWrites, HundredsOfDomainsOfOneZoneGoTogether) {
  std::vector<RecordEdit> edits;
  ZoneQuery query{name("example.com"), {}};
  for (int i = 0; i < 240; ++i) {
    const auto set =
        txt(fmt::format("_mta-sts.d{}.example.com", i), {fmt::format("v=STSv1; id={};", i)});
    edits.push_back({std::nullopt, set});
    query.owners.push_back(set.owner);
  }
  provider().begin_writes({query}, {});
  must_write("example.com", edits);
  const auto sets = provider().read({query}, {}).front();
  ASSERT_TRUE(said(sets)) << to_string(sets.error());
  std::vector<dns::RecordSet> wanted;
  for (const RecordEdit& edit : edits)
    wanted.push_back(*edit.after);
  EXPECT_THAT(*sets, testing::UnorderedElementsAreArray(wanted));
}

TEST_P(DnsWrites, SeveralZonesAreWrittenAtOnce) {
  std::vector<ZoneSeed> zones;
  for (int i = 0; i < 12; ++i)
    zones.push_back({fmt::format("w{}.example", i),
                     {txt_line(fmt::format("_mta-sts.w{}.example", i), "v=STSv1; id=1;")}});
  start(zones);
  std::vector<ZoneQuery> wave;
  for (const ZoneSeed& zone : zones)
    wave.push_back({name(zone.name), {name("_mta-sts." + zone.name)}});
  provider().begin_writes(wave, {});
  // As the engine does, and at least two.
  const std::size_t width = std::max<std::size_t>(2, provider().capabilities().write_concurrency);
  const auto results = parallel_map(zones, width, {}, [&](const ZoneSeed& zone) {
    return write(zone.name, {{txt("_mta-sts." + zone.name, {"v=STSv1; id=1;"}),
                              txt("_mta-sts." + zone.name, {"v=STSv1; id=2;"})}});
  });
  for (std::size_t i = 0; i < zones.size(); ++i) {
    EXPECT_TRUE(*results[i]) << to_string(results[i]->error());
    EXPECT_THAT(sees("_mta-sts." + zones[i].name, "TXT", zones[i].name),
                ElementsAre("v=STSv1; id=2;"));
    EXPECT_TRUE(provider().wait_served(name(zones[i].name), Duration{30}, {}));
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, DnsWrites, testing::ValuesIn(all_worlds()), world_name);

}  // namespace
}  // namespace stsctl::contract
