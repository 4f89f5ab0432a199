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
  return read_zone(zone_name, "z", "",
                   [&](const std::string&) -> Result<std::string> { return text; });
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

// Knot and NSD read TYPE16 with \# alone.
TEST(Editor, ReplacesAGenericSpellingWholly) {
  EXPECT_EQ(edited("$TTL 1h\n@ IN SOA a b 7 1 1 1 1\n_mta-sts IN TYPE16 \\# 2 0161 ; mine\n",
                   {std::nullopt, txt({"b"})}),
            "$TTL 1h\n@ IN SOA a b 8 1 1 1 1\n_mta-sts IN 300 TXT \"b\" ; mine\n");
  EXPECT_EQ(edited("@ 9 IN SOA a b 7 1 1 1 1\n_mta-sts 8 TXT \"x\"\n_mta-sts type16 \\# 2 0161\n",
                   {std::nullopt, txt({"b", "x"})}),
            "@ 9 IN SOA a b 8 1 1 1 1\n_mta-sts 300 TXT \"x\"\n_mta-sts 300 TXT \"b\"\n");
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

TEST(Editor, AddsTwiceBehindALineWithoutItsEnd) {
  dns::RecordSet other = txt({"w"});
  other.owner = zone_name.under("x");
  const auto texts = edit_zone(*zone_of("$TTL 1h\n" + soa + "x A 192.0.2.1"),
                               {{std::nullopt, txt({"v"})}, {std::nullopt, other}}, now);
  ASSERT_TRUE(texts);
  EXPECT_TRUE(
      texts->at("z").ends_with("192.0.2.1\n_mta-sts.example.com.\t300\tIN\tTXT\t\"v\"\nx.example."
                               "com.\t300\tIN\tTXT\t\"w\"\n"));
}

TEST(Editor, AddsAtTheEnd) {
  EXPECT_NE(edited("$TTL 1h\n" + soa + "x A 192.0.2.1", {std::nullopt, txt({"v"})})
                .find("192.0.2.1\n_mta-sts.example.com.\t300\tIN\tTXT\t\"v\"\n"),
            std::string::npos);
}

// Without $TTL a record takes the TTL before it: one of ours goes where nothing takes it from it.
TEST(Editor, AddsAtTheEndWhereTheNextWouldTakeTheTtl) {
  const std::string text = "@ 9 IN SOA a b 7 1 1 1 1\n_smtp._tls 60 TXT x\nx A 192.0.2.1\n";
  EXPECT_EQ(edited(text, {std::nullopt, txt({"v"})}),
            "@ 9 IN SOA a b 8 1 1 1 1\n_smtp._tls 60 TXT x\nx A 192.0.2.1\n"
            "_mta-sts.example.com.\t300\tIN\tTXT\t\"v\"\n");
}

TEST(Editor, AddsBesideItsSiblingOtherwise) {
  const std::string text =
      "$TTL 9\n@ IN SOA a b 7 1 1 1 1\n_smtp._tls TXT x\n A 192.0.2.2\nx A 192.0.2.1\n";
  EXPECT_EQ(edited(text, {std::nullopt, txt({"v"})}),
            "$TTL 9\n@ IN SOA a b 8 1 1 1 1\n_smtp._tls TXT x\n A 192.0.2.2\n"
            "_mta-sts.example.com.\t300\tIN\tTXT\t\"v\"\nx A 192.0.2.1\n");
}

TEST(Editor, StatesTheTtlThatTheNextWouldTake) {
  const std::string text =
      "@ 9 IN SOA a b 7 1 1 1 1\n_mta-sts 60 TXT x\ny A 192.0.2.1 ; next\nz A 192.0.2.2\n";
  EXPECT_EQ(edited(text, {txt({"x"}), txt({"v"})}),
            "@ 9 IN SOA a b 8 1 1 1 1\n_mta-sts 300 TXT \"v\"\ny 60 A 192.0.2.1 ; next\n"
            "z A 192.0.2.2\n");
  EXPECT_EQ(edited(text, {txt({"x"}), std::nullopt}),
            "@ 9 IN SOA a b 8 1 1 1 1\ny 60 A 192.0.2.1 ; next\nz A 192.0.2.2\n");
}

TEST(Editor, AThousandEditsInOneZone) {
  std::string text = "@ 9 IN SOA a b 7 1 1 1 1\n";
  std::vector<plan::RecordEdit> edits;
  for (int i = 0; i < 1000; ++i) {
    const std::string label = "d" + std::to_string(i);
    text +=
        "_mta-sts." + label + " 60 TXT old\n TXT more\n A 192.0.2.1\nx" + label + " A 192.0.2.1\n";
    dns::RecordSet set = txt({"new"});
    set.owner = zone_name.under("_mta-sts." + label);
    edits.push_back({std::nullopt, set});
  }
  const auto zone = zone_of(text);
  ASSERT_TRUE(zone);
  const auto texts = edit_zone(*zone, edits, now);
  ASSERT_TRUE(texts) << to_string(texts.error());
  EXPECT_TRUE(texts->at("z").ends_with(
      "\n_mta-sts.d999 300 TXT \"new\"\n 60 A 192.0.2.1\nxd999 A 192.0.2.1\n"))
      << texts->at("z").substr(texts->at("z").size() - 200);
}

std::string refusal(const std::string& text, const plan::RecordEdit& edit) {
  const auto zone = zone_of(text);
  if (!zone) return to_string(zone.error());
  const auto texts = edit_zone(*zone, {edit}, now);
  return texts ? "edited" : std::string(to_string(texts.error().code)) + " " + texts.error().what;
}

TEST(Editor, RefusesWhatAGenerateLineMakes) {
  const std::string text = "$TTL 9\n" + soa + "$GENERATE 1-9 _mta-sts.h$ TXT $\n";
  dns::RecordSet set = txt({"v"});
  set.owner = *dns::Name::parse("_mta-sts.h3.example.com");
  EXPECT_EQ(refusal(text, {std::nullopt, set}),
            "unsupported _mta-sts.h3.example.com TXT is made by a $GENERATE line");
  set.owner = *dns::Name::parse("_mta-sts.h10.example.com");
  EXPECT_EQ(refusal(text, {std::nullopt, set}), "edited");
}

// BIND refuses a whole zone that has a CNAME beside other data.
TEST(Editor, PutsNoCnameBesideAnotherRecord) {
  const dns::RecordSet alias{owner, dns::Type::cname, Duration{300}, {"web.example.net"}};
  const std::string company =
      "conflict _mta-sts.example.com would have a CNAME beside another "
      "record, and no server loads that";
  for (const char* other :
       {"_mta-sts 9 TXT x\n", "_mta-sts 9 TYPE99 \\# 1 00\n", "_mta-sts 9 CNAME .\n",
        "_mta-sts 9 CNAME \\195\\188.\n", "$GENERATE 1-1 _mta-sts 9 A 192.0.2.$\n"})
    EXPECT_EQ(refusal(soa + other, {std::nullopt, alias}), company) << other;
  EXPECT_EQ(refusal(soa + "_mta-sts 9 CNAME x\n", {std::nullopt, txt({"v"})}), company);
  EXPECT_EQ(refusal(soa + "_mta-sts 9 CNAME x\n", {std::nullopt, alias}), "edited");
}

TEST(Zone, NamesTheFirstRecordThatSealsIt) {
  for (const char* seal :
       {"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "ZONEMD", "TYPE46", "type63", "TYPE48"}) {
    const auto zone = zone_of(soa + "x 1 " + seal + " 1 2 3\n");
    ASSERT_TRUE(zone);
    const auto found = first_seal(*zone);
    ASSERT_TRUE(found) << seal;
    EXPECT_EQ(zone->where(*found), "z:2");
  }
  EXPECT_FALSE(first_seal(*zone_of(soa + "x 1 CDS 1 2 3\nx 1 DS 1\nx 1 TYPE62 \\# 0\n")));
}

TEST(Zone, CnameToTheRootIsLocked) {
  const std::string text = "$TTL 9\n" + soa + "_mta-sts CNAME .\n_smtp._tls TXT x\n";
  const auto sets =
      record_sets(*zone_of(text), {owner, *dns::Name::parse("_smtp._tls.example.com")});
  ASSERT_TRUE(sets) << "one odd record must not spoil the others";
  ASSERT_EQ(sets->size(), 2U);
  EXPECT_EQ((*sets)[0], (dns::RecordSet{owner, dns::Type::locked, Duration{9}, {"a CNAME to ."}}));
  EXPECT_EQ((*sets)[1].values, std::vector<std::string>{"x"});
}

// A server of this zone answers with a referral there, whatever the file says.
TEST(Zone, WhatItLeavesToOthersIsLocked) {
  const std::vector<std::tuple<std::string, std::string, std::string>> cuts{
      {"sub NS ns", "_mta-sts.sub", "a delegation to other servers (NS at sub.example.com, z:3)"},
      {"sub TYPE2 \\# 1 00", "_mta-sts.sub",
       "a delegation to other servers (NS at sub.example.com, z:3)"},
      {"sub NS ns", "_smtp._tls.deep.sub",
       "a delegation to other servers (NS at sub.example.com, z:3)"},
      {"_mta-sts NS ns", "_mta-sts",
       "a delegation to other servers (NS at _mta-sts.example.com, z:3)"},
      {"_tls DNAME x.net.", "_smtp._tls", "an alias by DNAME (DNAME at _tls.example.com, z:3)"},
      {"@ DNAME x.net.", "_mta-sts", "an alias by DNAME (DNAME at example.com, z:3)"},
      {"_mta-sts DNAME x.net.", "_mta-sts", ""},
      {"@ NS ns", "_mta-sts", ""},
      {"ub NS ns", "_mta-sts.sub", ""},
      {"x._mta-sts NS ns", "_mta-sts", ""}};
  for (const auto& [cut, label, left] : cuts) {
    const dns::Name there = *dns::Name::parse(label + ".example.com");
    const std::string text = "$TTL 9\n" + soa + cut + "\n" + label + " TXT old\n";
    const auto sets = record_sets(*zone_of(text), {there});
    ASSERT_TRUE(sets);
    const dns::RecordSet old{there, dns::Type::txt, Duration{9}, {"old"}};
    const dns::RecordSet locked{there, dns::Type::locked, Duration{9}, {left}};
    if (left.empty())
      EXPECT_NE(std::ranges::find(*sets, old), sets->end()) << cut;
    else
      EXPECT_EQ(*sets, std::vector{locked}) << cut;
    const dns::RecordSet wanted{there, dns::Type::txt, Duration{9}, {"new"}};
    EXPECT_EQ(refusal(text, {old, wanted}).starts_with(left.empty() ? "edited" : "conflict"), true)
        << cut << ": " << refusal(text, {old, wanted});
  }
}

TEST(Serial, CountsTheWayItDoes) {
  EXPECT_EQ(next_serial(2026010101, now), 2026112400U);
  EXPECT_EQ(next_serial(2026112499, now), 2026112500U);
  EXPECT_EQ(next_serial(7, now), 8U);
  // A hundred edits on the last day of a month, and the first one of the next.
  EXPECT_EQ(next_serial(2026103199, now), 2026112400U);
  EXPECT_EQ(next_serial(2026113099, now), 2026113100U);
  EXPECT_EQ(next_serial(2026113100, *parse_time("2026-11-30T23:00:00Z")), 2026113101U);
  EXPECT_EQ(next_serial(2026113101, *parse_time("2026-12-01T00:00:00Z")), 2026120100U);
  EXPECT_EQ(next_serial(2026123201, *parse_time("2027-01-01T00:00:00Z")), 2027010100U);
  EXPECT_EQ(next_serial(4294967295U, now), 1U);
  EXPECT_EQ(next_serial(1764000000, now),
            static_cast<std::uint32_t>(now.time_since_epoch().count()));
}

}  // namespace
}  // namespace stsctl::providers::zonefile
