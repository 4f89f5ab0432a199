// What goes wrong between stsctl and Cloudflare, and who may not do what.

#include <gmock/gmock.h>

#include "providers/cloudflare/cloudflare_fixture.h"

namespace stsctl::providers::cloudflare {
namespace {

using plan::RecordEdit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string other_token = "another-token-0123456789abcdefghijklmnop";
const std::string key = "0123456789abcdef0123456789abcdef01234";
const RecordEdit first_id{{}, txt("_mta-sts.example.com", {"v=STSv1; id=1;"})};
constexpr const char* duplicate =
    R"({"success":false,"errors":[{"code":81058,"message":"An identical record already exists."}]})";

// A token's state: what is not the usual.
json token(const json& members) {
  json token{{"value", servers::cloudflare_token}};
  token.update(members);
  return {{"tokens", json::array({token})}};
}

class CloudflareRefusal : public CloudflareTest {
 protected:
  // The secrets of all tests show nowhere, neither in `error` nor in what was logged.
  void expect_no_secret(const Error& error) const {
    for (const std::string& text : {to_string(error), real_.log()})
      for (const std::string& secret : {std::string(servers::cloudflare_token), other_token, key})
        EXPECT_THAT(text, Not(HasSubstr(secret)));
  }

  Error refusal_to_find(const Changes& changes = {}) {
    const auto found = find(*open(changes), "mta-sts.example.com");
    EXPECT_FALSE(found);
    expect_no_secret(found.error());
    EXPECT_EQ(found.error().code, Code::unauthorized);
    return found.error();
  }
};

TEST_F(CloudflareRefusal, NamesThePermissionAndTheZone) {
  load({zone("example.com")}, token({{"permissions", {"dns:read", "dns:edit"}}}));
  EXPECT_THAT(refusal_to_find().hint, HasSubstr("Zone > Zone > Read"));

  load({zone("example.com")}, token({{"permissions", {"zone:read"}}}));
  const auto sets = read(*open(), "example.com", {"example.com"});
  ASSERT_FALSE(sets);
  EXPECT_EQ(sets.error().code, Code::unauthorized);
  EXPECT_THAT(sets.error().what, HasSubstr("Authentication error (10000)"));
  EXPECT_THAT(sets.error().hint, HasSubstr("Zone > DNS > Read for example.com"));

  load({zone("example.com")}, token({{"permissions", {"zone:read", "dns:read"}}}));
  const auto done = open()->write(name("example.com"), {first_id});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unauthorized);
  EXPECT_THAT(done.error().hint, HasSubstr("Zone > DNS > Edit for example.com"));
  expect_no_secret(done.error());
}

TEST_F(CloudflareRefusal, ATokenThatSeesNoZoneIsToldSo) {
  load({zone("example.com")}, token({{"zones", json::array()}}));
  const auto found = find(*open(), "mta-sts.example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_THAT(found.error().hint, HasSubstr("Zone > Zone > Read"));
}

TEST_F(CloudflareRefusal, ATokenThatIsNoLongerGoodIsToldSo) {
  for (const std::string status : {"expired", "disabled"}) {
    load({zone("example.com")},
         token({{"status", status}, {"expires_on", "2026-01-01T00:00:00Z"}}));
    EXPECT_EQ(refusal_to_find().what, "the API token is " + status + " (2026-01-01T00:00:00Z)");
  }
  load({zone("example.com")});
  EXPECT_THAT(refusal_to_find({{"token", other_token}}).what, HasSubstr("does not accept"));
  EXPECT_THAT(refusal_to_find({{"token", std::string("short")}}).what,
              HasSubstr("does not accept"));
}

TEST_F(CloudflareRefusal, TheTokenIsVerifiedOnce) {
  load({zone("example.com")}, token({{"permissions", {"zone:read"}}}));
  const auto provider = open();
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(read(*provider, "example.com", {"example.com"}));
  std::size_t verified = 0;
  for (const auto& one : emulator_->journal())
    if (one.path.ends_with("/tokens/verify")) ++verified;
  EXPECT_EQ(verified, 1U);
}

TEST_F(CloudflareRefusal, ATokenOfAnAccountIsVerifiedThere) {
  const std::string account(32, 'a');
  const json accounts = json::array({{{"id", account}, {"name", "First"}}});
  json more = token({{"account", account}, {"permissions", {"dns:read"}}});
  more["accounts"] = accounts;
  load({zone("example.com")}, more);
  EXPECT_THAT(refusal_to_find({{"account", account}}).hint, HasSubstr("Zone > Zone > Read"));
}

TEST_F(CloudflareRefusal, AKeyWorksOrIsToldWrong) {
  json user{{"email", "me@example.com"}, {"key", key}};
  load({zone("example.com")}, {{"users", json::array({user})}});
  const Changes good{
      {"token", std::string()}, {"email", std::string("me@example.com")}, {"key", key}};
  EXPECT_TRUE(find(*open(good), "mta-sts.example.com"));
  load({zone("example.com")});
  EXPECT_THAT(refusal_to_find(good).hint, HasSubstr("'email' and 'key'"));
}

TEST_F(CloudflareRefusal, SettingsThatCannotBeRightAreRefusedAtOnce) {
  const std::string none;
  for (const Changes& changes : {
           Changes{{"token", none}},                          // nothing
           Changes{{"token", none}, {"key", key}},            // no e-mail address
           Changes{{"key", key}},                             // both
           Changes{{"account", std::string("Example Inc")}},  // a name
           Changes{{"comment", std::string(501, 'x')}},       // more than any plan takes
           Changes{{"comment", std::string("\xff")}},         // no UTF-8
           Changes{{"rate", std::string("fast")}},
       }) {
    const auto opened = try_open(changes);
    ASSERT_FALSE(opened) << changes.back().first;
    EXPECT_EQ(opened.error().code, Code::invalid);
    expect_no_secret(opened.error());
  }
  EXPECT_EQ(requests(), 0U);
}

TEST_F(CloudflareRefusal, AnAnswerThatRepeatsTheSecretShowsNone) {
  load({zone("example.com")});
  const json error{{"code", 9109},
                   {"message", std::string("no use of ") + servers::cloudflare_token}};
  const json body{{"success", false}, {"errors", json::array({error})}};
  emulator_->fault(json{{"path", "/zones"}, {"status", 403}, {"body", body.dump()}}.dump());
  EXPECT_THAT(refusal_to_find().what, HasSubstr("no use of ***"));
}

class CloudflareFault : public CloudflareTest {
 protected:
  void SetUp() override {
    CloudflareTest::SetUp();
    load({zone("example.com", {record("TXT", "_mta-sts", "old")})});
  }
  static void fault(const json& fault) { emulator_->fault(fault.dump()); }

  const RecordEdit change_{txt("_mta-sts.example.com", {"old"}),
                           txt("_mta-sts.example.com", {"new"})};

  // The change was made once, and no more than that.
  static void expect_changed_once() {
    EXPECT_EQ(state()["changes"], 1);
    ASSERT_EQ(state()["records"].size(), 1U);
    EXPECT_EQ(state()["records"][0]["content"], "\"new\"");
  }
};

TEST_F(CloudflareFault, PassingTroubleWithAReadIsGotOver) {
  const json busy{{"Retry-After", "2"}};
  for (const json& trouble :
       {json{{"status", 503}}, json{{"status", 502}, {"body", "<html>"}},
        json{{"status", 429}, {"headers", busy}}, json{{"reset", true}}, json{{"cut", 20}}}) {
    fault(trouble);
    const auto sets = read(*open(), "example.com", {"example.com"});
    ASSERT_TRUE(sets) << trouble << to_string(sets.error());
    EXPECT_THAT(*sets, ElementsAre(txt("_mta-sts.example.com", {"old"})));
  }
  EXPECT_GE(clock_.passed(), std::chrono::seconds(2)) << "Retry-After is kept to";
}

TEST_F(CloudflareFault, LastingTroubleIsTheZonesOwn) {
  const struct {
    json fault;
    Code code;
  } cases[] = {
      {{{"status", 500}, {"body", "{}"}}, Code::unreachable},
      {{{"status", 404}, {"body", R"({"errors":[{"code":7003,"message":"No"}]})"}},
       Code::not_found},
      {{{"status", 429}, {"body", "slow down"}}, Code::rate_limited},
      {{{"status", 200}, {"body", "<html>hello</html>"}}, Code::protocol},
      {{{"status", 200}, {"body", R"({"success":true,"result":[{"id":1}]})"}}, Code::protocol},
      {{{"cut", 100}}, Code::unreachable},
      {{{"reset", true}}, Code::unreachable},
  };
  load({zone("example.com"), zone("example.org", {record("TXT", "_mta-sts", "x")})});
  const std::string id = state()["id"];
  for (const auto& one : cases) {
    emulator_->clear_faults();
    json trouble = one.fault;
    trouble.update(json{{"times", 99}, {"path", id}});
    fault(trouble);
    const auto provider = open();
    const auto sets = provider->read(
        {query("example.com", {"example.com"}), query("example.org", {"example.org"})}, {});
    ASSERT_FALSE(sets[0]) << one.fault;
    EXPECT_EQ(sets[0].error().code, one.code) << to_string(sets[0].error());
    ASSERT_TRUE(sets[1]) << to_string(sets[1].error());
    EXPECT_THAT(*sets[1], SizeIs(1));
  }
}

TEST_F(CloudflareFault, APageThatFailsFailsTheWholeZone) {
  std::vector<json> records;
  for (int i = 0; i < 150; ++i)
    records.push_back(record("TXT", "_mta-sts.d" + std::to_string(i), "x"));
  load({zone("example.com", records)}, {{"largest_page", 100}});
  fault({{"times", 99}, {"path", "[?&]page=2"}, {"status", 500}});
  const auto sets = read(*open(), "example.com", {"a.example.com", "b.example.com"});
  ASSERT_FALSE(sets) << "half a zone is none";
}

TEST_F(CloudflareFault, AServiceThatSendsOnePageForeverIsStopped) {
  std::vector<json> items;
  for (int i = 0; i < 50; ++i)
    items.push_back({{"id", "0a"}, {"name", "z" + std::to_string(i) + ".example"}});
  fault({{"times", 99},
         {"status", 200},
         {"body", json{{"success", true}, {"result", items}}.dump()}});
  const auto found = find(*open(), "mta-sts.example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::protocol);
  EXPECT_EQ(requests(), 2U);
}

TEST_F(CloudflareFault, ALostAnswerIsLookedUpAndNothingDoneTwice) {
  for (const json& trouble :
       {json{{"reset", true}}, json{{"status", 502}}, json{{"status", 504}, {"body", "<html>"}},
        json{{"cut", 10}}, json{{"status", 200}, {"body", "{"}}}) {
    for (const bool done : {true, false}) {
      load({zone("example.com", {record("TXT", "_mta-sts", "old")})});
      emulator_->forget();
      json lost = trouble;
      lost.update(json{{"method", "POST"}, {"done", done}});
      fault(lost);
      const auto written = open()->write(name("example.com"), {change_});
      ASSERT_TRUE(written) << lost << to_string(written.error());
      expect_changed_once();
      // "cut" is no instead: the work is done before.
      EXPECT_EQ(requests("POST"), done || trouble.contains("cut") ? 1U : 2U) << lost;
    }
  }
}

TEST_F(CloudflareFault, AnAnswerThatComesTooLateIsLookedUp) {
  fault({{"method", "POST"}, {"done", true}, {"delay", 1.5}});
  const auto written = open({{"timeout", std::int64_t{1}}})->write(name("example.com"), {change_});
  ASSERT_TRUE(written) << to_string(written.error());
  expect_changed_once();
}

TEST_F(CloudflareFault, WhatCannotBeLookedUpIsToldAsUnknown) {
  const auto provider = open();
  ASSERT_TRUE(find(*provider, "example.com"));
  fault({{"method", "POST"}, {"reset", true}, {"done", true}});
  fault({{"method", "GET"}, {"path", "dns_records"}});  // the look before passes
  fault({{"method", "GET"}, {"status", 500}, {"times", 99}});
  const auto written = provider->write(name("example.com"), {change_});
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().what, HasSubstr("the answer to the change was lost"));
  EXPECT_THAT(written.error().hint, HasSubstr("run plan again"));
}

TEST_F(CloudflareFault, ARefusalThatCannotBeLookedUpIsNotCalledALostAnswer) {
  const auto provider = open();
  ASSERT_TRUE(find(*provider, "example.com"));
  fault({{"method", "POST"}, {"status", 400}, {"body", duplicate}});
  fault({{"method", "GET"}, {"path", "dns_records"}});  // the look before passes
  fault({{"method", "GET"}, {"status", 500}, {"times", 99}});
  const auto written = provider->write(name("example.com"), {change_});
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().what, HasSubstr("the change met another (Cloudflare answers 400"));
  EXPECT_THAT(written.error().what, Not(HasSubstr("lost")));
}

TEST_F(CloudflareFault, ARecordThatIsThereAlreadyIsDoneAfterALook) {
  fault({{"method", "POST"}, {"status", 400}, {"body", duplicate}, {"done", true}});
  const auto written = open()->write(name("example.com"), {change_});
  ASSERT_TRUE(written) << to_string(written.error());
  expect_changed_once();
  EXPECT_EQ(requests("POST"), 1U);
}

// The first request arrives while the second is on its way.
TEST_F(CloudflareFault, ARecordThatALostRequestMadeLateIsDoneAfterALook) {
  fault({{"method", "POST"}, {"status", 502}});
  fault({{"method", "POST"}, {"status", 400}, {"body", duplicate}, {"done", true}});
  const auto written = open()->write(name("example.com"), {change_});
  ASSERT_TRUE(written) << to_string(written.error());
  expect_changed_once();
  EXPECT_EQ(requests("POST"), 2U);
}

TEST_F(CloudflareFault, ARecordThatStaysInTheWayIsAConflict) {
  fault({{"method", "POST"}, {"status", 400}, {"body", duplicate}, {"times", 99}});
  const auto written = open()->write(name("example.com"), {change_});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::conflict);
  EXPECT_THAT(written.error().what, HasSubstr("identical record"));
  EXPECT_EQ(requests("POST"), 2U);
}

TEST_F(CloudflareFault, AnotherWriterIsSeenWhileALostAnswerIsLookedUp) {
  const auto provider = open();
  ASSERT_TRUE(find(*provider, "example.com"));
  // In place of the change that is lost, another is made.
  const std::string id = state()["records"][0]["id"];
  const std::string zone_id = state()["id"];
  fault({{"method", "POST"}, {"status", 502}});
  fault({{"method", "GET"}});
  json theirs = record("TXT", "_mta-sts.example.com", "theirs", {{"id", "0f"}});
  const json page{{"success", true}, {"result", json::array({theirs})}};
  fault({{"method", "GET"}, {"status", 200}, {"body", page.dump()}});
  const auto written = provider->write(name("example.com"), {change_});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::conflict);
  EXPECT_THAT(written.error().what, HasSubstr("theirs"));
  EXPECT_EQ(requests("POST"), 1U);
}

TEST_F(CloudflareFault, AFewMoreThanTheLimitAreWaitedForAndNotRefused) {
  const servers::CloudflareEmulator limited({"--rates", "50/1"});
  std::vector<json> zones;
  std::vector<ZoneQuery> queries;
  std::vector<dns::Name> names;
  for (int i = 0; i < 70; ++i) {
    const std::string one = "z" + std::to_string(i) + ".example";
    zones.push_back(zone(one));
    queries.push_back(query(one, {one}));
    names.push_back(name(one));
  }
  limited.load(
      json{{"zones", zones}, {"tokens", json::array({{{"value", servers::cloudflare_token}}})}}
          .dump());
  Settings settings;
  settings.set("endpoint", limited.endpoint(), "");
  settings.set("token", servers::cloudflare_token, "");
  settings.set("rate", "50/1s", "");
  const auto provider = *dns_kind().make(settings, real_.services());
  for (const auto& found : provider->find_zones(names, {}))
    ASSERT_TRUE(found);
  for (const auto& sets : provider->read(queries, {}))
    ASSERT_TRUE(sets) << to_string(sets.error());
  const auto journal = limited.journal();
  EXPECT_EQ(journal.size(), 72U);
  for (const auto& one : journal)
    ASSERT_EQ(one.status, 200);
  EXPECT_GE(journal.back().at - journal.front().at, 1.0) << "the limit was reached";
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
