#include "providers/aws/route53_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::providers::aws {
namespace {

using plan::RecordEdit;
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

ApiSet stored(const std::string& owner, std::vector<std::string> values, int ttl = 300) {
  return {owner + ".", "TXT", Duration(ttl), std::move(values), ""};
}

std::string body(const std::vector<ApiSet>& live, const std::vector<RecordEdit>& edits) {
  const auto wanted = swaps(live, edits);
  if (!wanted) return to_string(wanted.error());
  const auto made = batches(*wanted);
  if (!made) return to_string(made.error());
  std::string all;
  for (const Batch& batch : *made)
    all += batch.body;
  return all;
}

TEST(Route53Change, IsADeleteOfWhatIsStoredAndACreate) {
  const std::string owner = "_mta-sts.example.com";
  EXPECT_EQ(body({stored(owner, {R"("v=STSv1;" " id=1;")"}, 60)},
                 {{txt(owner, {"v=STSv1; id=1;"}, 60), txt(owner, {"v=STSv1; id=2;"})}}),
            "<?xml version=\"1.0\"?><ChangeResourceRecordSetsRequest "
            "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/"
            "\"><ChangeBatch><Comment>stsctl</Comment><Changes>"
            "<Change><Action>DELETE</Action><ResourceRecordSet><Name>_mta-sts.example.com.</Name>"
            "<Type>TXT</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>"
            "\"v=STSv1;\" \" id=1;\"</Value></ResourceRecord></ResourceRecords>"
            "</ResourceRecordSet></Change>"
            "<Change><Action>CREATE</Action><ResourceRecordSet><Name>_mta-sts.example.com.</Name>"
            "<Type>TXT</Type><TTL>300</TTL><ResourceRecords><ResourceRecord><Value>"
            "\"v=STSv1; id=2;\"</Value></ResourceRecord></ResourceRecords>"
            "</ResourceRecordSet></Change></Changes></ChangeBatch>"
            "</ChangeResourceRecordSetsRequest>");
}

TEST(Route53Change, ValuesThatStayKeepTheirSpelling) {
  const std::string text =
      body({stored("t.example.com", {R"("\153ept")", "\"goes\""})},
           {{txt("t.example.com", {"kept", "goes"}), txt("t.example.com", {"kept", "comes"})}});
  const std::string created = text.substr(text.find("CREATE"));
  EXPECT_THAT(created, HasSubstr(R"(<Value>"\153ept"</Value>)"));
  EXPECT_THAT(created, HasSubstr("<Value>\"comes\"</Value>"));
}

TEST(Route53Change, RemovalsStandFirst) {
  const auto cname = *dns::make_record_set(name("mta-sts.example.com"), dns::Type::cname,
                                           Duration(300), {"policy.example.net"});
  const auto address =
      *dns::make_record_set(name("mta-sts.example.com"), dns::Type::a, Duration(60), {"192.0.2.1"});
  const std::string text =
      body({{"mta-sts.example.com.", "CNAME", Duration(300), {"policy.example.net"}, ""}},
           {{std::nullopt, address}, {cname, std::nullopt}});
  EXPECT_LT(text.find("<Value>policy.example.net</Value>"), text.find("<Value>192.0.2.1</Value>"));
  EXPECT_THAT(body({}, {{std::nullopt, cname}}), HasSubstr("<Value>policy.example.net.</Value>"));
}

TEST(Route53Change, WhatIsDoneIsLeftOut) {
  const std::string owner = "_mta-sts.example.com";
  const auto done = swaps({stored(owner, {"\"b\""})}, {{txt(owner, {"a"}), txt(owner, {"b"})}});
  ASSERT_TRUE(done);
  EXPECT_THAT(*done, IsEmpty());
  const auto gone = swaps({}, {{txt(owner, {"a"}), std::nullopt}});
  ASSERT_TRUE(gone);
  EXPECT_THAT(*gone, IsEmpty());
  EXPECT_THAT(*batches({}), IsEmpty());
}

TEST(Route53Change, LockedSetsAreNotReplaced) {
  ApiSet locked = stored("_mta-sts.example.com", {"\"a\""});
  locked.locked = "TXT records under a weighted routing policy";
  const auto refused =
      swaps({locked}, {{std::nullopt, txt("_mta-sts.example.com", {"v=STSv1; id=1;"})}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::refused);
  EXPECT_THAT(refused.error().what, HasSubstr("weighted"));
}

TEST(Route53Change, WhatTheServiceNeverTakesIsRefusedBefore) {
  for (const dns::RecordSet& bad :
       {txt("a.example.com", {"x"}, -1), txt("a.example.com", {std::string(4000, 'x')})}) {
    const auto refused = swaps({}, {{std::nullopt, bad}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
  }
}

std::vector<RecordEdit> many(std::size_t count, const std::string& value) {
  std::vector<RecordEdit> edits;
  for (std::size_t i = 0; i < count; ++i)
    edits.push_back({std::nullopt, txt("n" + std::to_string(i) + ".example.com", {value})});
  return edits;
}

TEST(Route53Change, ABatchStaysWithinTheLimits) {
  EXPECT_THAT(*batches(*swaps({}, many(1000, "x"))), SizeIs(1));
  const auto two = batches(*swaps({}, many(1001, "x")));
  ASSERT_THAT(*two, SizeIs(2));
  EXPECT_THAT((*two)[0].swaps, SizeIs(1000));
  // 32,000 characters are 32 values of 989 with their quotes and the blanks between.
  EXPECT_THAT(*batches(*swaps({}, many(32, std::string(989, 'x')))), SizeIs(1));
  EXPECT_THAT(*batches(*swaps({}, many(33, std::string(989, 'x')))), SizeIs(2));
  // A change counts what goes and what comes.
  std::vector<ApiSet> live;
  std::vector<RecordEdit> edits;
  for (std::size_t i = 0; i < 501; ++i) {
    const std::string owner = "n" + std::to_string(i) + ".example.com";
    live.push_back(stored(owner, {"\"x\""}));
    edits.push_back({txt(owner, {"x"}), txt(owner, {"y"})});
  }
  EXPECT_THAT(*batches(*swaps(live, edits)), SizeIs(2));
}

TEST(Route53Change, WhatStandsAtOneNameIsNeverParted) {
  std::vector<std::string> values;
  for (int i = 0; i < 600; ++i)
    values.push_back(std::to_string(i));
  std::vector<RecordEdit> edits = many(700, "x");
  edits.push_back({std::nullopt, txt("t.example.com", values)});
  const auto made = batches(*swaps({}, edits));
  ASSERT_TRUE(made);
  ASSERT_THAT(*made, SizeIs(2));
  EXPECT_THAT((*made)[1].swaps, SizeIs(1));
  const auto too_many = batches(*swaps({stored("t.example.com", values)},
                                       {{std::nullopt, txt("t.example.com", values, 60)}}));
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().code, Code::invalid);
  EXPECT_EQ(too_many.error().where, "t.example.com.");
}

TEST(Route53Change, TextIsEscapedForXml) {
  EXPECT_THAT(body({}, {{std::nullopt, txt("a.example.com", {"a<b>&c]]>"})}}),
              HasSubstr("<Value>\"a&lt;b&gt;&amp;c]]&gt;\"</Value>"));
}

}  // namespace
}  // namespace stsctl::providers::aws
