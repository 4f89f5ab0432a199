#include <algorithm>

#include <gtest/gtest.h>

#include "providers/zonefile/serial.h"
#include "providers/zonefile/zone.h"

namespace stsctl::providers::zonefile {
namespace {

const dns::Name zone_name = *dns::Name::parse("example.com");
const dns::Name owner = *dns::Name::parse("_mta-sts.example.com");
const Time now = *parse_time("2026-11-24T08:00:00Z");
const std::string soa = "@ 1h IN SOA a b 2026010101 1 1 1 1\n";

Result<Zone> zone_of(const std::string& text) {
  return read_zone(zone_name, "z", [&](const std::string&) -> Result<std::string> { return text; });
}

dns::RecordSet txt(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return {owner, dns::Type::txt, Duration{300}, std::move(values)};
}

std::string edited(const std::string& text, const plan::RecordEdit& edit) {
  const auto zone = zone_of(text);
  const auto texts = zone ? edit_zone(*zone, {edit}, now) : fail(zone);
  return texts ? texts->at("z") : to_string(texts.error());
}

TEST(Editor, ReplacesInPlaceAndKeepsTheRest) {
  EXPECT_EQ(edited("; kept\n$TTL 1h\n" + soa +
                       "_mta-sts 300 IN TXT ( \"v=STSv1; id=a\" ) ; mine\nx A 192.0.2.1\n",
                   {std::nullopt, txt({"v=STSv1; id=b"})}),
            "; kept\n$TTL 1h\n@ 1h IN SOA a b 2026112400 1 1 1 1\n"
            "_mta-sts 300 IN TXT \"v=STSv1; id=b\" ; mine\nx A 192.0.2.1\n");
}

TEST(Editor, RemovingNamesTheOwnerThatLaterRecordsInherit) {
  const std::string text = edited("$TTL 5m\n" + soa + "_mta-sts TXT a\n TXT b\n TXT keep\n",
                                  {std::nullopt, txt({"keep"})});
  EXPECT_NE(text.find("_mta-sts.example.com. TXT keep"), std::string::npos) << text;
}

TEST(Editor, AddsWhereTheNextLineIsRemoved) {
  const auto zone =
      zone_of("$TTL 1h\n" + soa + "_mta-sts TXT a\nmta-sts A 192.0.2.1\nx A 192.0.2.2\n");
  const dns::Name host = *dns::Name::parse("mta-sts.example.com");
  const auto texts = edit_zone(
      *zone,
      {{dns::RecordSet{host, dns::Type::a, Duration{3600}, {"192.0.2.1"}}, std::nullopt},
       {std::nullopt, dns::RecordSet{host, dns::Type::cname, Duration{300}, {"p.example"}}}},
      now);
  ASSERT_TRUE(texts) << to_string(texts.error());
  EXPECT_NE(texts->at("z").find("_mta-sts TXT a\nmta-sts.example.com.\t300\tIN\tCNAME\tp.example.\n"
                                "x A 192.0.2.2\n"),
            std::string::npos)
      << texts->at("z");
}

TEST(Editor, AddsAtTheEnd) {
  EXPECT_NE(edited("$TTL 1h\n" + soa + "x A 192.0.2.1", {std::nullopt, txt({"v"})})
                .find("192.0.2.1\n_mta-sts.example.com.\t300\tIN\tTXT\t\"v\"\n"),
            std::string::npos);
}

TEST(Zone, WithoutAnSoaIsNotReadAsEmpty) {
  for (const char* text : {"", "; only a comment\n", "x.example.com. 1 IN A 192.0.2.1\n"})
    EXPECT_FALSE(zone_of(text)) << text;
}

TEST(Zone, ReadsEverySpellingOfAnOwner) {
  const auto zone = zone_of(soa + "\\095MTA-sts 300 TXT \"a\" \"b\"\n");
  ASSERT_TRUE(zone);
  EXPECT_EQ(record_sets(*zone, {owner})->front(), txt({"ab"}));
}

TEST(Serial, CountsTheWayItDoes) {
  EXPECT_EQ(next_serial(2026010101, now), 2026112400U);
  EXPECT_EQ(next_serial(2026112499, now), 2026112500U);
  EXPECT_EQ(next_serial(7, now), 8U);
  EXPECT_EQ(next_serial(4294967295U, now), 1U);
  EXPECT_EQ(next_serial(1764000000, now),
            static_cast<std::uint32_t>(now.time_since_epoch().count()));
}

}  // namespace
}  // namespace stsctl::providers::zonefile
