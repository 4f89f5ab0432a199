// A real PowerDNS of Debian, beyond the contract suite: the traps of 4.7, searches, comments and
// disabled records, NOTIFY, a locked database, and what a fleet costs.

#include <atomic>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "providers/powerdns/powerdns.h"
#include "servers/name_server.h"
#include "servers/real_services.h"
#include "tests/fakes/records.h"

namespace stsctl::providers::powerdns {
namespace {

using fakes::name;
using fakes::txt;
using nlohmann::json;
using plan::RecordEdit;
using servers::NameServer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

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
  void start(const std::vector<servers::ZoneSeed>& zones) {
    server_ = servers::start_powerdns(zones);
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

  using ApiRecords = std::vector<std::pair<std::string, bool>>;  // content, disabled

  // Puts a set of example.com as another program would.
  void patch(const std::string& owner, const std::string& type, int ttl, const ApiRecords& records,
             const json& comments = json::array()) const {
    json list = json::array();
    for (const auto& [content, disabled] : records)
      list.push_back({{"content", content}, {"disabled", disabled}});
    const json set{{"name", owner},           {"type", type},    {"ttl", ttl},
                   {"changetype", "REPLACE"}, {"records", list}, {"comments", comments}};
    api("PATCH", "/zones/example.com.", {{"rrsets", {set}}});
  }

  static ApiRecords records(const json& set) {
    ApiRecords records;
    for (const json& one : set["records"])
      records.emplace_back(one["content"], one["disabled"]);
    return records;
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

TEST_F(PowerDnsServer, AWrongServerIdIsNamed) {
  start_usual();
  const auto missing =
      open(servers::api_key(), false, "elsewhere")->find_zones({name("example.com")}, {});
  ASSERT_FALSE(missing[0]);
  EXPECT_EQ(missing[0].error().code, Code::not_found);
  EXPECT_THAT(missing[0].error().hint, HasSubstr("server"));
}

// --- traps of 4.7

// Asked for one name, the server also lists sets without records that only have comments.
TEST_F(PowerDnsServer, ACommentElsewhereIsNoRecord) {
  start_usual();
  patch("host.example.com.", "CNAME", 300, {{"mta-sts.elsewhere.example.", false}},
        {{{"content", "mine"}, {"account", "me"}}});
  const json leaked = api("GET", "/zones/example.com.?rrset_name=_smtp._tls.example.com.");
  ASSERT_EQ(leaked["rrsets"].size(), 1U) << "the trap is gone: " << leaked;
  EXPECT_THAT(*read(*open(), "example.com", {"_smtp._tls.example.com"}), IsEmpty());
}

// Asked for one name, the server leaves out disabled records.
TEST_F(PowerDnsServer, CommentsAndDisabledRecordsStay) {
  for (const bool in_a_wave : {false, true}) {
    start_usual();
    patch("_mta-sts.example.com.", "TXT", 300, {{"\"v=STSv1; id=1;\"", false}, {"\"kept\"", true}},
          {{{"content", "mine"}, {"account", "me"}}});
    const auto provider = open();
    if (in_a_wave)
      provider->begin_writes({{name("example.com"), {name("_mta-sts.example.com")}},
                              {name("other.example"), {name("_mta-sts.other.example")}}},
                             {});
    const auto done = provider->write(name("example.com"),
                                      {{txt("_mta-sts.example.com", {"v=STSv1; id=1;"}),
                                        txt("_mta-sts.example.com", {"v=STSv1; id=2;"}, 600)}});
    ASSERT_TRUE(done) << to_string(done.error());
    const json set = rrset("example.com", "_mta-sts.example.com", "TXT");
    EXPECT_EQ(set["comments"][0]["content"], "mine");
    EXPECT_THAT(records(set), UnorderedElementsAre(std::pair("\"v=STSv1; id=2;\"", false),
                                                   std::pair("\"kept\"", true)));
  }
}

// The API takes no content twice, not even once disabled.
TEST_F(PowerDnsServer, ADisabledTwinOfTheNewValueGivesWay) {
  start_usual();
  patch("_mta-sts.example.com.", "TXT", 300,
        {{"\"v=STSv1; id=1;\"", false}, {"\"v=STSv1; id=2;\"", true}});
  const auto done =
      open()->write(name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=1;"}),
                                           txt("_mta-sts.example.com", {"v=STSv1; id=2;"})}});
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(records(rrset("example.com", "_mta-sts.example.com", "TXT")),
              ElementsAre(std::pair("\"v=STSv1; id=2;\"", false)));
}

// A string of more than 255 bytes is stored as it is, and cut only when it is served.
TEST_F(PowerDnsServer, AStringOfOthersThatIsTooLongIsReadWholeAndKept) {
  start_usual();
  const std::string content = "\"" + std::string(300, 'a') + "\"";
  patch("_smtp._tls.example.com.", "TXT", 300, {{content, false}});
  const auto text = txt("_smtp._tls.example.com", {std::string(300, 'a')});
  const auto provider = open();
  EXPECT_EQ(*read(*provider, "example.com", {"_smtp._tls.example.com"}), std::vector{text});
  const auto longer = txt("_smtp._tls.example.com", {std::string(300, 'a')}, 600);
  EXPECT_TRUE(provider->write(name("example.com"), {{text, longer}}));
  EXPECT_THAT(records(rrset("example.com", "_smtp._tls.example.com", "TXT")),
              ElementsAre(std::pair(content, false)));
}

// The server takes -1 for 4294967295, which no resolver does.
TEST_F(PowerDnsServer, ATtlThatWrapsIsReadAndReplacedButNeverSent) {
  start_usual();
  patch("_smtp._tls.example.com.", "TXT", -1, {{"\"v=TLSRPTv1;\"", false}});
  ASSERT_EQ(rrset("example.com", "_smtp._tls.example.com", "TXT")["ttl"], 4294967295)
      << "the trap is gone";
  const auto provider = open();
  const auto sets = read(*provider, "example.com", {"_smtp._tls.example.com"});
  ASSERT_TRUE(sets) << to_string(sets.error());
  const auto right = txt("_smtp._tls.example.com", {"v=TLSRPTv1;"}, 300);
  const auto done = provider->write(name("example.com"), {{sets->front(), right}});
  EXPECT_TRUE(done) << to_string(done.error());
  const auto refused =
      provider->write(name("example.com"), {{right, txt("_smtp._tls.example.com", {"x"}, -1)}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(*read(*provider, "example.com", {"_smtp._tls.example.com"}), std::vector{right});
}

// Names in upper case are folded; the id of a zone whose name holds a slash is not its name.
TEST_F(PowerDnsServer, WhatOthersNameOddlyIsReadOrPassedOver) {
  start_usual();
  api("POST", "/zones",
      {{"name", "0/25.2.0.192.in-addr.arpa."}, {"kind", "Native"}, {"nameservers", json::array()}});
  patch("_SMTP._TLS.Example.COM.", "TXT", 300, {{"\"v=TLSRPTv1;\"", false}});
  const auto provider = open();
  EXPECT_EQ(provider->find_zones({name("_mta-sts.example.com")}, {}).front(), name("example.com"));
  EXPECT_EQ(*read(*provider, "example.com", {"_smtp._tls.example.com"}),
            std::vector{txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})});
}

// 401 and 404 say so in plain text, 422 in JSON.
TEST_F(PowerDnsServer, WhatTheServerSaysIsPassedOn) {
  start_usual();
  const auto done =
      open()->write(name("example.com"), {{std::nullopt, txt("_mta-sts.outside.example", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid);
  EXPECT_THAT(done.error().what, HasSubstr("out of zone"));
  const auto gone = read(*open(), "missing.example", {"_mta-sts.missing.example"});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::not_found);
  EXPECT_THAT(to_string(gone.error()), HasSubstr("missing.example"));
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
