// Reads and updates at the real servers of Debian: what each answers to right and wrong requests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/rfc2136/rfc2136.h"
#include "servers/name_server.h"
#include "servers/real_services.h"

namespace stsctl::providers::rfc2136 {
namespace {

using plan::RecordEdit;
using servers::NameServer;
using servers::TsigKey;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

dns::RecordSet txt(const std::string& owner, std::vector<std::string> values, int ttl = 300) {
  return *dns::make_record_set(name(owner), dns::Type::txt, Duration(ttl), std::move(values));
}

struct ServerKind {
  std::string name;
  std::unique_ptr<NameServer> (*start)(const std::vector<servers::ZoneSeed>&);
};

std::unique_ptr<NameServer> plain_powerdns(const std::vector<servers::ZoneSeed>& zones) {
  return servers::start_powerdns(zones);
}

std::vector<servers::ZoneSeed> seeds() {
  std::string many = "_mta-sts.example.org. 300 IN TXT \"v=STSv1; \" \"id=1;\"";
  return {{"example.com",
           {"_mta-sts.example.com. 300 IN TXT \"v=STSv1; id=1;\"",
            "_mta-sts.example.com. 300 IN HINFO \"x\" \"y\"",
            "neighbour.example.com. 300 IN TXT \"stays\"",
            "mta-sts.example.com. 300 IN CNAME policy.example.net.",
            "deleg.example.com. 300 IN NS ns.elsewhere.example."}},
          {"sub.example.com", {"mta-sts.sub.example.com. 600 IN A 192.0.2.7"}},
          {"example.org", {many}},
          {"wild.example",
           {"*.wild.example. 300 IN TXT \"v=spf1 -all\"", "*.wild.example. 300 IN A 192.0.2.9",
            "mta-sts.wild.example. 300 IN A 192.0.2.10"}}};
}

// The server of one kind lives for all tests of that kind.
class Rfc2136Servers : public testing::TestWithParam<ServerKind> {
 protected:
  void SetUp() override { server_ = GetParam().start(seeds()); }

  std::unique_ptr<DnsProvider> open(const TsigKey& key = servers::writer_key(),
                                    const Settings::List& zones = {}, std::uint16_t port = 0) {
    Settings settings;
    settings.set("server", std::string("127.0.0.1"), "");
    settings.set("port", std::int64_t{port == 0 ? server_->port() : port}, "");
    settings.set("timeout", std::int64_t{5}, "");
    settings.set("key.name", key.name, "");
    settings.set("key.algorithm", key.algorithm, "");
    settings.set("key.secret", key.secret, "");
    if (!zones.empty()) settings.set("zones", zones, "");
    auto provider = kind().make(settings, services_.services());
    if (!provider) throw std::runtime_error(to_string(provider.error()));
    return std::move(*provider);
  }

  static Result<std::vector<dns::RecordSet>> read(DnsProvider& provider, const std::string& zone,
                                                  const std::string& owner) {
    return provider.read({{name(zone), {name(owner)}}}, {}).front();
  }

  servers::RealServices services_;
  std::unique_ptr<NameServer> server_;
};

TEST_P(Rfc2136Servers, FindsTheLongestZone) {
  const auto provider = open();
  const auto zones =
      provider->find_zones({name("_mta-sts.example.com"), name("mta-sts.example.com"),
                            name("mta-sts.sub.example.com"), name("_smtp._tls.new.sub.example.com"),
                            name("_mta-sts.nowhere.example"), name("mta-sts.deleg.example.com")},
                           {});
  EXPECT_EQ(zones[0], name("example.com"));
  EXPECT_EQ(zones[1], name("example.com")) << "behind a CNAME";
  EXPECT_EQ(zones[2], name("sub.example.com"));
  EXPECT_EQ(zones[3], name("sub.example.com"));
  ASSERT_FALSE(zones[4]);
  EXPECT_EQ(zones[4].error().code, Code::not_found) << to_string(zones[4].error());
  ASSERT_FALSE(zones[5]);
  EXPECT_EQ(zones[5].error().code, Code::not_found) << to_string(zones[5].error());
}

TEST_P(Rfc2136Servers, ReadsEveryTypeAndNothingElse) {
  const auto provider = open();
  const auto sets = read(*provider, "example.com", "_mta-sts.example.com");
  ASSERT_TRUE(sets) << to_string(sets.error());
  ASSERT_EQ(sets->size(), 2U);
  EXPECT_THAT(*sets, Contains(txt("_mta-sts.example.com", {"v=STSv1; id=1;"})));
  EXPECT_EQ(read(*provider, "example.org", "_mta-sts.example.org"),
            std::vector{txt("_mta-sts.example.org", {"v=STSv1; id=1;"})})
      << "strings joined";
  const auto alias = read(*provider, "example.com", "mta-sts.example.com");
  ASSERT_TRUE(alias);
  ASSERT_EQ(alias->size(), 1U);
  EXPECT_EQ(alias->front().type, dns::Type::cname);
  EXPECT_THAT(alias->front().values, ElementsAre("policy.example.net"));
  EXPECT_THAT(*read(*provider, "example.com", "_smtp._tls.example.com"), IsEmpty());
}

TEST_P(Rfc2136Servers, AWildcardsAnswerIsNoRecord) {
  const auto provider = open();
  EXPECT_THAT(*read(*provider, "wild.example", "_mta-sts.wild.example"), IsEmpty());
  const auto host = read(*provider, "wild.example", "mta-sts.wild.example");
  ASSERT_TRUE(host) << to_string(host.error());
  ASSERT_EQ(host->size(), 1U);
  EXPECT_THAT(host->front().values, ElementsAre("192.0.2.10"));
  const auto written = provider->write(
      name("wild.example"), {{std::nullopt, txt("_mta-sts.wild.example", {"v=STSv1; id=1;"})}});
  EXPECT_TRUE(written) << to_string(written.error());
}

TEST_P(Rfc2136Servers, WritesWhatIsAskedAndLeavesTheRest) {
  const auto provider = open();
  const auto before = txt("_mta-sts.example.com", {"v=STSv1; id=1;"});
  const auto after = txt("_mta-sts.example.com", {"v=STSv1; id=2;"}, 600);
  const auto long_text = txt("_smtp._tls.example.com", {std::string(300, 'a') + "\"\\;\x01"});
  const auto done =
      provider->write(name("example.com"), {{before, after}, {std::nullopt, long_text}});
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(server_->dig("_mta-sts.example.com", "TXT"),
              ElementsAre("_mta-sts.example.com. 600 IN TXT \"v=STSv1; id=2;\""));
  EXPECT_THAT(server_->dig("_mta-sts.example.com", "HINFO"),
              ElementsAre("_mta-sts.example.com. 300 IN HINFO \"x\" \"y\""));
  EXPECT_THAT(server_->dig("neighbour.example.com", "TXT"), testing::SizeIs(1));
  EXPECT_EQ(read(*provider, "example.com", "_smtp._tls.example.com"), std::vector{long_text});
}

TEST_P(Rfc2136Servers, TheSameWriteTwiceIsOnce) {
  const auto provider = open();
  const RecordEdit edit{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=x"})};
  const auto first = provider->write(name("example.com"), {edit});
  ASSERT_TRUE(first) << to_string(first.error()) << server_->log();
  const auto serial = server_->dig("example.com", "SOA");
  ASSERT_TRUE(provider->write(name("example.com"), {edit}));
  EXPECT_EQ(server_->dig("example.com", "SOA"), serial);
}

TEST_P(Rfc2136Servers, AStaleBeforeIsAConflict) {
  const auto provider = open();
  const auto done =
      provider->write(name("example.com"), {{txt("_mta-sts.example.com", {"v=STSv1; id=0;"}),
                                             txt("_mta-sts.example.com", {"v=STSv1; id=2;"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("id=1"));
  EXPECT_THAT(server_->dig("_mta-sts.example.com", "TXT"), Contains(HasSubstr("id=1")));
}

TEST_P(Rfc2136Servers, ReplacesACnameInOneUpdate) {
  const auto provider = open();
  const auto cname = *dns::make_record_set(name("mta-sts.example.com"), dns::Type::cname,
                                           Duration(300), {"policy.example.net"});
  const auto address = *dns::make_record_set(name("mta-sts.example.com"), dns::Type::aaaa,
                                             Duration(60), {"2001:db8::1"});
  const auto there =
      provider->write(name("example.com"), {{cname, std::nullopt}, {std::nullopt, address}});
  ASSERT_TRUE(there) << to_string(there.error()) << server_->log();
  EXPECT_EQ(read(*provider, "example.com", "mta-sts.example.com"), std::vector{address});
  const auto back =
      provider->write(name("example.com"), {{std::nullopt, cname}, {address, std::nullopt}});
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(read(*provider, "example.com", "mta-sts.example.com"), std::vector{cname});
}

TEST_P(Rfc2136Servers, ARecordBesideACnameIsRefusedNotPassedOver) {
  const auto provider = open();
  const auto done =
      provider->write(name("example.com"), {{std::nullopt, txt("mta-sts.example.com", {"hello"})}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("CNAME"));
}

TEST_P(Rfc2136Servers, ChangesATtlAlone) {
  const auto provider = open();
  const auto done =
      provider->write(name("example.org"), {{txt("_mta-sts.example.org", {"v=STSv1; id=1;"}, 300),
                                             txt("_mta-sts.example.org", {"v=STSv1; id=1;"}, 60)}});
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(server_->dig("_mta-sts.example.org", "TXT"),
              ElementsAre("_mta-sts.example.org. 60 IN TXT \"v=STSv1; \" \"id=1;\""))
      << "the value keeps its cut";
}

TEST_P(Rfc2136Servers, RemovesARecordSet) {
  const auto provider = open();
  const auto done = provider->write(
      name("example.org"), {{txt("_mta-sts.example.org", {"v=STSv1; id=1;"}), std::nullopt}});
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(server_->dig("_mta-sts.example.org", "TXT"), IsEmpty());
}

TEST_P(Rfc2136Servers, OtherAlgorithmsWork) {
  for (const TsigKey& key : {servers::writer_key_sha1(), servers::writer_key_sha512()}) {
    const auto provider = open(key);
    const auto sets = read(*provider, "example.com", "_mta-sts.example.com");
    EXPECT_TRUE(sets) << key.algorithm << ": " << to_string(sets.error());
  }
}

TEST_P(Rfc2136Servers, ManyNamesOfOneZoneComeByTransfer) {
  std::vector<std::string> commands;
  ZoneQuery query{name("example.com"), {}};
  for (int i = 0; i < 150; ++i) {
    const std::string owner = "_mta-sts.d" + std::to_string(i) + ".example.com";
    query.owners.push_back(name(owner));
    if (i % 2 == 0) commands.push_back("add " + owner + " 300 TXT \"v=STSv1; id=1;\"");
  }
  server_->nsupdate("example.com", commands);
  for (const TsigKey& key : {servers::writer_key(), servers::writer_key_sha512()}) {
    const auto provider = open(key);  // the second may not transfer in BIND and PowerDNS
    const auto sets = provider->read({query}, {}).front();
    ASSERT_TRUE(sets) << to_string(sets.error());
    EXPECT_EQ(sets->size(), 75U);
  }
}

// What the server says to a wrong request, and what we make of it.
TEST_P(Rfc2136Servers, AWrongSecretIsToldFromAnUnknownKey) {
  TsigKey wrong = servers::writer_key();
  wrong.secret = "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmch";
  TsigKey unknown = servers::writer_key();
  unknown.name = "nobody-key";
  const bool tells = GetParam().name != "powerdns";
  for (const auto& [key, word] : {std::pair(wrong, "BADSIG"), std::pair(unknown, "BADKEY")}) {
    const auto provider = open(key, {"example.com"});
    const auto written = provider->write(
        name("example.com"), {{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})}});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::unauthorized) << to_string(written.error());
    if (tells) EXPECT_THAT(written.error().what, HasSubstr(word));
    EXPECT_THAT(to_string(written.error()), Not(HasSubstr(key.secret)));
    const auto zones = open(key)->find_zones({name("_mta-sts.example.com")}, {});
    ASSERT_FALSE(zones[0]);
    EXPECT_EQ(zones[0].error().code, Code::unauthorized) << to_string(zones[0].error());
  }
}

TEST_P(Rfc2136Servers, AZoneTheServerDoesNotHold) {
  const auto provider = open(servers::writer_key(), {"elsewhere.example"});
  const auto written =
      provider->write(name("elsewhere.example"),
                      {{std::nullopt, txt("_mta-sts.elsewhere.example", {"v=STSv1; id=1;"})}});
  ASSERT_FALSE(written);
  EXPECT_THAT(to_string(written.error()), HasSubstr("elsewhere.example"));
  EXPECT_TRUE(written.error().code == Code::not_found || written.error().code == Code::unauthorized)
      << to_string(written.error());
}

TEST_P(Rfc2136Servers, AKeyThatMayOnlyRead) {
  const auto provider = open(servers::reader_key());
  const auto sets = read(*provider, "example.com", "_mta-sts.example.com");
  EXPECT_TRUE(sets) << to_string(sets.error());
  const auto written = provider->write(
      name("example.com"), {{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})}});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::unauthorized) << to_string(written.error());
  // Knot calls a key without the right BADKEY.
  EXPECT_THAT(written.error().what, HasSubstr(GetParam().name == "knot" ? "BADKEY" : "REFUSED"));
  EXPECT_THAT(server_->dig("_smtp._tls.example.com", "TXT"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Debian, Rfc2136Servers,
                         testing::Values(ServerKind{"bind", servers::start_bind},
                                         ServerKind{"knot", servers::start_knot},
                                         ServerKind{"powerdns", plain_powerdns}),
                         [](const auto& entry) { return entry.param.name; });

}  // namespace
}  // namespace stsctl::providers::rfc2136
