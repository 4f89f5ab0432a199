// The XML of Route 53, its names and TXT values, and the order of its listings, by tables.
#include "providers/aws/route53_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/aws/poll.h"
#include "providers/aws/route53_order.h"

namespace stsctl::providers::aws {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

std::string in_namespace(const std::string& root, const std::string& content) {
  return "<?xml version=\"1.0\"?>\n<" + root +
         " xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">" + content + "</" + root + ">";
}

std::string zone_list(const std::string& content) {
  return in_namespace("ListHostedZonesByNameResponse", content);
}

std::string set_list(const std::string& sets,
                     const std::string& rest = "<IsTruncated>false</IsTruncated>") {
  return in_namespace("ListResourceRecordSetsResponse",
                      "<ResourceRecordSets>" + sets + "</ResourceRecordSets>" + rest);
}

std::string one_set(const std::string& content) {
  return "<ResourceRecordSet>" + content + "</ResourceRecordSet>";
}

std::string plain(const std::string& type, const std::string& value) {
  return one_set("<Name>a.example.com.</Name><Type>" + type +
                 "</Type><TTL>300</TTL><ResourceRecords><ResourceRecord><Value>" + value +
                 "</Value></ResourceRecord></ResourceRecords>");
}

TEST(Route53Wire, ReadsAPageOfZones) {
  const auto page = parse_zones(zone_list(
      "<HostedZones>"
      "<HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name><CallerReference>x"
      "</CallerReference><Config><Comment>a &amp; b</Comment><PrivateZone>false</PrivateZone>"
      "</Config></HostedZone>"
      "<HostedZone><Id>Z2</Id><Name>0\\057.example.</Name><Config><PrivateZone>true</PrivateZone>"
      "</Config><LinkedService><ServicePrincipal>servicediscovery.amazonaws.com"
      "</ServicePrincipal></LinkedService></HostedZone>"
      "</HostedZones><IsTruncated>true</IsTruncated><NextDNSName>next.example.</NextDNSName>"
      "<NextHostedZoneId>/hostedzone/Z3</NextHostedZoneId><MaxItems>2</MaxItems>"));
  ASSERT_TRUE(page) << to_string(page.error());
  EXPECT_THAT(page->zones, ElementsAre(HostedZone{"Z1", "example.com.", false, ""},
                                       HostedZone{"Z2", "0\\057.example.", true,
                                                  "servicediscovery.amazonaws.com"}));
  EXPECT_EQ(page->next, (ZoneMarker{"next.example.", "Z3"}));
  const auto last = parse_zones(
      zone_list("<HostedZones/><IsTruncated>false</IsTruncated><MaxItems>2</MaxItems>"));
  ASSERT_TRUE(last);
  EXPECT_THAT(last->zones, IsEmpty());
  EXPECT_FALSE(last->next);
}

TEST(Route53Wire, ReadsAPageOfRecordSets) {
  const auto page = parse_record_sets(set_list(
      one_set("<Name>_mta-sts.example.com.</Name><Type>TXT</Type><TTL>300</TTL><ResourceRecords>"
              "<ResourceRecord><Value>\"v=STSv1; id=1;\"</Value></ResourceRecord>"
              "<ResourceRecord><Value>\"a &lt; b\"</Value></ResourceRecord></ResourceRecords>"),
      "<IsTruncated>true</IsTruncated><NextRecordName>b.example.com.</NextRecordName>"
      "<NextRecordType>A</NextRecordType><NextRecordIdentifier>one</NextRecordIdentifier>"));
  ASSERT_TRUE(page) << to_string(page.error());
  EXPECT_THAT(
      page->sets,
      ElementsAre(ApiSet{
          "_mta-sts.example.com.", "TXT", Duration(300), {"\"v=STSv1; id=1;\"", "\"a < b\""}, ""}));
  EXPECT_EQ(page->next, (RecordMarker{"b.example.com.", "A", "one"}));
}

TEST(Route53Wire, SetsThatAreMoreThanPlainAreLocked) {
  struct Case {
    const char* content;
    const char* said;
  };
  for (const Case& one : std::vector<Case>{
           {"<Type>A</Type><AliasTarget><HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId>"
            "<DNSName>d111.cloudfront.net.</DNSName></AliasTarget>",
            "an alias (A) for d111.cloudfront.net."},
           {"<Type>TXT</Type><SetIdentifier>x</SetIdentifier><Weight>0</Weight><TTL>60</TTL>",
            "TXT records under a weighted routing policy"},
           {"<Type>A</Type><SetIdentifier>x</SetIdentifier><Region>eu-west-1</Region>"
            "<AliasTarget/>",
            "A records under a latency routing policy"},
           {"<Type>A</Type><SetIdentifier>x</SetIdentifier><Failover>PRIMARY</Failover>",
            "A records under a failover routing policy"},
           {"<Type>A</Type><SetIdentifier>x</SetIdentifier><GeoLocation/>",
            "A records under a geolocation routing policy"},
           {"<Type>A</Type><SetIdentifier>x</SetIdentifier><MultiValueAnswer>true"
            "</MultiValueAnswer>",
            "A records under a multivalue answer routing policy"},
           {"<Type>A</Type><SetIdentifier>x</SetIdentifier><CidrRoutingConfig/>",
            "A records under an IP-based routing policy"},
           {"<Type>A</Type><SetIdentifier>x</SetIdentifier>",
            "A records under some routing policy"},
           {"<Type>A</Type><TTL>60</TTL><TrafficPolicyInstanceId>t</TrafficPolicyInstanceId>",
            "A records of a traffic policy"},
           {"<Type>A</Type><TTL>60</TTL><HealthCheckId>h</HealthCheckId>",
            "A records with a health check"}}) {
    const auto page = parse_record_sets(
        set_list(one_set("<Name>a.example.com.</Name>" + std::string(one.content))));
    ASSERT_TRUE(page) << one.content;
    const dns::RecordSet set = record_set(page->sets.at(0), name("a.example.com"));
    EXPECT_EQ(set.type, dns::Type::locked) << one.content;
    EXPECT_THAT(set.values, ElementsAre(one.said));
  }
}

TEST(Route53Wire, SetsAreCanonical) {
  struct Case {
    const char* type;
    const char* stored;
    dns::Type wanted;
    std::vector<std::string> values;
  };
  for (const Case& one : std::vector<Case>{
           {"TXT", "\"a\" \"b\"", dns::Type::txt, {"ab"}},
           {"CNAME", "Host.Example.NET.", dns::Type::cname, {"host.example.net"}},
           {"CNAME", "\\137host.example.net", dns::Type::cname, {"_host.example.net"}},
           {"AAAA", "2001:DB8:0::1", dns::Type::aaaa, {"2001:db8::1"}},
           {"MX", "10 Mail.example.com.", dns::Type::mx, {"10 mail.example.com"}},
           {"CAA", "0 issue \"ca.example\"", dns::Type::other, {}},
           // What cannot be read stops only who would write there.
           {"CNAME", "a\\057b.example", dns::Type::locked, {"CNAME records that cannot be read"}},
           {"TXT", "\"open", dns::Type::locked, {"TXT records that cannot be read"}}}) {
    const auto page = parse_record_sets(set_list(plain(one.type, one.stored)));
    ASSERT_TRUE(page) << one.stored;
    const dns::RecordSet set = record_set(page->sets.at(0), name("a.example.com"));
    EXPECT_EQ(set.type, one.wanted) << one.stored;
    EXPECT_EQ(set.values, one.values) << one.stored;
  }
}

TEST(Route53Wire, WhatIsNoAnswerIsAProtocolError) {
  for (const std::string& bad : std::vector<std::string>{
           "", "no xml", "<html><body>502</body></html>", "{}", zone_list(""),
           zone_list("<HostedZones/>"),
           zone_list("<HostedZones><HostedZone><Name>a.</Name></HostedZone></HostedZones>"
                     "<IsTruncated>false</IsTruncated>"),
           zone_list("<HostedZones><HostedZone><Id>Z?x</Id><Name>a.</Name></HostedZone>"
                     "</HostedZones><IsTruncated>false</IsTruncated>"),
           zone_list("<HostedZones/><IsTruncated>true</IsTruncated>"),
           zone_list("<HostedZones/><IsTruncated>false</IsTruncated>").substr(0, 120),
           set_list("")}) {
    const auto page = parse_zones(bad);
    ASSERT_FALSE(page) << bad;
    EXPECT_EQ(page.error().code, Code::protocol);
  }
  for (const std::string& bad : std::vector<std::string>{
           "", zone_list("<HostedZones/><IsTruncated>false</IsTruncated>"), set_list(one_set("")),
           set_list(one_set("<Name>a.</Name><Type>TXT</Type>")),
           set_list(one_set("<Name>a.</Name><Type>TXT</Type><TTL>x</TTL><ResourceRecords/>")),
           set_list(one_set("<Name>a.</Name><Type>TXT</Type><TTL>-1</TTL><ResourceRecords>"
                            "<ResourceRecord><Value>\"a\"</Value></ResourceRecord>"
                            "</ResourceRecords>")),
           set_list(one_set("<Name>a.</Name><Type>TXT</Type><TTL>1</TTL>")),
           set_list("", "<IsTruncated>true</IsTruncated>"), set_list("", ""),
           set_list(plain("TXT", "\"a\"")).substr(0, 200)}) {
    const auto page = parse_record_sets(bad);
    ASSERT_FALSE(page) << bad;
    EXPECT_EQ(page.error().code, Code::protocol);
  }
}

TEST(Route53Wire, ReadsAChange) {
  const std::string info =
      "<ChangeInfo><Id>/change/C123</Id><Status>PENDING</Status><SubmittedAt>x</SubmittedAt>"
      "</ChangeInfo>";
  const auto change = parse_change(in_namespace("ChangeResourceRecordSetsResponse", info));
  ASSERT_TRUE(change);
  EXPECT_EQ(change->id, "C123");
  EXPECT_FALSE(change->in_sync);
  EXPECT_TRUE(parse_change(in_namespace("GetChangeResponse",
                                        "<ChangeInfo><Id>C1</Id><Status>INSYNC</Status>"
                                        "</ChangeInfo>"))
                  ->in_sync);
  for (const std::string& bad : std::vector<std::string>{
           "", "<a/>", in_namespace("GetChangeResponse", ""),
           in_namespace("GetChangeResponse", "<ChangeInfo><Status>INSYNC</Status></ChangeInfo>"),
           in_namespace("GetChangeResponse",
                        "<ChangeInfo><Id>C1</Id><Status>LATER</Status></ChangeInfo>"),
           in_namespace("GetChangeResponse",
                        "<ChangeInfo><Id>a/../b c</Id><Status>INSYNC</Status></ChangeInfo>")})
    EXPECT_FALSE(parse_change(bad)) << bad;
}

TEST(Route53Wire, TxtGoesThereAndBack) {
  struct Case {
    std::string value;
    std::string stored;
  };
  for (const Case& one :
       std::vector<Case>{{"", "\"\""},
                         {"v=STSv1; id=1;", "\"v=STSv1; id=1;\""},
                         {"a\"b\\c", R"("a\"b\\c")"},
                         {std::string("\x00\t\x7f\xff", 4), R"("\000\011\177\377")"},
                         {"m\xc3\xbcnchen", R"("m\303\274nchen")"},
                         {std::string(255, 'a'), '"' + std::string(255, 'a') + '"'},
                         {std::string(300, 'a'),
                          '"' + std::string(255, 'a') + "\" \"" + std::string(45, 'a') + '"'}}) {
    EXPECT_EQ(encode_api_txt(one.value), one.stored);
    EXPECT_EQ(decode_api_txt(one.stored).value_or("?"), one.value);
  }
}

TEST(Route53Wire, OtherSpellingsOfTxtAreReadToo) {
  struct Case {
    const char* stored;
    std::string value;
  };
  for (const Case& one :
       std::vector<Case>{{R"("\040\101")", " A"},     // octal, not decimal as in master files
                         {R"("\400\8\x")", "4008x"},  // no byte: the backslash just goes
                         {R"("a""b")", "ab"},         // no blank between
                         {"  \"a\"\t\"b\"  ", "ab"},  // more than one
                         {"\"a\\", "?"},              // an open quote
                         {R"("a\")", "?"},
                         {"\"", "?"}})
    EXPECT_EQ(decode_api_txt(one.stored).value_or("?"), one.value) << one.stored;
}

TEST(Route53Order, IsThatOfTheService) {
  EXPECT_EQ(order_key("WWW.example.com."), "com.example.www.");
  EXPECT_EQ(order_key("example.com"), "com.example.");
  const std::vector<std::string> sorted{"example-a.com.",  // '-' comes before the final dot
                                        "example.com.",          "\\052.example.com.",
                                        "_mta-sts.example.com.", "_smtp._tls.example.com.",
                                        "a.example.com.",        "mta-sts.example.com."};
  for (std::size_t i = 1; i < sorted.size(); ++i)
    EXPECT_LT(order_key(sorted[i - 1]), order_key(sorted[i])) << sorted[i];
}

TEST(Route53Order, ASweepBeginsEachPageAtTheNextWantedName) {
  Sweep sweep({name("mta-sts.example.com"), name("_smtp._tls.example.com"),
               name("_mta-sts.example.com"), name("_mta-sts.example.com")});
  EXPECT_EQ(sweep.left(), 3U);
  EXPECT_EQ(sweep.next(), name("_mta-sts.example.com"));
  EXPECT_TRUE(sweep.pass({"_mta-sts.example.com.", "_sip._tcp.example.com."}, "b.example.com."));
  EXPECT_EQ(sweep.left(), 1U);
  EXPECT_EQ(sweep.next(), name("mta-sts.example.com"));
  EXPECT_FALSE(sweep.goes_on_at("b.example.com."));
  EXPECT_TRUE(sweep.pass({"mta-sts.example.com."}, "mta-sts.example.com."));
  EXPECT_EQ(sweep.left(), 1U) << "its sets go on in the next page";
  EXPECT_TRUE(sweep.goes_on_at("mta-sts.example.com."));
  EXPECT_TRUE(sweep.pass({"mta-sts.example.com."}, ""));
  EXPECT_EQ(sweep.left(), 0U);
}

TEST(Route53Order, AListingInAnotherOrderIsNotBelieved) {
  struct Case {
    std::vector<std::string> names;
    const char* until;
  };
  for (const Case& one :
       std::vector<Case>{{{"a.example.com."}, ""},                    // before the beginning
                         {{"n.example.com.", "m.example.com."}, ""},  // not sorted
                         {{"n.example.com."}, "m.example.com."},      // ends before its last
                         {{}, "z.example.com."}}) {                   // empty, yet goes on
    Sweep sweep({name("m.example.com"), name("x.example.com")});
    const auto passed = sweep.pass(one.names, one.until);
    ASSERT_FALSE(passed) << one.until;
    EXPECT_EQ(passed.error().code, Code::protocol);
  }
}

TEST(Route53Poll, GrowsFromHalfASecondToTen) {
  using std::chrono::milliseconds;
  const std::vector<io::Rate> rates = *io::parse_rates("50/5s");
  std::vector<milliseconds> delays;
  for (std::size_t asked = 1; asked <= 7; ++asked)
    delays.push_back(poll_delay(asked, 1, rates));
  EXPECT_THAT(delays, ElementsAre(milliseconds(500), milliseconds(1000), milliseconds(2000),
                                  milliseconds(4000), milliseconds(8000), milliseconds(10000),
                                  milliseconds(10000)));
  // 100 that wait take half of ten requests a second.
  EXPECT_EQ(poll_delay(1, 100, rates), milliseconds(20000));
  EXPECT_EQ(poll_delay(1, 100, {}), milliseconds(500));
  EXPECT_EQ(most_waiting(rates), 300U);
  EXPECT_EQ(most_waiting(*io::parse_rates("5/s")), 150U);
  EXPECT_EQ(most_waiting({}), 300U);
  EXPECT_EQ(most_waiting(*io::parse_rates("1/m")), 1U);
  EXPECT_EQ(polls_until(std::chrono::seconds(60), 1, rates), 10U);
  EXPECT_EQ(polls_until(std::chrono::seconds(60), 300, rates), 1U);
}

}  // namespace
}  // namespace stsctl::providers::aws
