#include "providers/cloudflare/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/cloudflare/workers_wire.h"

namespace stsctl::providers::cloudflare {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

dns::RecordSet set(const std::string& owner, dns::Type type, std::vector<std::string> values,
                   int ttl) {
  return *dns::make_record_set(name(owner), type, Duration(ttl), std::move(values));
}

std::string answer(const std::string& result, const std::string& info = "{}") {
  return R"({"result":)" + result + R"(,"success":true,"errors":[],"messages":[],"result_info":)" +
         info + "}";
}

// A record as the API shows it; `members` begins with a comma.
std::string record(const std::string& type, const std::string& owner, const std::string& content,
                   const std::string& members = {}) {
  return R"({"id":"0a1b","type":")" + type + R"(","name":")" + owner + R"(","content":)" + content +
         R"(,"ttl":300,"comment":null,"tags":[])" + members + "}";
}

Result<std::vector<dns::RecordSet>> sets_of(const std::string& list) {
  const auto page = parse_records(answer("[" + list + "]"));
  return page ? Result<std::vector<dns::RecordSet>>(record_sets(page->items)) : fail(page);
}

TEST(CloudflareParseZones, ReadsWhatMatters) {
  const auto page = parse_zones(answer(
      R"([{"id":"0f","name":"Example.com","status":"active","type":"full","paused":false,
           "account":{"id":"a1","name":"Example Inc"},"plan":{"legacy_id":"pro","name":"Pro Website"}},
          {"id":"1f","name":"2.0.192.in-addr.arpa/25","status":"active"},
          {"id":"2f","name":"b.example","status":"pending","type":"partial","account":{"id":"a2"}}])",
      R"({"page":1,"per_page":20,"count":3,"total_count":3,"total_pages":7})"));
  ASSERT_TRUE(page) << to_string(page.error());
  ASSERT_THAT(page->items, SizeIs(2)) << "the name with a slash is left out";
  EXPECT_EQ(page->items[0].name, name("example.com"));
  EXPECT_EQ(page->items[0].account(), "Example Inc (a1)");
  EXPECT_EQ(page->items[0].batch_limit(), 3500U);
  EXPECT_TRUE(page->items[0].is_active());
  EXPECT_EQ(page->items[1].account(), "a2");
  EXPECT_EQ(page->items[1].batch_limit(), 200U) << "no plan told";
  EXPECT_FALSE(page->items[1].is_active());
  EXPECT_EQ(page->info.count, 3U);
  EXPECT_EQ(page->info.pages, 7U);
  EXPECT_EQ(page->info.first, "0f");
}

TEST(CloudflarePageInfo, OnlyAFullPageIsFollowedByAnother) {
  EXPECT_TRUE((PageInfo{50, 50, 1, {}}).may_continue(50));
  EXPECT_FALSE((PageInfo{49, 50, 9, {}}).may_continue(50));
  EXPECT_TRUE((PageInfo{100, 100, 9, {}}).may_continue(5000)) << "the service sends smaller pages";
  EXPECT_TRUE((PageInfo{50, 0, 0, {}}).may_continue(50)) << "and may not say so";
  EXPECT_FALSE((PageInfo{0, 0, 1, {}}).may_continue(50));
}

TEST(CloudflareParseRecords, DecodesContentHoweverItIsSpelt) {
  const struct {
    std::string content;  // JSON
    std::string value;
  } cases[] = {
      {R"("v=STSv1; id=1;")", "v=STSv1; id=1;"},           // as lexicon writes
      {R"("\"v=STSv1; id=1;\"")", "v=STSv1; id=1;"},       // as the dashboard asks for
      {R"("\"v=STSv1; \" \"id=1;\"")", "v=STSv1; id=1;"},  // cut
      {R"("say \"hi\"")", "say \"hi\""},                   // quotes inside bare text are its own
      {R"("a\\b")", "a\\b"},                               // and so is a backslash
      {R"("\"a\\\\b\\\"\\009\"")", "a\\b\"\t"},            // escapes inside quotes
      {R"("")", ""},
  };
  for (const auto& one : cases) {
    const auto sets = sets_of(record("TXT", "_mta-sts.example.com", one.content));
    ASSERT_TRUE(sets) << one.content << to_string(sets.error());
    EXPECT_THAT(*sets, ElementsAre(set("_mta-sts.example.com", dns::Type::txt, {one.value}, 300)));
  }
}

TEST(CloudflareParseRecords, ContentThatCannotBeReadIsLockedAndHidesNothingElse) {
  const auto sets = sets_of(record("TXT", "_mta-sts.a.example.com", R"("v=STSv1; id=1;")") + "," +
                            record("TXT", "_mta-sts.a.example.com", R"("\"open")") + "," +
                            record("CNAME", "mta-sts.a.example.com", R"("two words")") + "," +
                            record("TXT", "_mta-sts.b.example.com", R"("v=STSv1; id=1;")"));
  ASSERT_TRUE(sets) << to_string(sets.error());
  EXPECT_THAT(*sets,
              ElementsAre(dns::unreadable_set(name("_mta-sts.a.example.com"), "TXT"),
                          dns::unreadable_set(name("mta-sts.a.example.com"), "CNAME"),
                          set("_mta-sts.b.example.com", dns::Type::txt, {"v=STSv1; id=1;"}, 300)));
}

TEST(CloudflareParseRecords, ReadsEveryType) {
  const auto sets =
      sets_of(record("A", "mta-sts.example.com", R"("192.0.2.1")", R"(,"proxied":true,"ttl":1)") +
              "," + record("AAAA", "mta-sts.example.com", R"("2001:DB8::0:1")") + "," +
              record("MX", "example.com", R"("Mail.example.com")", R"(,"priority":10)") + "," +
              record("HTTPS", "mta-sts.example.com", "null", R"(,"data":{"priority":1})") + "," +
              record("A", "*.example.com", R"("192.0.2.9")") + "," +
              record("CNAME", "WWW.example.com", R"("Example.net")"));
  ASSERT_TRUE(sets) << to_string(sets.error());
  EXPECT_THAT(*sets, ElementsAre(set("mta-sts.example.com", dns::Type::a, {"192.0.2.1"}, 0),
                                 set("mta-sts.example.com", dns::Type::aaaa, {"2001:db8::1"}, 300),
                                 set("example.com", dns::Type::mx, {"10 mail.example.com"}, 300),
                                 set("mta-sts.example.com", dns::Type::other, {}, 300),
                                 set("www.example.com", dns::Type::cname, {"example.net"}, 300)));
}

TEST(CloudflareParseRecords, ASetHasOneTtlAndEachValueOnce) {
  const auto sets = sets_of(record("TXT", "a.example", R"("x")", R"(,"ttl":600)") + "," +
                            record("TXT", "a.example", R"("\"x\"")", R"(,"ttl":120)") + "," +
                            record("TXT", "a.example", R"("b")", R"(,"ttl":3600)"));
  EXPECT_THAT(*sets, ElementsAre(set("a.example", dns::Type::txt, {"b", "x"}, 120)));
}

TEST(CloudflareParseRecords, SeesWhoKeepsARecord) {
  const auto flags = [](const std::string& members) {
    return parse_records(answer("[" + record("TXT", "a.example", R"("x")", members) + "]"))
        ->items.front();
  };
  EXPECT_TRUE(flags(R"(,"meta":{"email_routing":true,"read_only":true})").read_only);
  EXPECT_TRUE(flags(R"(,"locked":true)").read_only);
  EXPECT_FALSE(flags(R"(,"meta":{"read_only":false},"locked":false)").read_only);
  EXPECT_FALSE(flags("").commented);
  EXPECT_TRUE(flags(R"(,"comment":"mine")").commented);
}

TEST(CloudflareParse, RefusesWhatIsNotTheApis) {
  for (const std::string& text : {
           std::string(),                                    // nothing
           std::string("<html>Bad gateway</html>"),          // a proxy's page
           std::string("{"),                                 // cut off
           std::string("null"),                              // JSON, but no answer
           std::string("[1]"),                               // no envelope
           std::string(R"({"result":[]})"),                  // no word of success
           answer("{}"),                                     // no list
           answer("[1]"),                                    // no objects
           answer(R"([{"name":"example.com","ttl":300}])"),  // no id
           answer(R"([{"id":"../x","name":"a.example"}])"),  // an id that would leave its path
           answer("[]", R"({"count":2})"),                   // fewer than announced
           answer(R"([{"id":"0a","name":"a.example","type":"TXT","content":1,"ttl":300}])"),
           std::string(200, '['),    // depth
           std::string("\xff\xfe"),  // no UTF-8
       }) {
    EXPECT_FALSE(parse_records(text)) << text;
    if (text.find("TXT") == std::string::npos) {
      EXPECT_FALSE(parse_zones(text)) << text;
    }
    EXPECT_FALSE(parse_token_status(text)) << text;
  }
  EXPECT_FALSE(parse_done("{}"));
  EXPECT_FALSE(
      parse_records(answer("[" + record("A", "a.example", "\"x\"", R"(,"ttl":-1)") + "]")));
}

TEST(CloudflareParse, AFailureWithStatus200IsOne) {
  const std::string body =
      R"({"success":false,"result":null,"errors":[{"code":10000,"message":"Authentication error"}]})";
  for (const auto& code : {parse_zones(body).error().code, parse_done(body).error().code})
    EXPECT_EQ(code, Code::unauthorized);
}

TEST(CloudflareParseCustomDomains, ReadsWhatMatters) {
  const auto page = parse_custom_domains(answer(
      R"([{"id":"0a","hostname":"mta-sts.example.com","service":"w","zone_name":"example.com"},
          {"id":"0b","hostname":"b.example.com","service":"","environment":"production"}])"));
  ASSERT_TRUE(page) << to_string(page.error());
  EXPECT_EQ(page->items, (std::vector<CustomDomain>{{"0a", "mta-sts.example.com", "w"},
                                                    {"0b", "b.example.com", ""}}));
  EXPECT_TRUE(parse_custom_domains(answer("[]")));
  for (const std::string& bad :
       {std::string(), answer("{}"), answer(R"([{"hostname":"a.example","service":"w"}])"),
        answer(R"([{"id":"../x","hostname":"a.example","service":"w"}])"),
        answer(R"([{"id":"0a","service":"w"}])"),
        std::string(R"({"success":false,"errors":[{"code":10000,"message":"No"}]})")})
    EXPECT_FALSE(parse_custom_domains(bad)) << bad;
}

TEST(CloudflareIsNoSuchWorker, GoesByTheCodeAlone) {
  const auto body = [](const std::string& errors) {
    return R"({"success":false,"errors":)" + errors + "}";
  };
  EXPECT_TRUE(is_no_such_worker(body(R"([{"code":10007,"message":"any"}])")));
  EXPECT_TRUE(is_no_such_worker(body(R"([{"code":1},{"code":10090}])")));
  for (const std::string& other : {std::string(), std::string("This Worker does not exist"),
                                   body("[]"), body(R"([{"code":7003,"message":"10007"}])")})
    EXPECT_FALSE(is_no_such_worker(other)) << other;
}

TEST(CloudflareUploadForm, IsMetadataAndOneModule) {
  const io::Form form = upload_form("export default {};\n");
  const auto parts = io::read_form(form.type, form.body);
  ASSERT_TRUE(parts) << to_string(parts.error());
  EXPECT_EQ(
      *parts,
      (std::vector<io::FormPart>{
          {.name = "metadata",
           .type = "application/json",
           .content =
               R"({"bindings":[],"compatibility_date":"2025-01-01","main_module":"worker.js"})"},
          {.name = "worker.js",
           .filename = "worker.js",
           .type = "application/javascript+module",
           .content = "export default {};\n"}}));
  EXPECT_EQ(custom_domain_body("mta-sts.example.com", "w"),
            R"({"hostname":"mta-sts.example.com","service":"w"})");
}

TEST(CloudflareParseScript, TakesTheOneModule) {
  const auto reply = [](const std::vector<io::FormPart>& parts) {
    const io::Form form = io::write_form(parts);
    return io::Reply{.status = 200, .headers = {{"Content-Type", form.type}}, .body = form.body};
  };
  const io::FormPart module{.name = "worker.js", .filename = "worker.js", .content = "text\n"};
  EXPECT_EQ(parse_script(reply({module})), "text\n");
  const io::FormPart more{.name = "more.js", .content = "x"};
  for (const auto& parts : {std::vector<io::FormPart>{}, {module, more}}) {
    const auto script = parse_script(reply(parts));
    ASSERT_FALSE(script);
    EXPECT_EQ(script.error().code, Code::refused);
  }
  // A Worker of the old kind has no modules.
  EXPECT_EQ(parse_script({.status = 200,
                          .headers = {{"Content-Type", "application/javascript"}},
                          .body = "addEventListener()"}),
            "addEventListener()");
  EXPECT_FALSE(parse_script({.status = 200,
                             .headers = {{"Content-Type", "multipart/form-data; boundary=b"}},
                             .body = "cut off"}));
}

TEST(CloudflareParseTokenStatus, TellsUntilWhen) {
  const auto told = [](const std::string& members) {
    return *parse_token_status(R"({"success":true,"result":{"id":"0a",)" + members + "}}");
  };
  EXPECT_EQ(told(R"("status":"active","expires_on":"2030-01-01T00:00:00Z")"), "active");
  EXPECT_EQ(told(R"("status":"expired","expires_on":"2026-01-01T00:00:00Z")"),
            "expired (2026-01-01T00:00:00Z)");
  EXPECT_EQ(told(R"("status":"disabled")"), "disabled");
}

TEST(CloudflareNameFilter, HoldsForEveryNameAskedFor) {
  const struct {
    std::string zone;
    std::vector<std::string> owners;
    std::string filter;
  } cases[] = {
      {"example.com", {"www.example.com"}, "name.exact=www.example.com"},
      {"example.com",
       {"_mta-sts.example.com", "_smtp._tls.example.com", "mta-sts.example.com"},
       "name.contains=mt&name.endswith=s.example.com"},
      {"example.com",  // one domain of a zone that has many
       {"_mta-sts.a.example.com", "_smtp._tls.a.example.com", "mta-sts.a.example.com"},
       "name.contains=mt&name.endswith=s.a.example.com"},
      {"example.com",  // two of them
       {"_mta-sts.a.example.com", "_smtp._tls.b.example.com", "mta-sts.b.example.com"},
       "name.contains=mt"},
      {"example.com",  // only their ids
       {"_mta-sts.a.example.com", "_mta-sts.b.example.com"},
       "name.startswith=_mta-sts."},
      {"example.com", {"example.com", "www.example.com"}, ""},
      {"xn--mnchen-3ya.example",  // which may be kept as "münchen.example"
       {"_mta-sts.xn--mnchen-3ya.example", "_smtp._tls.xn--mnchen-3ya.example"},
       "name.startswith=_&name.contains=mt"},
      {"xn--mnchen-3ya.example", {"_mta-sts.xn--mnchen-3ya.example"}, "name.startswith=_mta-sts."},
      {"example.com", {}, ""},
  };
  for (const auto& one : cases) {
    std::vector<dns::Name> owners;
    for (const std::string& owner : one.owners)
      owners.push_back(name(owner));
    EXPECT_EQ(name_filter(name(one.zone), owners), one.filter);
  }
}

TEST(CloudflareErrorOf, MeansWhatTheServiceSays) {
  const auto body = [](int code, const std::string& chain = {}) {
    return R"({"success":false,"errors":[{"code":)" + std::to_string(code) + R"(,"message":"No")" +
           chain + R"(}],"messages":[],"result":null})";
  };
  const struct {
    int status;
    std::string body;
    Code code;
  } cases[] = {
      {400, body(6003, R"(,"error_chain":[{"code":6111,"message":"Format"}])"), Code::unauthorized},
      {403, body(10000), Code::unauthorized},
      {403, body(9109), Code::unauthorized},
      {401, body(1000), Code::unauthorized},
      {400, body(81057), Code::conflict},
      {400, body(81058), Code::conflict},
      {400, body(81053), Code::conflict},
      {404, body(81044), Code::conflict},
      {404, body(7003), Code::not_found},
      {400, body(1004), Code::invalid},
      {429, body(10100), Code::rate_limited},
      {500, body(10013), Code::unreachable},
      {502, "<html>", Code::unreachable},
      {302, "", Code::protocol},
      {409, body(100117), Code::conflict},
      {400, body(100117), Code::conflict},
      {404, body(10007), Code::not_found},
      {400, body(10021), Code::invalid},
      {413, body(10027), Code::invalid},
  };
  for (const auto& one : cases)
    EXPECT_EQ(error_of(one.status, one.body).code, one.code) << one.status << one.body;
}

TEST(CloudflareErrorOf, ShowsTheWholeChainAndDrivesNoTerminal) {
  const Error error =
      error_of(400,
               R"({"errors":[{"code":1004,"message":"DNS Validation Error","error_chain":[
          {"code":9300,"message":"DNS record has 1 tags, exceeding the quota of 0."}]},
          {"code":7,"message":"a\u001b[31m"}]})");
  EXPECT_EQ(error.what,
            "Cloudflare answers 400: DNS Validation Error (1004); DNS record has 1 tags, "
            "exceeding the quota of 0. (9300); a\\x1B[31m (7)");
  EXPECT_LT(error_of(500, std::string(5000, 'x')).what.size(), 600U);
  for (const std::string odd : {R"({"errors":{}})", R"({"errors":[1,null]})", R"([])"})
    EXPECT_EQ(error_of(400, odd).code, Code::invalid) << odd;
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
