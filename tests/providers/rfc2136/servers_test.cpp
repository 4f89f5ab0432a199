// What each real server of Debian answers to right and wrong requests, beyond the contract suite:
// aliases, wildcards, transfers, and which refusal means what.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/rfc2136/rfc2136.h"
#include "servers/name_server.h"
#include "servers/real_services.h"
#include "tests/fakes/hasty_clock.h"
#include "tests/fakes/records.h"

namespace stsctl::providers::rfc2136 {
namespace {

using fakes::name;
using fakes::txt;
using servers::NameServer;
using servers::ServerClock;
using servers::TsigKey;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct ServerKind {
  std::string name;
  std::unique_ptr<NameServer> (*start)(const std::vector<servers::ZoneSeed>&, ServerClock);
};

std::vector<servers::ZoneSeed> seeds() {
  return {{"example.com",
           {"_mta-sts.example.com. 300 IN TXT \"v=STSv1; id=1;\"",
            "mta-sts.example.com. 300 IN CNAME policy.example.net.",
            R"(mta-sts.odd.example.com. 300 IN CNAME two\032words.example.net.)",
            "deleg.example.com. 300 IN NS ns.elsewhere.example."}},
          {"sub.example.com", {"mta-sts.sub.example.com. 600 IN A 192.0.2.7"}},
          {"wild.example",
           {"*.wild.example. 300 IN TXT \"v=spf1 -all\"", "*.wild.example. 300 IN A 192.0.2.9",
            "mta-sts.wild.example. 300 IN A 192.0.2.10"}}};
}

class Rfc2136Servers : public testing::TestWithParam<ServerKind> {
 protected:
  void SetUp() override { start(ServerClock::right); }
  void start(ServerClock clock) { server_ = GetParam().start(seeds(), clock); }

  std::unique_ptr<DnsProvider> open(const TsigKey& key = servers::writer_key(),
                                    const Settings::List& zones = {}, std::uint16_t port = 0) {
    Settings settings = settings_for(key, port);
    if (!zones.empty()) settings.set("zones", zones, "");
    return open(settings, services_.services());
  }

  static std::unique_ptr<DnsProvider> open(const Settings& settings, const io::Services& services) {
    auto provider = kind().make(settings, services);
    if (!provider) throw std::runtime_error(to_string(provider.error()));
    return std::move(*provider);
  }

  Settings settings_for(const TsigKey& key, std::uint16_t port = 0) const {
    Settings settings;
    settings.set("server", std::string("127.0.0.1"), "");
    settings.set("port", std::int64_t{port == 0 ? server_->port() : port}, "");
    settings.set("timeout", std::int64_t{5}, "");
    settings.set("key.name", key.name, "");
    settings.set("key.algorithm", key.algorithm, "");
    settings.set("key.secret", key.secret, "");
    return settings;
  }

  bool tells() const { return GetParam().name != "powerdns"; }

  static Result<std::vector<dns::RecordSet>> read(DnsProvider& provider, const std::string& zone,
                                                  const std::string& owner) {
    return provider.read({{name(zone), {name(owner)}}}, {}).front();
  }

  servers::RealServices services_;
  std::unique_ptr<NameServer> server_;
};

TEST_P(Rfc2136Servers, TheZoneOfAnAliasAndOfADelegatedName) {
  const auto provider = open();
  const auto zones =
      provider->find_zones({name("mta-sts.example.com"), name("_mta-sts.new.sub.example.com"),
                            name("mta-sts.deleg.example.com")},
                           {});
  EXPECT_EQ(zones[0], name("example.com")) << "behind a CNAME";
  EXPECT_EQ(zones[1], name("sub.example.com"));
  ASSERT_FALSE(zones[2]);
  EXPECT_EQ(zones[2].error().code, Code::not_found) << to_string(zones[2].error());
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

TEST_P(Rfc2136Servers, AnAliasToWhatIsNoHostIsLockedAndHidesNothingElse) {
  const auto provider = open();
  const auto sets = provider
                        ->read({{name("example.com"),
                                 {name("mta-sts.odd.example.com"), name("_mta-sts.example.com")}}},
                               {})
                        .front();
  ASSERT_TRUE(sets) << to_string(sets.error());
  EXPECT_THAT(*sets, testing::UnorderedElementsAre(
                         dns::unreadable_set(name("mta-sts.odd.example.com"), "CNAME"),
                         txt("_mta-sts.example.com", {"v=STSv1; id=1;"})));
  const auto written = provider->write(
      name("example.com"), {{std::nullopt, txt("mta-sts.odd.example.com", {"beside it"})}});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::refused) << to_string(written.error());
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

// Which of BADSIG, BADKEY and BADTIME it was (RFC 8945 §5.2). PowerDNS tells none of them: it
// refuses, unsigned.
TEST_P(Rfc2136Servers, AWrongSecretIsToldFromAnUnknownKey) {
  TsigKey wrong = servers::writer_key();
  wrong.secret = "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmch";
  TsigKey unknown = servers::writer_key();
  unknown.name = "nobody-key";
  for (const auto& [key, word] : {std::pair(wrong, "BADSIG"), std::pair(unknown, "BADKEY")}) {
    const auto provider = open(key, {"example.com"});
    const auto written = provider->write(
        name("example.com"), {{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})}});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::unauthorized) << to_string(written.error());
    EXPECT_THAT(to_string(written.error()), HasSubstr(key.name));
    if (tells()) EXPECT_THAT(written.error().what, HasSubstr(word));
    const auto zones = open(key)->find_zones({name("_mta-sts.example.com")}, {});
    ASSERT_FALSE(zones[0]);
    EXPECT_EQ(zones[0].error().code, Code::unauthorized) << to_string(zones[0].error());
  }
}

TEST_P(Rfc2136Servers, AWrongClockIsToldWithTheServersTime) {
  start(ServerClock::hour_fast);
  const auto provider = open();
  const auto written = provider->write(
      name("example.com"), {{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})}});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::unauthorized) << to_string(written.error());
  EXPECT_THAT(written.error().hint, HasSubstr("clock"));
  if (tells()) {
    const Time theirs = services_.services().clock.now() + std::chrono::hours(1);
    EXPECT_THAT(written.error().what, HasSubstr("BADTIME"));
    EXPECT_THAT(written.error().what, HasSubstr(format_time(theirs).substr(0, 14)));  // to the hour
  }
  const auto zones = provider->find_zones({name("_mta-sts.example.com")}, {});
  ASSERT_FALSE(zones[0]);
  EXPECT_EQ(zones[0].error().code, Code::unauthorized) << to_string(zones[0].error());
}

// Twelve questions at two a second, over however many connections.
TEST_P(Rfc2136Servers, ARateHoldsForAllConnections) {
  Settings settings = settings_for(servers::writer_key());
  settings.set("rate", std::string("2/s"), "");
  const io::Services real = services_.services();
  fakes::HastyClock clock;
  const auto provider = open(settings, {.files = real.files,
                                        .process = real.process,
                                        .clock = clock,
                                        .dns = real.dns,
                                        .http = real.http,
                                        .log = real.log});
  std::vector<ZoneQuery> queries;
  for (int i = 0; i < 12; ++i)
    queries.push_back({name("example.com"), {name(fmt::format("d{}.example.com", i))}});
  for (const auto& sets : provider->read(queries, {}))
    EXPECT_TRUE(sets) << to_string(sets.error());
  EXPECT_GE(clock.slept(), std::chrono::seconds(5));

  settings.set("rate", std::string("often"), "stsctl.yaml:4:11");
  const auto refused = kind().make(settings, real);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().where, "stsctl.yaml:4:11");
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
  const auto written =
      open(servers::reader_key())
          ->write(name("example.com"),
                  {{std::nullopt, txt("_smtp._tls.example.com", {"v=TLSRPTv1;"})}});
  ASSERT_FALSE(written);
  // Knot calls a key without the right BADKEY.
  EXPECT_THAT(written.error().what, HasSubstr(GetParam().name == "knot" ? "BADKEY" : "REFUSED"));
}

INSTANTIATE_TEST_SUITE_P(Debian, Rfc2136Servers,
                         testing::Values(ServerKind{"bind", servers::start_bind},
                                         ServerKind{"knot", servers::start_knot},
                                         ServerKind{"powerdns", servers::start_powerdns}),
                         [](const auto& entry) { return entry.param.name; });

}  // namespace
}  // namespace stsctl::providers::rfc2136
