// Reads and writes at the emulator of Cloudflare's API, and what they cost.

#include <gmock/gmock.h>

#include "providers/cloudflare/cloudflare_fixture.h"
#include "providers/expected.h"

namespace stsctl::providers::cloudflare {
namespace {

using plan::RecordEdit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const std::string account_a(32, 'a');
const std::string account_b(32, 'b');
const json two_accounts{
    {"accounts",
     {{{"id", account_a}, {"name", "First"}}, {{"id", account_b}, {"name", "Second"}}}}};

class Cloudflare : public CloudflareTest {};

TEST_F(Cloudflare, FindsTheLongestZone) {
  load({zone("example.com"), zone("sub.example.com"),
        zone("old.example.com", {}, {{"status", "pending"}})});
  const auto provider = open();
  EXPECT_EQ(*find(*provider, "_mta-sts.example.com"), name("example.com"));
  EXPECT_EQ(*find(*provider, "mta-sts.a.sub.example.com"), name("sub.example.com"));
  EXPECT_EQ(*find(*provider, "mta-sts.old.example.com"), name("example.com"))
      << "a zone that is not in use hides none that is";
  const auto missing = find(*provider, "_mta-sts.example.org");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_EQ(missing.error().where, "_mta-sts.example.org");
}

TEST_F(Cloudflare, PagesThroughAThousandZones) {
  std::vector<json> zones;
  std::vector<dns::Name> names;
  for (int i = 0; i < 1010; ++i) {
    const std::string zone_name = "z" + std::to_string(i) + ".example";
    zones.push_back(zone(zone_name));
    names.push_back(name("_mta-sts." + zone_name));
  }
  load(zones);
  const auto found = open()->find_zones(names, {});
  EXPECT_EQ(requests(), 21U);
  for (std::size_t i = 0; i < names.size(); ++i) {
    ASSERT_TRUE(found[i]) << to_string(found[i].error());
    EXPECT_EQ("_mta-sts." + found[i]->text(), names[i].text());
  }
}

TEST_F(Cloudflare, AFullLastPageIsFollowedByALook) {
  std::vector<json> zones;
  for (int i = 0; i < 100; ++i)
    zones.push_back(zone("z" + std::to_string(i) + ".example"));
  load(zones);
  EXPECT_TRUE(find(*open(), "mta-sts.z99.example"));
  EXPECT_EQ(requests(), 3U) << "totals are hints: only a page that is not full ends a list";
}

TEST_F(Cloudflare, TwoZonesOfOneNameAreNamed) {
  load({zone("example.com", {}, {{"account", account_a}}),
        zone("example.com", {record("TXT", "_mta-sts", "b")}, {{"account", account_b}})},
       two_accounts);
  const auto found = find(*open(), "_mta-sts.example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::conflict);
  EXPECT_THAT(found.error().what, HasSubstr("First (" + account_a + ")"));
  EXPECT_THAT(found.error().what, HasSubstr("Second (" + account_b + ")"));
  const auto second = open({{"account", account_b}});
  EXPECT_TRUE(find(*second, "_mta-sts.example.com"));
  EXPECT_THAT(*read(*second, "example.com", {"example.com"}),
              ElementsAre(txt("_mta-sts.example.com", {"b"})));
}

TEST_F(Cloudflare, OfTwoZonesTheOneInUseIsMeant) {
  load({zone("example.com", {}, {{"account", account_a}, {"status", "moved"}}),
        zone("example.com", {record("TXT", "_mta-sts", "b")}, {{"account", account_b}})},
       two_accounts);
  const auto provider = open();
  EXPECT_TRUE(find(*provider, "_mta-sts.example.com"));
  EXPECT_THAT(*read(*provider, "example.com", {"example.com"}), SizeIs(1));
}

TEST_F(Cloudflare, AZoneOfAnotherAccountIsNamed) {
  load({zone("example.com", {}, {{"account", account_a}})}, two_accounts);
  const auto found = find(*open({{"account", account_b}}), "_mta-sts.example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_THAT(found.error().what, HasSubstr("example.com is in account First"));
}

TEST_F(Cloudflare, AZoneThatNobodyIsAnsweredFromIsReported) {
  load({zone("pending.example", {}, {{"status", "pending"}}),
        zone("secondary.example", {}, {{"type", "secondary"}}),
        zone("partial.example", {}, {{"type", "partial"}})});
  const auto provider = open();
  for (const std::string word : {"pending", "secondary", "partial"}) {
    const auto found = find(*provider, "mta-sts." + word + ".example");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::unsupported);
    EXPECT_THAT(found.error().what, HasSubstr(word));
    EXPECT_THAT(found.error().hint, Not(IsEmpty()));
  }
}

TEST_F(Cloudflare, ReadsWhateverTheSpelling) {
  load({zone("example.com",
             {record("TXT", "_mta-sts", "v=STSv1; id=1;"),
              record("TXT", "_mta-sts", "\"foreign \" \"text\"", {{"ttl", 120}}),
              record("TXT", "_smtp._tls", "\"" + std::string(300, 'a') + "\"", {{"ttl", 1}}),
              record("CNAME", "mta-sts", "policy.example.net", {{"proxied", true}}),
              record("TXT", "x-mta-sts", "not asked for"), record("A", "*", "192.0.2.1"),
              record("TXT", "_mta-sts.sub", "of another domain")})});
  const auto sets = read(*open(), "example.com", {"example.com"});
  ASSERT_TRUE(sets) << to_string(sets.error());
  EXPECT_THAT(*sets, UnorderedElementsAre(
                         txt("_mta-sts.example.com", {"foreign text", "v=STSv1; id=1;"}, 120),
                         txt("_smtp._tls.example.com", {std::string(300, 'a')}, 0),
                         set(dns::Type::cname, "mta-sts.example.com", {"policy.example.net"}, 0)));
}

TEST_F(Cloudflare, OneReadAZoneHoweverLargeItIs) {
  std::vector<json> records;
  for (int i = 0; i < 1500; ++i)
    records.push_back(record("A", "host" + std::to_string(i), "192.0.2.1"));
  for (const std::string owner : {"_mta-sts", "_mta-sts.a", "mta-sts.b"})
    records.push_back(record("TXT", owner, "v=STSv1; id=1;"));
  load({zone("example.com", records)}, {{"largest_page", 1000}});
  const auto provider = open();
  ASSERT_TRUE(find(*provider, "example.com"));
  emulator_->forget();
  EXPECT_THAT(*read(*provider, "example.com", {"example.com"}), SizeIs(1));
  EXPECT_EQ(requests(), 1U);
  EXPECT_THAT(*read(*provider, "example.com", {"example.com", "a.example.com", "b.example.com"}),
              SizeIs(3));
  EXPECT_EQ(requests(), 2U) << "for several domains of a zone, too";
}

TEST_F(Cloudflare, AFilterThatTheServiceDoesNotKnowLosesNothing) {
  std::vector<json> records;
  for (int i = 0; i < 260; ++i)
    records.push_back(record("A", "host" + std::to_string(i), "192.0.2.1"));
  records.push_back(record("TXT", "_mta-sts", "v=STSv1; id=1;"));
  records.push_back(record("TXT", "_smtp._tls", "v=TLSRPTv1; rua=mailto:a@example.com"));
  for (const std::string filters : {"known", "ignored", "refused"}) {
    load({zone("example.com", records)}, {{"filters", filters}, {"largest_page", 100}});
    const auto sets = read(*open(), "example.com", {"example.com"});
    ASSERT_TRUE(sets) << filters << to_string(sets.error());
    EXPECT_THAT(*sets, UnorderedElementsAre(
                           txt("_mta-sts.example.com", {"v=STSv1; id=1;"}),
                           txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:a@example.com"})))
        << filters;
  }
}

TEST_F(Cloudflare, WritesInPlaceAndLeavesTheRest) {
  const json by_hand{{"comment", "by hand"}, {"tags", {"team:mail"}}};
  load({zone("example.com",
             {record("TXT", "_mta-sts", "v=STSv1; id=1;", by_hand),
              record("TXT", "_mta-sts", "foreign", by_hand), record("A", "_mta-sts", "192.0.2.1"),
              record("TXT", "@", "v=spf1 -all", by_hand)},
             {{"plan", "pro"}})});
  const json before = state();
  const auto provider = open({{"comment", "by stsctl"}});
  const auto done = provider->write(
      name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=1;", "foreign"}),
                             txt("_mta-sts.example.com", {"v=STSv1; id=2;", "foreign"})},
                            {{}, txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=x"}, 86400)}});
  ASSERT_TRUE(done) << to_string(done.error());
  const json after = state();
  EXPECT_EQ(after["changes"], 2);
  ASSERT_EQ(after["records"].size(), 5U);
  EXPECT_EQ(after["records"][0]["id"], before["records"][0]["id"]);
  EXPECT_EQ(after["records"][0]["content"], "\"v=STSv1; id=2;\"");
  EXPECT_EQ(after["records"][0]["comment"], "by hand");
  EXPECT_EQ(after["records"][0]["tags"], json::parse(R"(["team:mail"])"));
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_EQ(after["records"][i], before["records"][i]);
  EXPECT_EQ(after["records"][4]["comment"], "by stsctl");
  EXPECT_EQ(after["records"][4]["content"], "\"v=TLSRPTv1; rua=x\"");
  EXPECT_EQ(after["records"][4]["ttl"], 86400);
}

TEST_F(Cloudflare, TheSameWriteTwiceIsOnce) {
  load({zone("example.com")});
  const auto provider = open();
  const RecordEdit edit{{}, txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=x"}, 0)};
  ASSERT_TRUE(provider->write(name("example.com"), {edit}));
  ASSERT_TRUE(provider->write(name("example.com"), {edit}));
  EXPECT_EQ(state()["changes"], 1);
  EXPECT_EQ(requests("POST"), 1U);
}

TEST_F(Cloudflare, AStaleBeforeIsAConflict) {
  load({zone("example.com", {record("TXT", "_mta-sts", "v=STSv1; id=1;")})});
  const auto done =
      open()->write(name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=0;"}),
                                           txt("_mta-sts.example.com", {"v=STSv1; id=2;"})},
                                          {{}, txt("_smtp._tls.example.com", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("id=1"));
  EXPECT_EQ(state()["changes"], 0);
}

TEST_F(Cloudflare, ABatchIsAllOrNothingAndTheChainIsShown) {
  load({zone("example.com")});
  const auto done = open({{"comment", std::string(101, 'x')}})
                        ->write(name("example.com"), {{{}, txt("_mta-sts.example.com", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid);
  EXPECT_THAT(done.error().what, HasSubstr("DNS Validation Error (1004)"));
  EXPECT_THAT(done.error().what, HasSubstr("longer than 100 characters. (9301)"));
  const auto too_long = open()->write(name("example.com"),
                                      {{{}, txt("_mta-sts.example.com", {std::string(5000, 'x')})},
                                       {{}, txt("_smtp._tls.example.com", {"x"})}});
  EXPECT_FALSE(too_long);
  EXPECT_THAT(state()["records"], IsEmpty());
}

TEST_F(Cloudflare, ANameOutsideTheZoneIsRefused) {
  load({zone("example.com")});
  const auto done = open()->write(name("example.com"), {{{}, txt("_mta-sts.example.org", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid);
  EXPECT_EQ(requests(), 0U);
}

TEST_F(Cloudflare, ALargeZoneIsWrittenInAsFewBatchesAsThePlanTakes) {
  std::vector<RecordEdit> edits;
  for (int i = 0; i < 450; ++i)
    edits.push_back(
        {{}, txt("_mta-sts.d" + std::to_string(i) + ".example.com", {"v=STSv1; id=1;"})});
  for (const auto& [plan, batches] : {std::pair("free", 3U), {"pro", 1U}, {"enterprise", 1U}}) {
    load({zone("example.com", {}, {{"plan", plan}})});
    const auto provider = open();
    ASSERT_TRUE(find(*provider, "example.com"));
    emulator_->forget();
    const auto done = provider->write(name("example.com"), edits);
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_EQ(state()["records"].size(), 450U);
    EXPECT_EQ(requests("POST"), batches) << plan;
    EXPECT_EQ(requests("GET"), 1U);
    EXPECT_LE(requests(), provider->write_requests({query_of(name("example.com"), edits)}));
  }
}

TEST_F(Cloudflare, AFleetCostsThePagesAndOneReadAZoneThenALookAndABatch) {
  std::vector<json> zones;
  std::vector<ZoneQuery> queries;
  for (int i = 0; i < 120; ++i) {
    const std::string one = "z" + std::to_string(i) + ".example";
    zones.push_back(zone(one));
    queries.push_back(query(one, {one}));
  }
  load(zones);
  const auto provider = open();
  std::vector<dns::Name> names;
  for (const ZoneQuery& one : queries)
    names.insert(names.end(), one.owners.begin(), one.owners.end());
  for (const auto& found : provider->find_zones(names, {}))
    ASSERT_TRUE(found);
  for (const auto& sets : provider->read(queries, {}))
    ASSERT_TRUE(sets);
  EXPECT_EQ(requests(), 3U + 120U);
  emulator_->forget();
  EXPECT_EQ(provider->write_requests(queries), 240U);
  for (const ZoneQuery& one : queries)
    ASSERT_TRUE(provider->write(one.zone, {{{}, txt(one.owners[0].text(), {"v=STSv1; id=1;"})}}));
  EXPECT_EQ(requests("GET"), 120U);
  EXPECT_EQ(requests("POST"), 120U);
}

TEST_F(Cloudflare, TheProxyStaysOrIsAsConfigured) {
  const RecordEdit move{set(dns::Type::cname, "mta-sts.example.com", {"old.example.net"}, 0),
                        set(dns::Type::cname, "mta-sts.example.com", {"new.example.net"}, 0)};
  const struct {
    bool before;
    Changes settings;
    bool after;
  } cases[] = {{true, {}, true},
               {false, {}, false},
               {true, {{"proxied", false}}, false},
               {false, {{"proxied", true}}, true}};
  for (const auto& one : cases) {
    load({zone("example.com", {record("CNAME", "mta-sts", "old.example.net",
                                      {{"ttl", 1}, {"proxied", one.before}})})});
    const auto done = open(one.settings)->write(name("example.com"), {move});
    ASSERT_TRUE(done) << to_string(done.error());
    const json now = state()["records"][0];
    EXPECT_EQ(now["content"], "new.example.net");
    EXPECT_EQ(now["proxied"], one.after);
  }
}

TEST_F(Cloudflare, ANewProxiedAddressHasAnAutomaticTtl) {
  load({zone("example.com")});
  const auto provider = open({{"proxied", true}});
  const RecordEdit edit{{}, set(dns::Type::a, "mta-sts.example.com", {"192.0.2.1"}, 3600)};
  ASSERT_TRUE(provider->write(name("example.com"), {edit}));
  ASSERT_TRUE(provider->write(name("example.com"), {edit})) << "done, although the TTL is another";
  EXPECT_EQ(state()["changes"], 1);
  EXPECT_THAT(*read(*provider, "example.com", {"example.com"}),
              ElementsAre(set(dns::Type::a, "mta-sts.example.com", {"192.0.2.1"}, 0)));
}

TEST_F(Cloudflare, WhatAnotherProductKeepsIsRefused) {
  const json kept{{"meta", {{"read_only", true}, {"origin_worker_id", "worker"}}},
                  {"proxied", true}};
  load({zone("example.com", {record("AAAA", "mta-sts", "100::", kept)})});
  const auto provider = open();
  const auto there = set(dns::Type::aaaa, "mta-sts.example.com", {"100::"}, 0);
  EXPECT_THAT(*read(*provider, "example.com", {"example.com"}), ElementsAre(there));
  const auto changed = provider->write(
      name("example.com"),
      {{there, {}},
       {{}, set(dns::Type::cname, "mta-sts.example.com", {"policy.example.net"}, 3600)}});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Code::refused);
  const auto beside = provider->write(
      name("example.com"), {{{}, set(dns::Type::a, "mta-sts.example.com", {"192.0.2.1"}, 0)}});
  ASSERT_FALSE(beside);
  EXPECT_THAT(beside.error().what, HasSubstr("managed by Workers"));
  EXPECT_EQ(state()["changes"], 0);
}

TEST_F(Cloudflare, StopsWhenAsked) {
  load({zone("example.com")});
  std::stop_source stop;
  stop.request_stop();
  const auto sets = open()->read({query("example.com", {"example.com"})}, {stop.get_token(), {}});
  ASSERT_FALSE(sets[0]);
  EXPECT_EQ(sets[0].error().code, Code::cancelled);
  EXPECT_EQ(requests(), 0U);
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
