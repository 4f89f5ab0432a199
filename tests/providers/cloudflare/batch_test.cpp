#include "providers/cloudflare/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stsctl::providers::cloudflare {
namespace {

using nlohmann::json;
using plan::RecordEdit;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t limit = 200;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

dns::RecordSet set(dns::Type type, const std::string& owner, std::vector<std::string> values,
                   int ttl = 300) {
  return *dns::make_record_set(name(owner), type, Duration(ttl), std::move(values));
}

dns::RecordSet txt(const std::string& owner, std::vector<std::string> values, int ttl = 300) {
  return set(dns::Type::txt, owner, std::move(values), ttl);
}

Record live(const std::string& id, const std::string& type, const std::string& owner,
            const std::string& content, int ttl = 300) {
  return {.id = id, .owner = name(owner), .type = type, .content = content, .ttl = Duration(ttl)};
}

Record with(Record record, bool Record::* flag) {
  record.*flag = true;
  return record;
}

// The one batch that the edits need.
json body(const std::vector<Record>& records, const std::vector<RecordEdit>& edits,
          const RecordStyle& style = {}) {
  const auto bodies = batches(records, edits, limit, style);
  EXPECT_TRUE(bodies) << to_string(bodies.error());
  EXPECT_THAT(*bodies, SizeIs(1));
  return json::parse(bodies->front());
}

TEST(CloudflareBatches, WriteQuotedTextAndWholeNames) {
  EXPECT_EQ(body({}, {{{}, txt("_mta-sts.example.com", {"say \"hi\"\\\x01"})}}),
            json::parse(R"({"posts":[{"type":"TXT","name":"_mta-sts.example.com","ttl":300,
                            "content":"\"say \\\"hi\\\"\\\\\\001\""}]})"));
  EXPECT_EQ(body({}, {{{}, txt("a.example", {std::string(300, 'a')}, 0)}})["posts"][0]["content"],
            "\"" + std::string(255, 'a') + "\" \"" + std::string(45, 'a') + "\"");
}

TEST(CloudflareBatches, AutomaticIsOneOnTheWire) {
  EXPECT_EQ(body({}, {{{}, txt("a.example", {"x"}, 0)}})["posts"][0]["ttl"], 1);
}

TEST(CloudflareBatches, ChangeARecordInPlaceAndTouchNoComment) {
  const auto edit = RecordEdit{txt("_mta-sts.example.com", {"v=STSv1; id=1;"}),
                               txt("_mta-sts.example.com", {"v=STSv1; id=2;"})};
  const Record old = live("0a", "TXT", "_mta-sts.example.com", "v=STSv1; id=1;");
  const json patch = json::parse(R"({"id":"0a","type":"TXT","name":"_mta-sts.example.com",
                                     "ttl":300,"content":"\"v=STSv1; id=2;\""})");
  EXPECT_EQ(body({old}, {edit}), json({{"patches", {patch}}}));
  json marked = patch;
  marked["comment"] = "stsctl";
  EXPECT_EQ(body({old}, {edit}, {{}, "stsctl"}), json({{"patches", {marked}}}));
  EXPECT_EQ(body({with(old, &Record::commented)}, {edit}, {{}, "stsctl"}),
            json({{"patches", {patch}}}))
      << "somebody else's comment stays";
}

TEST(CloudflareBatches, KeepTheSpellingOfWhatStays) {
  const std::vector<Record> records{live("0a", "TXT", "a.example", "\"v=STSv1; \" \"id=1;\""),
                                    live("0b", "TXT", "a.example", "foreign"),
                                    live("0c", "TXT", "a.example", "old")};
  const json all = body(records, {{txt("a.example", {"v=STSv1; id=1;", "foreign", "old"}),
                                   txt("a.example", {"v=STSv1; id=1;", "foreign", "new"})}});
  ASSERT_EQ(all["patches"].size(), 1U);
  EXPECT_EQ(all["patches"][0]["id"], "0c");
  const json ttl =
      body({records[0]},
           {{txt("a.example", {"v=STSv1; id=1;"}), txt("a.example", {"v=STSv1; id=1;"}, 600)}});
  EXPECT_EQ(ttl["patches"][0]["content"], "\"v=STSv1; \" \"id=1;\"");
  EXPECT_EQ(ttl["patches"][0]["ttl"], 600);
}

TEST(CloudflareBatches, OneOfSeveralBecomesTheOnlyOne) {
  const json all =
      body({live("0a", "TXT", "a.example", "\"1\""), live("0b", "TXT", "a.example", "\"2\""),
            live("0c", "TXT", "a.example", "3")},
           {{txt("a.example", {"1", "2", "3"}), txt("a.example", {"4"})}});
  EXPECT_EQ(all["patches"].size(), 1U);
  EXPECT_EQ(all["deletes"], json::parse(R"([{"id":"0b"},{"id":"0c"}])"));
  EXPECT_FALSE(all.contains("posts"));
}

TEST(CloudflareBatches, ADoubleOfAnotherSpellingGoesWithTheNextChange) {
  const json all =
      body({live("0a", "TXT", "a.example", "x"), live("0b", "TXT", "a.example", "\"x\"")},
           {{txt("a.example", {"x"}), txt("a.example", {"x"}, 60)}});
  EXPECT_EQ(all["patches"].size(), 1U);
  EXPECT_EQ(all["deletes"], json::parse(R"([{"id":"0b"}])"));
}

TEST(CloudflareBatches, AreNoneWhenAllIsDone) {
  EXPECT_THAT(*batches({live("0a", "TXT", "a.example", "x")},
                       {{{}, txt("a.example", {"x"})}, {txt("b.example", {"y"}), {}}}, limit, {}),
              IsEmpty());
}

TEST(CloudflareBatches, ACnameMakesWayForAddresses) {
  const Record alias =
      with(live("0a", "CNAME", "mta-sts.example", "old.example", 0), &Record::proxied);
  const std::vector<RecordEdit> edits{
      {set(dns::Type::cname, "mta-sts.example", {"old.example"}, 0), {}},
      {{}, set(dns::Type::a, "mta-sts.example", {"192.0.2.1"}, 3600)},
      {{}, set(dns::Type::aaaa, "mta-sts.example", {"2001:db8::1"}, 3600)}};
  const auto stored = storable({alias}, edits, {});
  ASSERT_TRUE(stored);
  const json all = body({alias}, *stored);
  EXPECT_EQ(all["deletes"], json::parse(R"([{"id":"0a"}])"));
  ASSERT_EQ(all["posts"].size(), 2U);
  for (const json& post : all["posts"]) {
    EXPECT_EQ(post["proxied"], true) << "as it was";
    EXPECT_EQ(post["ttl"], 1) << "as the proxy wants it";
  }
  const json plain = body({alias}, *storable({alias}, edits, {false, {}}), {false, {}});
  EXPECT_EQ(plain["posts"][0]["proxied"], false);
  EXPECT_EQ(plain["posts"][0]["ttl"], 3600);
}

TEST(CloudflareBatches, ProxiedIsAskedForOrStays) {
  const Record plain = live("0a", "A", "mta-sts.example", "192.0.2.1");
  const RecordEdit edit{set(dns::Type::a, "mta-sts.example", {"192.0.2.1"}),
                        set(dns::Type::a, "mta-sts.example", {"192.0.2.2"})};
  EXPECT_EQ(body({plain}, {edit})["patches"][0]["proxied"], false);
  EXPECT_EQ(body({plain}, *storable({plain}, {edit}, {true, {}}), {true, {}})["patches"][0]["ttl"],
            1);
  EXPECT_FALSE(
      body({}, {{{}, txt("a.example", {"x"})}}, {true, {}})["posts"][0].contains("proxied"))
      << "only addresses have a proxy";
}

TEST(CloudflareBatches, MxKeepsItsPriorityApart) {
  const json post =
      body({}, {{{}, set(dns::Type::mx, "a.example", {"10 mail.example"})}})["posts"][0];
  EXPECT_EQ(post["priority"], 10);
  EXPECT_EQ(post["content"], "mail.example");
}

TEST(CloudflareBatches, OfOneOwnerStayTogether) {
  std::vector<Record> records;
  std::vector<RecordEdit> edits;
  for (int i = 0; i < 150; ++i) {
    const std::string owner = "mta-sts.d" + std::to_string(i) + ".example";
    records.push_back(live("0a" + std::to_string(i), "CNAME", owner, "old.example"));
    edits.push_back({set(dns::Type::cname, owner, {"old.example"}), {}});
    edits.push_back({{}, set(dns::Type::a, owner, {"192.0.2.1", "192.0.2.2"})});
  }
  const auto bodies = batches(records, edits, limit, {});
  ASSERT_TRUE(bodies);
  EXPECT_THAT(*bodies, SizeIs(3));
  for (const std::string& text : *bodies) {
    const json all = json::parse(text);
    EXPECT_LE(all["deletes"].size() + all["posts"].size(), limit);
    EXPECT_EQ(all["posts"].size(), 2 * all["deletes"].size());
  }
}

TEST(CloudflareBatches, LeaveAloneWhatAnotherProductKeeps) {
  const Record locked = with(live("0a", "TXT", "a.example", "x"), &Record::read_only);
  for (const RecordEdit& edit : {RecordEdit{txt("a.example", {"x"}), txt("a.example", {"y"})},
                                 RecordEdit{txt("a.example", {"x"}), txt("a.example", {"x"}, 60)},
                                 RecordEdit{txt("a.example", {"x"}), {}}}) {
    const auto refused = batches({locked}, {edit}, limit, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::refused);
    EXPECT_THAT(refused.error().what, HasSubstr("TXT record of a.example"));
  }
  EXPECT_TRUE(
      batches({locked}, {{txt("a.example", {"x"}), txt("a.example", {"x", "y"})}}, limit, {}))
      << "another record may stand beside it";
}

TEST(CloudflareStorable, RefusesTtlsThatMeanSomethingElse) {
  for (const int ttl : {1, 29, 86401, -1}) {
    const auto stored = storable({}, {{{}, txt("a.example", {"x"}, ttl)}}, {});
    ASSERT_FALSE(stored) << ttl;
    EXPECT_EQ(stored.error().code, Code::invalid);
  }
  for (const int ttl : {0, 30, 86400})
    EXPECT_TRUE(storable({}, {{{}, txt("a.example", {"x"}, ttl)}}, {})) << ttl;
}

TEST(CloudflareStorable, SaysThatAProxiedTtlCannotChange) {
  const Record record = with(live("0a", "A", "a.example", "192.0.2.1", 0), &Record::proxied);
  const RecordEdit edit{set(dns::Type::a, "a.example", {"192.0.2.1"}, 0),
                        set(dns::Type::a, "a.example", {"192.0.2.1"}, 3600)};
  const auto stored = storable({record}, {edit}, {});
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, Code::invalid);
  EXPECT_THAT(stored.error().what, HasSubstr("proxy"));
  EXPECT_TRUE(storable({record}, {edit}, {false, {}})) << "the proxy is to go";
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
