// Reads and writes at a real PowerDNS of Debian, and what it costs.

#include <atomic>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "providers/powerdns/powerdns.h"
#include "servers/name_server.h"
#include "servers/real_services.h"

namespace stsctl::providers::powerdns {
namespace {

using nlohmann::json;
using plan::RecordEdit;
using servers::NameServer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

dns::RecordSet txt(const std::string& owner, std::vector<std::string> values, int ttl = 300) {
  return *dns::make_record_set(name(owner), dns::Type::txt, Duration(ttl), std::move(values));
}

// Counts what goes over the wire.
class CountingHttp : public io::Http {
 public:
  explicit CountingHttp(io::Http& next) : next_(next) {}
  Result<io::Reply> send(const io::Request& request) override {
    ++requests;
    return next_.send(request);
  }
  std::atomic<int> requests{0};

 private:
  io::Http& next_;
};

class PowerDnsServer : public testing::Test {
 protected:
  void start(const std::vector<servers::ZoneSeed>& zones, const std::string& settings = {}) {
    server_ = servers::start_powerdns(zones, settings);
  }

  void start_usual() {
    start({{"example.com",
            {"_mta-sts.example.com. 300 IN TXT \"v=STSv1; id=1;\"",
             "xmta-sts.example.com. 300 IN TXT \"no wildcard\"",
             "host.example.com. 300 IN CNAME mta-sts.elsewhere.example.",
             "c.mta-sts.q.example.com. 300 IN A 192.0.2.1"}},
           {"sub.example.com", {"mta-sts.sub.example.com. 600 IN A 192.0.2.7"}},
           {"other.example", {"_mta-sts.other.example. 300 IN TXT \"v=STSv1; id=9;\""}},
           {"alias.example", {"mta-sts.alias.example. 77 IN ALIAS policy.example.net."}}});
  }

  std::unique_ptr<DnsProvider> open(const std::string& key = servers::api_key(),
                                    bool notify = false, const std::string& id = "localhost") {
    Settings settings;
    settings.set("endpoint", server_->api() + "/", "");
    settings.set("api_key", key, "");
    settings.set("server", id, "");
    settings.set("notify", notify, "");
    return std::move(*kind().make(settings, services()));
  }

  io::Services services() {
    const io::Services real = services_.services();
    return {.files = real.files,
            .process = real.process,
            .clock = real.clock,
            .dns = real.dns,
            .http = counting_,
            .log = real.log};
  }

  // The API as curl speaks it, for what stsctl does not do.
  json api(const std::string& method, const std::string& path, const json& body = nullptr) const {
    std::vector<std::string> argv{
        "curl", "-sS", "-f", "-X", method, "-H", "X-API-Key: " + servers::api_key()};
    if (!body.is_null()) argv.insert(argv.end(), {"-d", body.dump()});
    argv.push_back(server_->api() + "/api/v1/servers/localhost" + path);
    return json::parse(servers::run(argv), nullptr, false);
  }

  json rrset(const std::string& zone, const std::string& owner, const std::string& type) const {
    const json all = api("GET", "/zones/" + zone + ".");
    for (const json& one : all["rrsets"])
      if (one["name"] == owner + "." && one["type"] == type) return one;
    return nullptr;
  }

  servers::RealServices services_;
  CountingHttp counting_{services_.services().http};
  std::unique_ptr<NameServer> server_;
};

Result<std::vector<dns::RecordSet>> read(DnsProvider& provider, const std::string& zone,
                                         const std::vector<std::string>& owners) {
  ZoneQuery query{name(zone), {}};
  for (const std::string& owner : owners)
    query.owners.push_back(name(owner));
  return provider.read({query}, {}).front();
}

TEST_F(PowerDnsServer, FindsTheLongestZone) {
  start_usual();
  const auto provider = open();
  const auto zones = provider->find_zones(
      {name("_mta-sts.example.com"), name("mta-sts.sub.example.com"), name("_mta-sts.no.example")},
      {});
  EXPECT_EQ(*zones[0], name("example.com"));
  EXPECT_EQ(*zones[1], name("sub.example.com"));
  ASSERT_FALSE(zones[2]);
  EXPECT_EQ(zones[2].error().code, Code::not_found);
}

TEST_F(PowerDnsServer, SearchAndZoneReadsAgree) {
  start_usual();
  const auto provider = open();
  std::vector<ZoneQuery> queries;
  for (const std::string zone :
       {"example.com", "sub.example.com", "other.example", "alias.example"})
    queries.push_back({name(zone),
                       {name("_mta-sts." + zone), name("_smtp._tls." + zone),
                        name("mta-sts." + zone), name("mta-sts.q." + zone)}});
  for (ZoneQuery& query : queries)
    query.owners.pop_back();
  counting_.requests = 0;
  const auto all = provider->read(queries, {});
  EXPECT_EQ(counting_.requests, 4) << "the configuration once and three searches";
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const auto one = provider->read({queries[i]}, {}).front();
    ASSERT_TRUE(all[i]) << to_string(all[i].error());
    ASSERT_TRUE(one) << to_string(one.error());
    EXPECT_EQ(*all[i], *one);
  }
  EXPECT_THAT(*all[0], ElementsAre(txt("_mta-sts.example.com", {"v=STSv1; id=1;"})));
  ASSERT_THAT(*all[3], SizeIs(1));
  EXPECT_EQ(all[3]->front().type, dns::Type::other);
}

TEST_F(PowerDnsServer, WritesInPlaceAndLeavesTheRest) {
  start_usual();
  api("PATCH", "/zones/example.com.",
      {{"rrsets",
        {{{"name", "_mta-sts.example.com."},
          {"type", "TXT"},
          {"ttl", 300},
          {"changetype", "REPLACE"},
          {"records",
           {{{"content", "\"v=STSv1; id=1;\""}, {"disabled", false}},
            {{"content", "\"kept\""}, {"disabled", true}}}},
          {"comments", {{{"content", "mine"}, {"account", "me"}}}}}}}});
  const json serial = api("GET", "/zones/example.com.")["edited_serial"];
  const auto provider = open();
  const auto long_text = txt("_smtp._tls.example.com", {std::string(300, 'a') + "\"\\;\x01"});
  const auto done =
      provider->write(name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=1;"}),
                                             txt("_mta-sts.example.com", {"v=STSv1; id=2;"}, 600)},
                                            {std::nullopt, long_text}});
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(server_->dig("_mta-sts.example.com", "TXT"),
              ElementsAre("_mta-sts.example.com. 600 IN TXT \"v=STSv1; id=2;\""));
  const json set = rrset("example.com", "_mta-sts.example.com", "TXT");
  EXPECT_EQ(set["comments"][0]["content"], "mine");
  ASSERT_EQ(set["records"].size(), 2U);
  EXPECT_TRUE(set["records"][0]["disabled"] == true || set["records"][1]["disabled"] == true);
  EXPECT_EQ(*read(*provider, "example.com", {"_smtp._tls.example.com"}), std::vector{long_text});
  EXPECT_THAT(server_->dig("host.example.com", "CNAME"), SizeIs(1));
  EXPECT_GT(api("GET", "/zones/example.com.")["edited_serial"], serial);
}

TEST_F(PowerDnsServer, TheSameWriteTwiceIsOnce) {
  start_usual();
  const auto provider = open();
  const RecordEdit edit{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=x"})};
  ASSERT_TRUE(provider->write(name("example.com"), {edit}));
  const json serial = api("GET", "/zones/example.com.")["edited_serial"];
  ASSERT_TRUE(provider->write(name("example.com"), {edit}));
  EXPECT_EQ(api("GET", "/zones/example.com.")["edited_serial"], serial);
}

TEST_F(PowerDnsServer, AStaleBeforeIsAConflict) {
  start_usual();
  const auto done =
      open()->write(name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=0;"}),
                                           txt("_mta-sts.example.com", {"v=STSv1; id=2;"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("id=1"));
}

TEST_F(PowerDnsServer, AWaveIsComparedWithWhatStandsThereWhenItBegins) {
  start_usual();
  const auto provider = open();
  const std::vector<ZoneQuery> wave{{name("example.com"), {name("_mta-sts.example.com")}},
                                    {name("other.example"), {name("_mta-sts.other.example")}}};
  ASSERT_TRUE(provider->read(wave, {}).front());
  api("PATCH", "/zones/other.example.",
      {{"rrsets",
        {{{"name", "_mta-sts.other.example."},
          {"type", "TXT"},
          {"ttl", 300},
          {"changetype", "REPLACE"},
          {"records", {{{"content", "\"v=STSv1; id=neighbour;\""}, {"disabled", false}}}}}}}});
  counting_.requests = 0;
  provider->begin_writes(wave, {});
  EXPECT_TRUE(
      provider->write(name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=1;"}),
                                             txt("_mta-sts.example.com", {"v=STSv1; id=2;"})}}));
  const auto stale = provider->write(name("other.example"),
                                     {{txt("_mta-sts.other.example", {"v=STSv1; id=9;"}),
                                       txt("_mta-sts.other.example", {"v=STSv1; id=10;"})}});
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::conflict);
  EXPECT_THAT(stale.error().what, HasSubstr("neighbour"));
  // One search (and the configuration, the first time), one PATCH; none for the conflict.
  EXPECT_LE(counting_.requests, 3);
  // A second write to a zone looks at the zone itself again.
  EXPECT_TRUE(
      provider->write(name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=2;"}),
                                             txt("_mta-sts.example.com", {"v=STSv1; id=3;"})}}));
}

TEST_F(PowerDnsServer, ReplacesACnameInOnePatch) {
  start({{"example.com", {"mta-sts.example.com. 300 IN CNAME policy.example.net."}}});
  const auto provider = open();
  const auto cname = *dns::make_record_set(name("mta-sts.example.com"), dns::Type::cname,
                                           Duration(300), {"policy.example.net"});
  const auto address =
      *dns::make_record_set(name("mta-sts.example.com"), dns::Type::a, Duration(60), {"192.0.2.1"});
  const auto there =
      provider->write(name("example.com"), {{std::nullopt, address}, {cname, std::nullopt}});
  ASSERT_TRUE(there) << to_string(there.error());
  EXPECT_EQ(*read(*provider, "example.com", {"mta-sts.example.com"}), std::vector{address});
  const auto beside = provider->write(name("example.com"), {{std::nullopt, cname}});
  ASSERT_FALSE(beside);
  EXPECT_EQ(beside.error().code, Code::conflict) << to_string(beside.error());
}

TEST_F(PowerDnsServer, OneBadSetAndNothingIsWritten) {
  start_usual();
  const auto done = open()->write(name("example.com"),
                                  {{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})},
                                   {std::nullopt, txt("_mta-sts.outside.example", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid) << to_string(done.error());
  EXPECT_THAT(done.error().what, HasSubstr("out of zone"));
  EXPECT_THAT(server_->dig("_smtp._tls.example.com", "TXT"), IsEmpty());
}

TEST_F(PowerDnsServer, AWrongKeyOrServerIsNamed) {
  start_usual();
  const auto refused = open("wrong-key-0123")->find_zones({name("example.com")}, {});
  ASSERT_FALSE(refused[0]);
  EXPECT_EQ(refused[0].error().code, Code::unauthorized);
  EXPECT_THAT(to_string(refused[0].error()), Not(HasSubstr("wrong-key-0123")));
  const auto missing =
      open(servers::api_key(), false, "elsewhere")->find_zones({name("example.com")}, {});
  ASSERT_FALSE(missing[0]);
  EXPECT_EQ(missing[0].error().code, Code::not_found);
  EXPECT_THAT(missing[0].error().hint, HasSubstr("server"));
}

TEST_F(PowerDnsServer, ASecondaryZoneIsReported) {
  start_usual();
  for (const std::string kind : {"Slave", "Consumer"})
    api("POST", "/zones",
        {{"name", kind + ".example."}, {"kind", kind}, {"masters", {"127.0.0.1"}}});
  for (const std::string zone : {"slave.example", "consumer.example"}) {
    const auto found = open()->find_zones({name("_mta-sts." + zone)}, {});
    ASSERT_FALSE(found[0]);
    EXPECT_EQ(found[0].error().code, Code::unsupported);
    EXPECT_THAT(found[0].error().what, HasSubstr(zone));
  }
}

TEST_F(PowerDnsServer, NotifiesOnlyPrimariesAndOnlyIfAsked) {
  start_usual();
  api("PUT", "/zones/example.com.", {{"kind", "Master"}});
  const auto quiet = open();
  ASSERT_TRUE(quiet->find_zones({name("example.com")}, {}).front());
  counting_.requests = 0;
  EXPECT_TRUE(quiet->wait_served(name("example.com"), Duration(5), {}));
  EXPECT_EQ(counting_.requests, 0);
  const auto telling = open(servers::api_key(), true);
  ASSERT_TRUE(telling->find_zones({name("example.com")}, {}).front());
  counting_.requests = 0;
  const auto told = telling->wait_served(name("example.com"), Duration(5), {});
  EXPECT_TRUE(told) << to_string(told.error());
  EXPECT_EQ(counting_.requests, 1);
  ASSERT_TRUE(telling->find_zones({name("other.example")}, {}).front());
  counting_.requests = 0;
  EXPECT_TRUE(telling->wait_served(name("other.example"), Duration(5), {}));
  EXPECT_EQ(counting_.requests, 0);
}

TEST_F(PowerDnsServer, ALockedDatabaseIsWaitedFor) {
  start_usual();
  // Another writer holds the database for half a second.
  const servers::Running holder({"/usr/bin/python3", "-c",
                                 "import sqlite3,sys,time\n"
                                 "db=sqlite3.connect(sys.argv[1],isolation_level=None)\n"
                                 "db.execute('BEGIN EXCLUSIVE')\n"
                                 "open(sys.argv[1]+'.held','w')\n"
                                 "time.sleep(0.5)\n",
                                 server_->folder().file("pdns.db")},
                                server_->folder().file("holder.log"));
  ASSERT_TRUE(servers::wait_until(
      [&] { return std::ifstream(server_->folder().file("pdns.db.held")).good(); }));
  const auto done = open()->write(name("example.com"),
                                  {{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})}});
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(server_->dig("_smtp._tls.example.com", "TXT"), SizeIs(1));
}

TEST_F(PowerDnsServer, ManyWritersEndWell) {
  std::vector<servers::ZoneSeed> zones;
  for (int i = 0; i < 60; ++i)
    zones.push_back({"z" + std::to_string(i) + ".example"});
  start(zones);
  const auto provider = open();
  const auto results = parallel_map(zones, 8, {}, [&](const servers::ZoneSeed& zone) {
    return provider->write(name(zone.name),
                           {{std::nullopt, txt("_mta-sts." + zone.name, {"v=STSv1; id=1;"})}});
  });
  for (const auto& result : results)
    EXPECT_TRUE(*result) << to_string(result->error());
}

// The figures of docs/benchmarks.md.
TEST_F(PowerDnsServer, AFleetCostsFiveRequestsToReadAndOneAZoneToWrite) {
  std::vector<servers::ZoneSeed> zones;
  std::vector<dns::Name> names;
  for (int i = 0; i < 1000; ++i) {
    const std::string zone = "z" + std::to_string(i) + ".example";
    zones.push_back({zone,
                     {"_mta-sts." + zone + ". 300 IN TXT \"v=STSv1; id=1;\"",
                      "_smtp._tls." + zone + ". 300 IN TXT \"v=TLSRPTv1; rua=mailto:a@b.example\"",
                      "mta-sts." + zone + ". 300 IN CNAME policy.example."}});
    for (const std::string label : {"_mta-sts.", "_smtp._tls.", "mta-sts."})
      names.push_back(name(label + zone));
  }
  start(zones);
  const auto provider = open();
  const auto found = provider->find_zones(names, {});
  std::vector<ZoneQuery> queries;
  for (std::size_t i = 0; i < names.size(); i += 3)
    queries.push_back({*found[i], {names[i], names[i + 1], names[i + 2]}});
  const auto sets = provider->read(queries, {});
  for (const auto& one : sets)
    ASSERT_EQ(one->size(), 3U);
  EXPECT_LE(counting_.requests, 5);

  std::vector<ZoneQuery> wave;
  for (std::size_t i = 0; i < 500; ++i)
    wave.push_back({queries[i].zone, {queries[i].owners[0]}});
  provider->begin_writes(wave, {});
  for (const ZoneQuery& query : wave) {
    const std::string owner = query.owners[0].text();
    const auto done = provider->write(
        query.zone, {{txt(owner, {"v=STSv1; id=1;"}), txt(owner, {"v=STSv1; id=2;"})}});
    ASSERT_TRUE(done) << to_string(done.error());
  }
  EXPECT_LE(counting_.requests, 510);
}

}  // namespace
}  // namespace stsctl::providers::powerdns
