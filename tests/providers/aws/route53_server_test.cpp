// The provider against the emulator of Route 53: what it reads and writes, what that costs, and
// what it makes of everything that can go wrong on the way.
#include "servers/route53_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "base/text.h"
#include "io/curl_http.h"
#include "providers/aws/aws_world.h"
#include "providers/aws/route53.h"

namespace stsctl::providers::aws {
namespace {

using plan::RecordEdit;
using servers::HostedZoneSeed;
using servers::Route53Server;
using testing::AllOf;
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

Time machine_time() {
  return io::real_clock()->now();
}

class Route53AtServer : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<Route53Server>(); }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override { world_.env.merge(server_->environment()); }

  void load_usual(const std::string& more = "{}") {
    server_->load(
        {{"Z1",
          "example.com",
          {"_mta-sts.example.com 300 TXT \"v=STSv1; id=1;\"",
           "_mta-sts.example.com 300 MX 10 mail.example.com.",
           "xmta-sts.example.com 300 TXT \"neighbour\"", "\\052.example.com 60 A 192.0.2.9",
           "mta-sts.example.com 600 CNAME Policy.example.net."}},
         {"Z2", "sub.example.com"},
         {"Z3", "other.example"}},
        more);
  }

  std::unique_ptr<DnsProvider> open(const Settings& more = {}) {
    Settings settings = more;
    settings.set("endpoint", server_->url() + "/", "");
    if (!settings.has("rate")) settings.set("rate", "none", "");
    if (!settings.has("timeout")) settings.set("timeout", std::int64_t{20}, "");
    auto provider = route53_kind().make(settings, world_.services());
    if (!provider) throw std::runtime_error(to_string(provider.error()));
    return std::move(*provider);
  }

  Result<std::vector<dns::RecordSet>> read(DnsProvider& provider, const std::string& zone,
                                           const std::vector<std::string>& owners) {
    ZoneQuery query{name(zone), {}};
    for (const std::string& owner : owners)
      query.owners.push_back(name(owner));
    return provider.read({query}, {}).front();
  }

  // Reads what stands at the three names, as a plan does.
  void look(DnsProvider& provider, const std::string& domain = "example.com") {
    const auto sets =
        read(provider, domain, {"_mta-sts." + domain, "_smtp._tls." + domain, "mta-sts." + domain});
    ASSERT_TRUE(sets) << to_string(sets.error());
  }

  Result<dns::Name> find(DnsProvider& provider, const std::string& owner) {
    return provider.find_zones({name(owner)}, {}).front();
  }

  std::size_t requests() const { return server_->emulator().request_count(); }

  static std::unique_ptr<Route53Server> server_;
  std::unique_ptr<io::Http> http_ = io::real_http();
  AwsWorld world_{*http_, machine_time()};

  const RecordEdit next_id_{txt("_mta-sts.example.com", {"v=STSv1; id=1;"}),
                            txt("_mta-sts.example.com", {"v=STSv1; id=2;"})};
  const RecordEdit tlsrpt_{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=x"})};
};

std::unique_ptr<Route53Server> Route53AtServer::server_;

TEST_F(Route53AtServer, FindsTheLongestPublicZone) {
  server_->load({{"Z1", "example.com"},
                 {"Z2", "sub.example.com"},
                 {"Z3", "in.sub.example.com", {}, {}, R"({"private": true})"},
                 {"Z4", "example.com", {}, {}, R"({"private": true})"},
                 {"Z5", "only.private.example", {}, {}, R"({"private": true})"},
                 {"Z6", "twice.example"},
                 {"Z7", "twice.example"},
                 {"Z8", "kept.example", {}, {}, R"({"service": "servicediscovery.amazonaws.com"})"},
                 {"Z9", "test"}});
  const auto provider = open();
  const auto zones = provider->find_zones(
      {name("_mta-sts.example.com"), name("mta-sts.sub.example.com"),
       name("_mta-sts.in.sub.example.com"), name("_mta-sts.only.private.example"),
       name("_mta-sts.twice.example"), name("_mta-sts.kept.example"), name("_mta-sts.no.example"),
       name("_mta-sts.company.test")},
      {});
  EXPECT_EQ(*zones[0], name("example.com"));
  EXPECT_EQ(*zones[1], name("sub.example.com"));
  EXPECT_EQ(*zones[2], name("sub.example.com")) << "a private zone is not seen by senders";
  ASSERT_FALSE(zones[3]);
  EXPECT_EQ(zones[3].error().code, Code::not_found);
  EXPECT_THAT(zones[3].error().what, HasSubstr("only a private zone"));
  ASSERT_FALSE(zones[4]);
  EXPECT_EQ(zones[4].error().code, Code::conflict);
  EXPECT_THAT(zones[4].error().what, AllOf(HasSubstr("Z6"), HasSubstr("Z7")));
  ASSERT_FALSE(zones[5]);
  EXPECT_EQ(zones[5].error().code, Code::unsupported);
  EXPECT_THAT(zones[5].error().what, HasSubstr("servicediscovery"));
  ASSERT_FALSE(zones[6]);
  EXPECT_EQ(zones[6].error().code, Code::not_found);
  EXPECT_EQ(*zones[7], name("test"));
}

TEST_F(Route53AtServer, ListsOnlyThePartsOfTheAccountThatMatter) {
  std::vector<HostedZoneSeed> zones;
  std::vector<dns::Name> names;
  for (int i = 0; i < 1250; ++i) {
    zones.push_back({fmt::format("Z{}", i), fmt::format("z{:04}.example.com", i)});
    names.push_back(name(fmt::format("_mta-sts.z{:04}.example.com", i)));
  }
  server_->load(zones);
  const auto all = open()->find_zones(names, {});
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(all[i].value_or(name("no")), name(zones[i].name));
  EXPECT_LE(requests(), 14U) << "pages of 100";

  server_->emulator().forget();
  EXPECT_TRUE(find(*open(), "_mta-sts.z0777.example.com"));
  EXPECT_LE(requests(), 2U) << "one domain of 1,250";
  // Three domains far apart, and one with many zones below it.
  server_->emulator().forget();
  const auto some = open()->find_zones({names[0], names[600], names[1249]}, {});
  for (const auto& zone : some)
    EXPECT_TRUE(zone);
  EXPECT_LE(requests(), 4U);
}

TEST_F(Route53AtServer, ZonesOfOneNameOnTwoPagesAreStillSeen) {
  std::vector<HostedZoneSeed> zones;
  for (int i = 0; i < 99; ++i)
    zones.push_back({fmt::format("Z{:03}", i), "a.example", {}, {}, R"({"private": true})"});
  zones.push_back({"Z100", "a.example"});
  zones.push_back({"Z101", "a.example"});
  server_->load(zones);
  const auto found = find(*open(), "a.example");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::conflict);
  EXPECT_THAT(found.error().what, AllOf(HasSubstr("Z100"), HasSubstr("Z101")));
}

TEST_F(Route53AtServer, ReadsWhatStandsAtTheNames) {
  server_->load(
      {{"Z1",
        "example.com",
        {"_mta-sts.example.com 300 TXT \"v=STSv1;\" \" id=\\0611;\"",
         "_mta-sts.example.com 300 TXT \"second\"",
         "_mta-sts.example.com 300 CAA 0 issue \"ca.example\"",
         "a._mta-sts.example.com 300 TXT \"below\""},
        {R"({"name": "mta-sts.example.com", "type": "A",
                       "alias": {"DNSName": "d111.cloudfront.net."}})",
         R"({"name": "_smtp._tls.example.com", "type": "TXT", "ttl": 60, "identifier": "a",
                       "routing": {"Weight": "1"}, "values": ["\"x\""]})",
         R"({"name": "_smtp._tls.example.com", "type": "TXT", "ttl": 60, "identifier": "b",
                       "routing": {"Weight": "2"}, "values": ["\"y\""]})"}}});
  const auto provider = open();
  const auto sets = read(*provider, "example.com",
                         {"_mta-sts.example.com", "_smtp._tls.example.com", "mta-sts.example.com",
                          "absent.example.com"});
  ASSERT_TRUE(sets) << to_string(sets.error());
  const auto locked = [](const std::string& owner, const std::string& what) {
    return dns::RecordSet{name(owner), dns::Type::locked, Duration(0), {what}};
  };
  EXPECT_THAT(*sets,
              testing::UnorderedElementsAre(
                  txt("_mta-sts.example.com", {"second", "v=STSv1; id=11;"}),
                  dns::RecordSet{name("_mta-sts.example.com"), dns::Type::other, Duration(300), {}},
                  locked("_smtp._tls.example.com", "TXT records under a weighted routing policy"),
                  locked("mta-sts.example.com", "an alias (A) for d111.cloudfront.net.")));
}

// `count` record sets, half of them before the names of stsctl and half between and after.
HostedZoneSeed large_zone(int count) {
  HostedZoneSeed zone{"Z1", "example.com", {"_mta-sts.example.com 300 TXT \"v=STSv1; id=1;\""}};
  for (int i = 0; i < count / 2; ++i) {
    zone.records.push_back(fmt::format("0{:05}.example.com 300 A 192.0.2.1", i));
    zone.records.push_back(fmt::format("h{:05}.example.com 300 A 192.0.2.1", i));
  }
  zone.records.emplace_back("mta-sts.example.com 300 CNAME policy.example.net.");
  return zone;
}

TEST_F(Route53AtServer, AZoneCostsOneReadOrTwo) {
  for (const auto& [size, most] : {std::pair{4, 1U}, {290, 1U}, {3000, 2U}}) {
    server_->load({large_zone(size)});
    const auto provider = open();
    ASSERT_TRUE(find(*provider, "example.com"));
    server_->emulator().forget();
    const auto sets =
        read(*provider, "example.com",
             {"_mta-sts.example.com", "_smtp._tls.example.com", "mta-sts.example.com"});
    ASSERT_TRUE(sets) << to_string(sets.error());
    EXPECT_THAT(*sets, SizeIs(2)) << size;
    EXPECT_LE(requests(), most) << size;
  }
}

TEST_F(Route53AtServer, ManyDomainsInOneZoneNeverCostMoreThanAllItsPages) {
  HostedZoneSeed zone{"Z1", "example.com"};
  std::vector<std::string> owners;
  for (int i = 0; i < 400; ++i) {
    const std::string domain = fmt::format("d{:04}.example.com", i);
    zone.records.push_back("_mta-sts." + domain + " 300 TXT \"v=STSv1; id=1;\"");
    zone.records.push_back("mta-sts." + domain + " 300 CNAME policy.example.net.");
    zone.records.push_back("www." + domain + " 300 A 192.0.2.1");
    for (const std::string label : {"_mta-sts.", "_smtp._tls.", "mta-sts."})
      owners.push_back(label + domain);
  }
  server_->load({zone});
  const auto provider = open();
  ASSERT_TRUE(find(*provider, "example.com"));
  server_->emulator().forget();
  const auto sets = read(*provider, "example.com", owners);
  ASSERT_TRUE(sets) << to_string(sets.error());
  EXPECT_THAT(*sets, SizeIs(800));
  EXPECT_LE(requests(), 5U) << "1,202 record sets, 300 a page";
}

TEST_F(Route53AtServer, AllTheSetsAtAName) {
  HostedZoneSeed zone{"Z1", "example.com"};
  for (int i = 0; i < 700; ++i)
    zone.special.push_back(fmt::format(
        R"({{"name": "mta-sts.example.com", "type": "A", "ttl": 60, "identifier": "n{:03}",
            "routing": {{"Weight": "1"}}, "values": ["192.0.2.1"]}})",
        i));
  zone.records.emplace_back("mta-sts.example.com 300 TXT \"last\"");
  server_->load({zone});
  const auto sets = read(*open(), "example.com", {"mta-sts.example.com"});
  ASSERT_TRUE(sets) << to_string(sets.error());
  EXPECT_THAT(*sets, Contains(txt("mta-sts.example.com", {"last"})));
  EXPECT_THAT(*sets, SizeIs(2)) << "one routing policy, one set";
}

TEST_F(Route53AtServer, WritesInOneRequestAndLeavesTheRest) {
  load_usual();
  const auto provider = open();
  look(*provider);
  server_->emulator().forget();
  const auto long_text =
      txt("_smtp._tls.example.com", {std::string(300, 'a') + "\"\\;\x01\xC3\xBC"});
  const auto done = provider->write(name("example.com"), {next_id_, {std::nullopt, long_text}});
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(requests(), 1U);
  const auto records = server_->records("Z1");
  EXPECT_THAT(records, Contains("_mta-sts.example.com 300 TXT \"v=STSv1; id=2;\""));
  EXPECT_THAT(records, Contains("_mta-sts.example.com 300 MX 10 mail.example.com."));
  EXPECT_THAT(records, Contains("xmta-sts.example.com 300 TXT \"neighbour\""));
  EXPECT_THAT(records, Contains("\\052.example.com 60 A 192.0.2.9"));
  EXPECT_THAT(records, Contains("mta-sts.example.com 600 CNAME Policy.example.net."));
  EXPECT_EQ(*read(*provider, "example.com", {"_smtp._tls.example.com"}), std::vector{long_text});
  // The next stage knows what stands there now.
  server_->emulator().forget();
  EXPECT_TRUE(provider->write(name("example.com"),
                              {{next_id_.after, txt("_mta-sts.example.com", {"v=STSv1; id=3;"})}}));
  EXPECT_EQ(requests(), 1U);
}

TEST_F(Route53AtServer, WritesWithoutHavingReadBefore) {
  load_usual();
  EXPECT_TRUE(open()->write(name("example.com"), {next_id_}));
  EXPECT_THAT(server_->records("Z1"), Contains("_mta-sts.example.com 300 TXT \"v=STSv1; id=2;\""));
}

TEST_F(Route53AtServer, RemovesAndReplaces) {
  load_usual();
  const auto provider = open();
  look(*provider);
  const auto cname = *dns::make_record_set(name("mta-sts.example.com"), dns::Type::cname,
                                           Duration(600), {"policy.example.net"});
  const auto address =
      *dns::make_record_set(name("mta-sts.example.com"), dns::Type::a, Duration(60), {"192.0.2.1"});
  ASSERT_TRUE(
      provider->write(name("example.com"), {{std::nullopt, address}, {cname, std::nullopt}}));
  EXPECT_EQ(*read(*provider, "example.com", {"mta-sts.example.com"}), std::vector{address});
  const auto beside = provider->write(name("example.com"), {{std::nullopt, cname}});
  ASSERT_FALSE(beside);
  EXPECT_EQ(beside.error().code, Code::conflict) << to_string(beside.error());
  ASSERT_TRUE(provider->write(name("example.com"), {{next_id_.before, std::nullopt}}));
  EXPECT_THAT(server_->records("Z1"), Not(Contains(HasSubstr("STSv1"))));
}

TEST_F(Route53AtServer, TheSameWriteTwiceIsOnce) {
  load_usual();
  const auto provider = open();
  ASSERT_TRUE(provider->write(name("example.com"), {tlsrpt_}));
  ASSERT_TRUE(provider->write(name("example.com"), {tlsrpt_}));
  ASSERT_TRUE(open()->write(name("example.com"), {tlsrpt_}));
  EXPECT_EQ(server_->changes(), 1U);
}

TEST_F(Route53AtServer, AStaleBeforeIsAConflictAndNothingIsWritten) {
  load_usual();
  const auto provider = open();
  look(*provider);
  // Another writer, between the plan and the write.
  ASSERT_TRUE(open()->write(name("example.com"),
                            {{next_id_.before, txt("_mta-sts.example.com", {"neighbour"})}}));
  const auto done = provider->write(name("example.com"), {tlsrpt_, next_id_});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("'neighbour' with TTL 300 stands there now"));
  EXPECT_EQ(server_->changes(), 1U);
  EXPECT_THAT(server_->records("Z1"), Not(Contains(HasSubstr("TLSRPT"))));
}

TEST_F(Route53AtServer, AChangedTtlIsAConflictToo) {
  load_usual();
  const auto provider = open();
  look(*provider);
  ASSERT_TRUE(
      open()->write(name("example.com"),
                    {{next_id_.before, txt("_mta-sts.example.com", {"v=STSv1; id=1;"}, 3600)}}));
  const auto done = provider->write(name("example.com"), {next_id_});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("TTL 3600"));
}

TEST_F(Route53AtServer, WhatAnotherWriterMadeAlreadyIsDone) {
  load_usual();
  const auto provider = open();
  look(*provider);
  ASSERT_TRUE(open()->write(name("example.com"), {next_id_}));
  EXPECT_TRUE(provider->write(name("example.com"), {next_id_, tlsrpt_}));
  EXPECT_THAT(server_->records("Z1"), Contains(HasSubstr("TLSRPT")));
}

TEST_F(Route53AtServer, LockedSetsAreNotOverwritten) {
  server_->load({{"Z1",
                  "example.com",
                  {},
                  {R"({"name": "_mta-sts.example.com", "type": "TXT", "ttl": 60, "identifier": "a",
                       "routing": {"Weight": "1"}, "values": ["\"x\""]})"}}});
  const auto provider = open();
  const auto done =
      provider->write(name("example.com"), {{std::nullopt, txt("_mta-sts.example.com", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::refused);
  EXPECT_EQ(server_->requests("POST", "/rrset"), 0U);
}

TEST_F(Route53AtServer, KeepsTheSpellingOfValuesThatStay) {
  server_->load({{"Z1",
                  "example.com",
                  {"t.example.com 300 TXT \"\\153e\" \"pt\"", "t.example.com 300 TXT \"goes\""}}});
  ASSERT_TRUE(open()->write(name("example.com"), {{txt("t.example.com", {"goes", "kept"}),
                                                   txt("t.example.com", {"comes", "kept"})}}));
  EXPECT_THAT(server_->records("Z1"), ElementsAre("t.example.com 300 TXT \"\\153e\" \"pt\"",
                                                  "t.example.com 300 TXT \"comes\""));
}

TEST_F(Route53AtServer, ManyEditsGoInAsFewRequestsAsTheLimitsAllow) {
  HostedZoneSeed zone{"Z1", "example.com"};
  std::vector<RecordEdit> edits;
  for (int i = 0; i < 600; ++i) {
    const std::string owner = fmt::format("_mta-sts.d{:04}.example.com", i);
    zone.records.push_back(owner + " 300 TXT \"v=STSv1; id=1;\"");
    edits.push_back({txt(owner, {"v=STSv1; id=1;"}), txt(owner, {"v=STSv1; id=2;"})});
  }
  server_->load({zone});
  const auto provider = open();
  const auto done = provider->write(name("example.com"), edits);
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(server_->requests("POST", "/rrset"), 2U) << "1,200 records in changes of 1,000";
  EXPECT_EQ(server_->changes(), 2U);

  // One that does not fit stops all, though it stands in the last request.
  server_->load({zone});
  edits.back().before = txt(edits.back().after->owner.text(), {"v=STSv1; id=0;"});
  const auto stale = open()->write(name("example.com"), edits);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::conflict);
  EXPECT_EQ(server_->changes(), 0U);
}

TEST_F(Route53AtServer, OfSeveralRequestsNoneIsSentUnlessAllFit) {
  HostedZoneSeed zone{"Z1", "example.com"};
  std::vector<RecordEdit> edits;
  std::vector<std::string> owners;
  for (int i = 0; i < 600; ++i) {
    owners.push_back(fmt::format("_mta-sts.d{:04}.example.com", i));
    zone.records.push_back(owners.back() + " 300 TXT \"v=STSv1; id=1;\"");
    edits.push_back(
        {txt(owners.back(), {"v=STSv1; id=1;"}), txt(owners.back(), {"v=STSv1; id=2;"})});
  }
  server_->load({zone});
  const auto provider = open();
  ASSERT_TRUE(read(*provider, "example.com", owners));
  // Another writer, after the plan was made.
  ASSERT_TRUE(open()->write(name("example.com"),
                            {{edits.back().before, txt(owners.back(), {"neighbour"})}}));
  const auto stale = provider->write(name("example.com"), edits);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::conflict);
  EXPECT_EQ(server_->changes(), 1U);
}

TEST_F(Route53AtServer, WhatIsDoneByMemoryAloneIsLookedAt) {
  load_usual();
  const auto provider = open();
  look(*provider);
  ASSERT_TRUE(provider->write(name("example.com"), {next_id_}));
  ASSERT_TRUE(open()->write(name("example.com"), {{next_id_.after, next_id_.before}}));
  ASSERT_TRUE(provider->write(name("example.com"), {next_id_}));
  EXPECT_THAT(server_->records("Z1"), Contains("_mta-sts.example.com 300 TXT \"v=STSv1; id=2;\""));
}

TEST_F(Route53AtServer, TheOlderFormOfRefusalIsUnderstood) {
  load_usual(R"({"old_errors": true})");
  const auto provider = open();
  look(*provider);
  ASSERT_TRUE(open()->write(name("example.com"),
                            {{next_id_.before, txt("_mta-sts.example.com", {"neighbour"})}}));
  const auto done = provider->write(name("example.com"), {next_id_});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
}

TEST_F(Route53AtServer, WhatTheServiceRefusesForAnotherReasonIsToldOnce) {
  load_usual();
  const auto provider = open();
  const auto done = provider->write(name("example.com"),
                                    {{std::nullopt, txt("_mta-sts.outside.example", {"x"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid);
  EXPECT_THAT(done.error().what, HasSubstr("not permitted in zone example.com"));
  EXPECT_EQ(server_->requests("POST", "/rrset"), 1U);
}

// What breaks on the way of a change: the work done or not, the answer lost.
TEST_F(Route53AtServer, ALostAnswerIsLookedUpAndTheChangeMadeOnce) {
  for (const char* fault :
       {R"({"method": "POST", "reset": true})",
        R"({"method": "POST", "reset": true, "done": true})",
        R"({"method": "POST", "status": 500, "done": true})",
        R"({"method": "POST", "status": 503})", R"({"method": "POST", "cut": 20, "done": true})",
        R"({"method": "POST", "status": 200, "body": "<html/>", "done": true})",
        R"({"method": "POST", "status": 200, "body": "<Change", "done": true})"}) {
    load_usual();
    const auto provider = open();
    look(*provider);
    server_->emulator().fault(fault);
    const auto done = provider->write(name("example.com"), {next_id_, tlsrpt_});
    EXPECT_TRUE(done) << fault << to_string(done.error());
    EXPECT_EQ(server_->changes(), 1U) << fault;
    EXPECT_THAT(server_->records("Z1"),
                Contains("_mta-sts.example.com 300 TXT \"v=STSv1; id=2;\""));
  }
}

TEST_F(Route53AtServer, ASlowAnswerIsLookedUpToo) {
  load_usual();
  Settings settings;
  settings.set("timeout", std::int64_t{1}, "");
  const auto provider = open(settings);
  look(*provider);
  server_->emulator().fault(R"({"method": "POST", "delay": 1.5, "done": true})");
  const auto done = provider->write(name("example.com"), {next_id_});
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(server_->changes(), 1U);
}

TEST_F(Route53AtServer, AnOutcomeThatCannotBeLookedUpIsCalledUnknown) {
  load_usual();
  const auto provider = open();
  look(*provider);
  server_->emulator().fault(R"({"method": "POST", "reset": true, "done": true})");
  server_->emulator().fault(R"({"method": "GET", "reset": true, "times": 99})");
  const auto done = provider->write(name("example.com"), {next_id_});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unreachable);
  EXPECT_THAT(done.error().what, HasSubstr("the answer to the change was lost"));
  EXPECT_THAT(done.error().hint, HasSubstr("plan"));
}

TEST_F(Route53AtServer, AnAnswerThatNeverComesEnds) {
  load_usual();
  const auto provider = open();
  look(*provider);
  server_->emulator().fault(R"({"method": "POST", "status": 500, "times": 99})");
  const auto done = provider->write(name("example.com"), {next_id_});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::internal);
  EXPECT_EQ(server_->changes(), 0U);
  EXPECT_LE(server_->requests("POST", "/rrset"), 5U);
}

constexpr const char* throttling =
    R"({"times": 3, "status": 400, "body": "<ErrorResponse><Error><Code>Throttling</Code><Message>)"
    R"(Rate exceeded</Message></Error></ErrorResponse>"})";

TEST_F(Route53AtServer, WaitsWhereTheServiceSaysLater) {
  load_usual();
  const auto provider = open();
  server_->emulator().fault(throttling);
  EXPECT_TRUE(find(*provider, "example.com"));
  server_->emulator().fault(throttling);
  look(*provider);
  server_->emulator().fault(throttling);
  EXPECT_TRUE(provider->write(name("example.com"), {next_id_}));
  EXPECT_EQ(server_->changes(), 1U);
  EXPECT_GT(world_.clock.passed(), std::chrono::milliseconds(0));

  server_->load({{"Z1", "example.com", {}, {}, R"({"busy": 3})"}});
  EXPECT_TRUE(open()->write(name("example.com"), {tlsrpt_})) << "PriorRequestNotComplete";
}

TEST_F(Route53AtServer, GivesUpWhereItSaysLaterForEver) {
  load_usual(R"({"limit": {"capacity": 0, "refill": 0}})");
  const auto found = find(*open(), "example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::rate_limited);
  EXPECT_THAT(found.error().what, HasSubstr("Throttling: Rate exceeded"));
  EXPECT_EQ(server_->throttled(), 8U);
}

TEST_F(Route53AtServer, OtherAnswersThatAreNoneAreTold) {
  struct Case {
    const char* fault;
    Code code;
    const char* what;
  };
  for (const Case& one : std::vector<Case>{
           {R"("status": 401)", Code::unauthorized, "401"},
           {R"("status": 403, "body": "no")", Code::unauthorized, "403"},
           {R"("status": 404, "body": "no")", Code::protocol, "404"},
           {R"("status": 302, "headers": {"Location": "https://elsewhere.example/"})",
            Code::protocol, "302"},
           {R"("status": 429)", Code::rate_limited, "429"},
           {R"("status": 500)", Code::internal, "500"},
           {R"("status": 503)", Code::internal, "503"},
           {R"("status": 200, "body": "<html>login</html>")", Code::protocol, "not the"},
           {R"("status": 200, "body": "")", Code::protocol, "not the"},
           {R"("cut": 100)", Code::unreachable, "broke"},
           {R"("reset": true)", Code::unreachable, "broke"}}) {
    load_usual();
    const auto provider = open();
    ASSERT_TRUE(find(*provider, "example.com"));
    server_->emulator().fault(R"({"times": 99, )" + std::string(one.fault) + "}");
    const auto zone = find(*open(), "example.com");
    const auto sets = read(*provider, "example.com", {"_mta-sts.example.com"});
    ASSERT_FALSE(zone) << one.fault;
    ASSERT_FALSE(sets) << one.fault;
    EXPECT_STREQ(to_string(zone.error().code), to_string(one.code)) << one.fault;
    EXPECT_STREQ(to_string(sets.error().code), to_string(one.code)) << one.fault;
    EXPECT_THAT(sets.error().what, HasSubstr(one.what));
    EXPECT_EQ(sets.error().where, "route53 ListResourceRecordSets example.com (Z1)");
  }
}

TEST_F(Route53AtServer, AZoneThatFailsStopsNoOther) {
  load_usual();
  const auto provider = open();
  ASSERT_TRUE(find(*provider, "other.example"));
  server_->emulator().fault(R"({"times": 99, "path": "/hostedzone/Z1/", "status": 403})");
  const auto results = provider->read({{name("example.com"), {name("_mta-sts.example.com")}},
                                       {name("other.example"), {name("_mta-sts.other.example")}}},
                                      {});
  EXPECT_FALSE(results[0]);
  EXPECT_TRUE(results[1]);
}

TEST_F(Route53AtServer, AMissingPermissionIsNamedWithItsZone) {
  load_usual(R"({"identity": {"keys": [{"access_key": "AKIALESS", "secret_key": "s3cret-less",
                 "denied": ["route53:ListResourceRecordSets"]}]}})");
  world_.env["AWS_ACCESS_KEY_ID"] = "AKIALESS";
  world_.env["AWS_SECRET_ACCESS_KEY"] = "s3cret-less";
  const auto sets = read(*open(), "example.com", {"_mta-sts.example.com"});
  ASSERT_FALSE(sets);
  EXPECT_EQ(sets.error().code, Code::unauthorized);
  EXPECT_THAT(sets.error().what, HasSubstr("route53:ListResourceRecordSets"));
  EXPECT_THAT(sets.error().where, HasSubstr("example.com (Z1)"));
  EXPECT_THAT(sets.error().hint, HasSubstr("IAM policy"));
}

TEST_F(Route53AtServer, WrongKeysAreToldApart) {
  struct Case {
    const char* access;
    const char* secret;
    const char* token;
    const char* what;
    const char* hint;
  };
  for (const Case& one : std::vector<Case>{
           {"AKIANOBODY", "s3cret-0", "", "InvalidClientTokenId", "unknown"},
           {"ASIAOLD", "s3cret-0", "t0ken-0123456789", "ExpiredToken", "sign in again"},
           {"ASIAOLD", "s3cret-wrong", "t0ken-0123456789", "the secret key does not belong",
            "secret access key"}}) {
    load_usual(R"({"identity": {"keys": [{"access_key": "ASIAOLD", "secret_key": "s3cret-0",
                   "session_token": "t0ken-0123456789", "expires": 1}]}})");
    world_.env["AWS_ACCESS_KEY_ID"] = one.access;
    world_.env["AWS_SECRET_ACCESS_KEY"] = one.secret;
    world_.env["AWS_SESSION_TOKEN"] = one.token;
    const auto zone = find(*open(), "example.com");
    ASSERT_FALSE(zone);
    EXPECT_EQ(zone.error().code, Code::unauthorized);
    EXPECT_THAT(zone.error().what, HasSubstr(one.what));
    EXPECT_THAT(zone.error().hint, HasSubstr(one.hint));
    for (const char* secret : {"s3cret-", "t0ken-"}) {
      EXPECT_THAT(to_string(zone.error()), Not(HasSubstr(secret)));
      EXPECT_THAT(world_.logged(), Not(HasSubstr(secret)));
    }
  }
  EXPECT_THAT(world_.logged(), HasSubstr("The Canonical String")) << "the trace shows refusals";
}

TEST_F(Route53AtServer, AWrongClockIsTold) {
  for (const int offset : {1200, -1200}) {
    load_usual(fmt::format(R"({{"identity": {{"clock_offset": {}}}}})", offset));
    const auto zone = find(*open(), "example.com");
    ASSERT_FALSE(zone);
    EXPECT_EQ(zone.error().code, Code::unauthorized);
    EXPECT_THAT(zone.error().what,
                HasSubstr(offset > 0 ? "behind the service's" : "ahead of the service's"));
    EXPECT_THAT(zone.error().hint, HasSubstr("clock"));
  }
}

TEST_F(Route53AtServer, WithoutCredentialsNothingIsAsked) {
  load_usual();
  world_.env.clear();
  world_.env["AWS_EC2_METADATA_DISABLED"] = "true";
  const auto zone = find(*open(), "example.com");
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().code, Code::unauthorized);
  EXPECT_THAT(zone.error().what, HasSubstr("AWS_ACCESS_KEY_ID is not set"));
  EXPECT_EQ(requests(), 0U);
}

TEST_F(Route53AtServer, EveryKindOfCredentialsOpensIt) {
  const std::string role = "arn:aws:iam::123456789012:role/dns";
  const auto load = [&] {
    load_usual(nlohmann::json{
        {"identity",
         {{"roles",
           {{{"arn", role}, {"trusts", {"AKIATEST", "jwt.of.github"}}, {"external_id", ""}}}},
          {"instance", {{"role", "machine"}}},
          {"container", {{"token", "bearer"}}}}}}
                   .dump());
  };
  const auto keys = server_->environment();
  const std::string file = world_.folder.write("token", "jwt.of.github\n");
  const std::vector<std::map<std::string, std::string>> ways{
      {{"AWS_WEB_IDENTITY_TOKEN_FILE", file}, {"AWS_ROLE_ARN", role}},
      {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server_->url()}},
      {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server_->url() + "/container"},
       {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "bearer"}},
      {{"AWS_PROFILE", "dns"}},
  };
  world_.folder.write(".aws/config",
                      "[profile dns]\nrole_arn = " + role + "\nsource_profile = base\n");
  world_.folder.write(".aws/credentials",
                      "[base]\naws_access_key_id = " + keys.at("AWS_ACCESS_KEY_ID") +
                          "\naws_secret_access_key = " + keys.at("AWS_SECRET_ACCESS_KEY") + "\n");
  for (const auto& way : ways) {
    load();
    world_.env = way;
    world_.env["HOME"] = world_.folder.path();
    world_.env["AWS_REGION"] = "us-east-1";
    world_.env["AWS_ENDPOINT_URL_STS"] = server_->url();
    const auto zone = find(*open(), "example.com");
    EXPECT_TRUE(zone) << way.begin()->first << ": " << to_string(zone.error());
  }
}

TEST_F(Route53AtServer, TheConfiguredRoleIsTakenOn) {
  const std::string role = "arn:aws:iam::123456789012:role/dns";
  load_usual(R"({"identity": {"roles": [{"arn": ")" + role + R"(", "trusts": ["AKIATEST"]}]}})");
  world_.env["AWS_ENDPOINT_URL_STS"] = server_->url();
  world_.env["AWS_REGION"] = "us-east-1";
  Settings settings;
  settings.set("role_arn", role, "");
  const auto zone = find(*open(settings), "example.com");
  EXPECT_TRUE(zone) << to_string(zone.error());
  settings.set("role_arn", "arn:aws:iam::123456789012:role/other", "");
  const auto refused = find(*open(settings), "example.com");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, AllOf(HasSubstr("role/other"), HasSubstr("AccessDenied")));
}

TEST_F(Route53AtServer, WaitsUntilTheLastChangeIsServed) {
  load_usual(R"({"polls": 3})");
  const auto provider = open();
  look(*provider);
  EXPECT_TRUE(provider->wait_served(name("example.com"), Duration(300), {}));
  ASSERT_TRUE(provider->write(name("example.com"), {tlsrpt_}));
  ASSERT_TRUE(provider->write(name("example.com"), {next_id_}));
  server_->emulator().forget();
  const auto before = world_.clock.passed();
  const auto served = provider->wait_served(name("example.com"), Duration(300), {});
  ASSERT_TRUE(served) << to_string(served.error());
  EXPECT_EQ(world_.clock.passed() - before, std::chrono::milliseconds(500 + 1000 + 2000 + 4000));
  EXPECT_EQ(server_->requests("GET", "/change/C0000000002"), 4U);
  EXPECT_EQ(requests(), 4U) << "the first change is not asked for";
  EXPECT_TRUE(provider->wait_served(name("example.com"), Duration(300), {}));
  EXPECT_EQ(requests(), 4U) << "once it is served it is not asked for again";
}

TEST_F(Route53AtServer, AnOlderChangeIsAskedForAtOnce) {
  load_usual(R"({"polls": 0})");
  const auto provider = open();
  ASSERT_TRUE(provider->write(name("example.com"), {tlsrpt_}));
  world_.clock.advance(std::chrono::seconds(30));
  const auto before = world_.clock.passed();
  EXPECT_TRUE(provider->wait_served(name("example.com"), Duration(300), {}));
  EXPECT_EQ(world_.clock.passed(), before);
}

TEST_F(Route53AtServer, AChangeThatIsNotServedInTimeIsTold) {
  load_usual(R"({"polls": 1000})");
  const auto provider = open();
  ASSERT_TRUE(provider->write(name("example.com"), {tlsrpt_}));
  server_->emulator().fault(R"({"path": "/change/", "status": 500, "times": 2})");
  const auto served = provider->wait_served(name("example.com"), Duration(60), {});
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, Code::timeout);
  EXPECT_THAT(served.error().what, HasSubstr("C0000000001"));
}

TEST_F(Route53AtServer, AChangeWhoseAnswerWasLostIsGivenTheUsualTime) {
  load_usual();
  const auto provider = open();
  look(*provider);
  server_->emulator().fault(R"({"method": "POST", "reset": true, "done": true})");
  ASSERT_TRUE(provider->write(name("example.com"), {tlsrpt_}));
  const auto before = world_.clock.passed();
  EXPECT_TRUE(provider->wait_served(name("example.com"), Duration(300), {}));
  EXPECT_EQ(world_.clock.passed() - before, std::chrono::seconds(60));
}

TEST_F(Route53AtServer, AStopEndsTheWait) {
  load_usual(R"({"polls": 1000})");
  const auto provider = open();
  ASSERT_TRUE(provider->write(name("example.com"), {tlsrpt_}));
  std::stop_source stop;
  stop.request_stop();
  const auto served =
      provider->wait_served(name("example.com"), Duration(300), {stop.get_token(), {}});
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, Code::cancelled);
}

// The figures of docs/providers/route53.md.
TEST_F(Route53AtServer, AFleetCostsAReadAndAWriteAZone) {
  constexpr std::size_t count = 1000;
  std::vector<HostedZoneSeed> zones;
  std::vector<dns::Name> names;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string zone = fmt::format("z{}.example", i);
    zones.push_back({fmt::format("Z{}", i),
                     zone,
                     {"_mta-sts." + zone + " 300 TXT \"v=STSv1; id=1;\"",
                      "mta-sts." + zone + " 300 CNAME policy.example.net."}});
    for (const std::string label : {"_mta-sts.", "_smtp._tls.", "mta-sts."})
      names.push_back(name(label + zone));
  }
  server_->load(zones);
  const auto provider = open();
  const auto found = provider->find_zones(names, {});
  std::vector<ZoneQuery> queries;
  for (std::size_t i = 0; i < names.size(); i += 3) {
    ASSERT_TRUE(found[i]) << to_string(found[i].error());
    queries.push_back({*found[i], {names[i], names[i + 1], names[i + 2]}});
  }
  for (const auto& sets : provider->read(queries, {}))
    ASSERT_EQ(sets->size(), 2U);
  EXPECT_LE(requests(), count + 12) << "a page for 100 zones, a read a zone";

  server_->emulator().forget();
  const std::vector<ZoneQuery> changed(queries.begin(), queries.begin() + 200);
  const auto written = parallel_map(changed, 16, {}, [&](const ZoneQuery& query) {
    const std::string owner = query.owners[0].text();
    return provider->write(query.zone,
                           {{txt(owner, {"v=STSv1; id=1;"}), txt(owner, {"v=STSv1; id=2;"})}});
  });
  for (const auto& done : written)
    ASSERT_TRUE(*done) << to_string(done->error());
  EXPECT_EQ(requests(), changed.size());
}

TEST(Route53Kind, SaysWhatItCan) {
  const DnsKind kind = route53_kind();
  EXPECT_EQ(kind.name, "route53");
  EXPECT_TRUE(kind.capabilities.atomic_batch);
  EXPECT_TRUE(kind.capabilities.compare_and_swap);
  EXPECT_EQ(kind.capabilities.write_concurrency, 300U);
}

}  // namespace
}  // namespace stsctl::providers::aws
