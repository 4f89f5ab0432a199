#include "providers/powerdns/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stsctl::providers::powerdns {
namespace {

using nlohmann::json;
using plan::RecordEdit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

dns::RecordSet txt(const std::string& owner, std::vector<std::string> values, int ttl = 300) {
  return *dns::make_record_set(name(owner), dns::Type::txt, Duration(ttl), std::move(values));
}

ApiSet live(const std::string& owner, const std::string& type, std::vector<ApiRecord> records) {
  return {name(owner), type, Duration(300), std::move(records)};
}

json rrsets(const std::vector<ApiSet>& sets, const std::vector<RecordEdit>& edits) {
  const auto body = patch_body(sets, edits);
  if (!body || body->empty()) return {};
  return json::parse(*body).at("rrsets");
}

TEST(ParseZones, TakesKindsAndLeavesOutNamesNoDomainHas) {
  const auto zones = parse_zones(R"([
    {"id":"Example.COM.","kind":"Master","name":"Example.COM.","serial":1},
    {"id":"0=2F25.2.0.192.in-addr.arpa.","kind":"Native","name":"0/25.2.0.192.in-addr.arpa."},
    {"id":"example.org..inside","kind":"Native","name":"example.org..inside"},
    {"id":"sec.example.","kind":"Slave","name":"sec.example."},
    {"id":"cat.example.","kind":"Consumer","name":"cat.example."}])");
  ASSERT_TRUE(zones);
  ASSERT_THAT(*zones, SizeIs(3));
  EXPECT_EQ((*zones)[0].name, name("example.com"));
  EXPECT_TRUE((*zones)[0].is_primary());
  EXPECT_FALSE((*zones)[0].is_secondary());
  EXPECT_TRUE((*zones)[1].is_secondary());
  EXPECT_TRUE((*zones)[2].is_secondary());
}

TEST(ParseZone, KeepsDisabledRecordsAndSkipsSetsThatOnlyHaveComments) {
  const auto sets = parse_zone(R"({"rrsets":[
    {"comments":[{"content":"note"}],"name":"x.example.","records":[],"ttl":0,"type":"TXT"},
    {"comments":[],"name":"_mta-sts.example.","ttl":300,"type":"TXT","records":[
      {"content":"\"v=STSv1; id=1;\"","disabled":false},{"content":"\"off\"","disabled":true}]},
    {"comments":[],"name":"*.example.","ttl":300,"type":"A","records":[
      {"content":"192.0.2.1","disabled":false}]}]})");
  ASSERT_TRUE(sets);
  ASSERT_THAT(*sets, SizeIs(1)) << "neither the comment nor the wildcard";
  EXPECT_EQ(record_sets(*sets), std::vector{txt("_mta-sts.example", {"v=STSv1; id=1;"})});
}

TEST(ParseSearch, GathersSetsByZone) {
  const auto found = parse_search(R"([
    {"content":"\"off\"","disabled":true,"name":"_mta-sts.a.example.","object_type":"record","ttl":60,"type":"TXT","zone":"a.example.","zone_id":"a.example."},
    {"content":"\"v=STSv1; id=1;\"","disabled":false,"name":"_MTA-STS.a.example.","object_type":"record","ttl":300,"type":"TXT","zone":"a.example.","zone_id":"a.example."},
    {"content":"\"v=STSv1; id=2;\"","disabled":false,"name":"_mta-sts.a.example.","object_type":"record","ttl":300,"type":"TXT","zone":"example.","zone_id":"example."},
    {"content":"x.example.","disabled":false,"name":"mta-sts.a.example.","object_type":"record","ttl":5,"type":"ALIAS","zone":"a.example.","zone_id":"a.example."}])");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->records, 4U);
  const auto sets = record_sets(found->zones.at(name("a.example")));
  ASSERT_THAT(sets, SizeIs(2));
  EXPECT_EQ(sets[0], txt("_mta-sts.a.example", {"v=STSv1; id=1;"})) << "TTL of what is served";
  EXPECT_EQ(sets[1].type, dns::Type::other);
  EXPECT_THAT(sets[1].values, IsEmpty());
  EXPECT_EQ(record_sets(found->zones.at(name("example"))),
            std::vector{txt("_mta-sts.a.example", {"v=STSv1; id=2;"})});
}

TEST(ParseSearchable, BelievesOnlyBackendsKnownToSearch) {
  const auto told = [](const std::string& launch) {
    return *parse_searchable(R"([{"name":"api"},{"name":"launch","value":")" + launch + "\"}]");
  };
  EXPECT_TRUE(told("gsqlite3"));
  EXPECT_TRUE(told("gmysql:one, gmysql:two"));
  EXPECT_FALSE(told("lmdb"));
  EXPECT_FALSE(told("gpgsql,lmdb")) << "one zone in the other backend would be missed";
  EXPECT_FALSE(told(""));
  EXPECT_FALSE(*parse_searchable("[]"));
}

TEST(Parse, RefusesWhatIsNotTheApis) {
  for (const std::string text : {
           "",                               // nothing
           "Not Found",                      // plain text
           "{",                              // cut off
           "null",                           // JSON, but no list or object
           R"([1])",                         // no objects
           R"({"rrsets":[{"name":"a."}]})",  // no records
           R"([{"name":"a.","ttl":"x"}])",   // a TTL that is no number
           "[[[[[[[[[[[[[[[[[[[[[[[[[[[[",   // depth
           "\xff\xfe",                       // no UTF-8
       }) {
    EXPECT_FALSE(parse_zones(text)) << text;
    EXPECT_FALSE(parse_zone(text)) << text;
    EXPECT_FALSE(parse_search(text)) << text;
  }
  EXPECT_FALSE(parse_searchable("{}"));
}

TEST(RecordSets, ContentThatCannotBeReadIsLockedAndHidesNothingElse) {
  EXPECT_EQ(record_sets({live("_mta-sts.a.example", "TXT", {{"\"open", false}}),
                         live("mta-sts.a.example", "CNAME", {{"two words.", false}}),
                         live("_mta-sts.b.example", "TXT", {{"\"v=STSv1; id=1;\"", false}})}),
            (std::vector{dns::unreadable_set(name("_mta-sts.a.example"), "TXT"),
                         dns::unreadable_set(name("mta-sts.a.example"), "CNAME"),
                         txt("_mta-sts.b.example", {"v=STSv1; id=1;"})}));
}

TEST(PatchBody, WritesAbsoluteNamesAndQuotedText) {
  const auto cname = *dns::make_record_set(name("mta-sts.example"), dns::Type::cname, Duration(60),
                                           {"policy.example.net"});
  const json sets = rrsets(
      {}, {{std::nullopt, txt("_mta-sts.example", {"say \"hi\\\x01"})}, {std::nullopt, cname}});
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0], json::parse(R"({"changetype":"REPLACE","name":"_mta-sts.example.","type":"TXT",
      "ttl":300,"records":[{"content":"\"say \\\"hi\\\\\\001\"","disabled":false}]})"));
  EXPECT_EQ(sets[1]["records"][0]["content"], "policy.example.net.");
  EXPECT_FALSE(sets[0].contains("comments")) << "an empty list would remove them";
}

TEST(PatchBody, SplitsLongText) {
  const json sets =
      rrsets({}, {{std::nullopt, txt("_smtp._tls.example", {std::string(300, 'a')})}});
  EXPECT_EQ(sets[0]["records"][0]["content"],
            "\"" + std::string(255, 'a') + "\" \"" + std::string(45, 'a') + "\"");
}

TEST(PatchBody, KeepsSpellingAndDisabledRecords) {
  const ApiSet now = live("_mta-sts.example", "TXT",
                          {{"\"v=STSv1; \" \"id=1;\"", false},
                           {"\"foreign\"", false},
                           {"\"off\"", true},
                           {"\"v=STSv1; id=2;\"", true}});
  const json sets = rrsets({now}, {{txt("_mta-sts.example", {"v=STSv1; id=1;", "foreign"}),
                                    txt("_mta-sts.example", {"v=STSv1; id=2;", "foreign"})}});
  EXPECT_EQ(sets[0]["records"], json::parse(R"([{"content":"\"foreign\"","disabled":false},
      {"content":"\"v=STSv1; id=2;\"","disabled":false},{"content":"\"off\"","disabled":true}])"))
      << "no content twice";
  const json same = rrsets({now}, {{txt("_mta-sts.example", {"v=STSv1; id=1;", "foreign"}),
                                    txt("_mta-sts.example", {"v=STSv1; id=1;", "foreign"}, 60)}});
  EXPECT_EQ(same[0]["ttl"], 60);
  EXPECT_EQ(same[0]["records"][1]["content"], "\"v=STSv1; \" \"id=1;\"") << "the cut stays";
}

TEST(PatchBody, RemovesWhatIsServedOnly) {
  const auto before = txt("_mta-sts.example", {"a"});
  EXPECT_EQ(rrsets({live("_mta-sts.example", "TXT", {{"\"a\"", false}})}, {{before, {}}}),
            json::parse(R"([{"changetype":"DELETE","name":"_mta-sts.example.","type":"TXT"}])"));
  const json sets = rrsets({live("_mta-sts.example", "TXT", {{"\"a\"", false}, {"\"off\"", true}})},
                           {{before, {}}});
  EXPECT_EQ(sets[0]["changetype"], "REPLACE");
  EXPECT_EQ(sets[0]["records"], json::parse(R"([{"content":"\"off\"","disabled":true}])"));
}

TEST(PatchBody, RemovalsStandFirst) {
  const auto cname = *dns::make_record_set(name("mta-sts.example"), dns::Type::cname, Duration(300),
                                           {"policy.example.net"});
  const json sets = rrsets({live("mta-sts.example", "CNAME", {{"policy.example.net.", false}})},
                           {{std::nullopt, txt("mta-sts.example", {"x"})}, {cname, std::nullopt}});
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0]["changetype"], "DELETE");
}

TEST(PatchBody, IsEmptyWhenAllIsDone) {
  const auto now = live("_mta-sts.example", "TXT", {{"\"a\"", false}});
  EXPECT_EQ(patch_body({now}, {{std::nullopt, txt("_mta-sts.example", {"a"})}}), "");
  EXPECT_EQ(patch_body({}, {{txt("_mta-sts.example", {"a"}), std::nullopt}}), "");
}

TEST(PatchBody, RefusesTtlsTheApiWouldStoreWrongly) {
  for (const int ttl : {-1, 0}) {
    const auto body = patch_body({}, {{std::nullopt, txt("_mta-sts.example", {"a"}, ttl)}});
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code, Code::invalid);
  }
  auto long_lived = txt("_mta-sts.example", {"a"});
  long_lived.ttl = Duration(0x80000000LL);
  EXPECT_FALSE(patch_body({}, {{std::nullopt, long_lived}}));
}

TEST(ErrorText, ReadsJsonAndPlainText) {
  EXPECT_EQ(error_text(R"({"error":"RRset x: Conflicts with pre-existing RRset"})"),
            "RRset x: Conflicts with pre-existing RRset");
  EXPECT_EQ(error_text("Unauthorized\n"), "Unauthorized");
  EXPECT_EQ(error_text(std::string(1000, 'x')).size(), 303U);
  EXPECT_EQ(error_text("a\x1b[31m"), "a\\x1B[31m");
}

}  // namespace
}  // namespace stsctl::providers::powerdns
