// Zone files read as BIND reads them, and edited so that BIND sees what was wanted and nothing
// else.

#include <filesystem>

#include <gtest/gtest.h>

#include "base/text.h"
#include "judge.h"

namespace stsctl::providers::zonefile {
namespace {

const dns::Name zone_name = *dns::Name::parse("example.com");
const dns::Name sts = *dns::Name::parse("_mta-sts.example.com");
const Time now = *parse_time("2026-11-24T08:00:00Z");

struct Case {
  const char* name;
  FileTexts files;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

const std::string head = "@ IN SOA ns hm 2026010101 1 1 1 77\n@ NS ns\nns A 192.0.2.1\n";
const std::string ttl = "$TTL 100\n";

std::vector<Case> cases() {
  return {
      {"plain", {{"zone", ttl + head + "_mta-sts TXT \"v=STSv1; id=a\"\n"}}},
      {"soa_minimum_is_the_default",
       {{"zone", head + "_mta-sts TXT a\nx 5 A 192.0.2.2\ny A 192.0.2.2\n"}}},
      {"ttl_before_without_a_default",
       {{"zone",
         "@ 1000 IN SOA ns hm 1 1 1 1 77\n@ NS ns\nns 300 A 192.0.2.1\nx A 192.0.2.2\n"
         "_mta-sts 400 TXT a\ny A 192.0.2.2\nz A 192.0.2.3\n"}}},
      {"record_before_the_soa",
       {{"zone", "ns 300 A 192.0.2.1\n@ NS ns\n@ IN SOA ns hm 1 1 1 1 77\n_mta-sts TXT a\n"}}},
      {"a_set_has_the_ttl_of_its_first",
       {{"zone",
         "@ 9 IN SOA ns hm 1 1 1 1 77\n@ NS ns\nns 8 A 192.0.2.1\n_mta-sts 10 TXT a\n"
         "_mta-sts 20 A 192.0.2.2\n_mta-sts 30 TXT b\nx A 192.0.2.3\n"}}},
      {"a_set_in_two_places_has_the_ttl_of_the_last",
       {{"zone", ttl + head +
                     "_mta-sts 500 TXT a\nx A 192.0.2.2\n_mta-sts 300 TXT b\n"
                     "y 400 A 192.0.2.2\nz A 192.0.2.2\ny 600 A 192.0.2.3\n"}}},
      {"soa_in_generic_form",
       {{"zone",
         "@ IN SOA \\# 40 02 6e73 07 6578616d706c65 03 636f6d 00 02 686d 00 00000001 "
         "00000002 00000003 00000004 0000004d\n@ NS ns\nns A 192.0.2.1\n"}}},
      {"ttl_lines_one_after_the_other",
       {{"zone", ttl + head +
                     "a TXT x\n$TTL 2d\nb TXT x\n$ttl 1H30m\nc 7 TXT x\nd TXT x\n"
                     "$TTL 0\n_mta-sts TXT x\n"}}},
      {"ttls_in_units_and_too_large",
       {{"zone", ttl + head +
                     "a 1W2D A 192.0.2.2\nb 1d1d A 192.0.2.2\nc 2147483648 A 192.0.2.2\n"
                     "d 4294967295 A 192.0.2.2\n_mta-sts 2147483647 TXT a\n"}}},
      {"class_and_ttl_in_either_order",
       {{"zone", ttl + head +
                     "a IN 5 A 192.0.2.2\nb 5 IN A 192.0.2.2\nc CLASS1 5 A 192.0.2.2\n"
                     "d 5 class1 A 192.0.2.2\ne in A 192.0.2.2\n_mta-sts 5 IN TXT a\n"}}},
      {"include_from_the_working_directory",
       {{"zone", ttl + head + "$INCLUDE sub/inc\nafter A 192.0.2.9\n"},
        {"sub/inc", "x A 192.0.2.2\n$INCLUDE inc\n"},
        {"inc", "right A 192.0.2.3\n"},
        {"sub/sub/inc", "wrong A 192.0.2.4\n"}}},
      {"include_hands_owner_and_origin_in_not_back",
       {{"zone", ttl + head + "x A 192.0.2.2\n$INCLUDE inc\n TXT \"after\"\n_mta-sts TXT a\n"},
        {"inc", " TXT \"within\"\n$ORIGIN inner.example.com.\ny A 192.0.2.4\n"}}},
      {"include_with_an_origin",
       {{"zone",
         ttl + head + "$INCLUDE inc deep\nb A 192.0.2.9\n$INCLUDE \"inc\" other.example.com.\n"},
        {"inc", "a A 192.0.2.4\n@ TXT x\nalias CNAME a\n"}}},
      {"ttl_of_an_include_goes_on_behind_it",
       {{"zone", ttl + head + "$INCLUDE inc\nafter A 192.0.2.9\n_mta-sts TXT a\n"},
        {"inc", "x A 192.0.2.4\n$TTL 200\ny 555 A 192.0.2.5\nz A 192.0.2.6\n"}}},
      {"ttl_before_goes_into_an_include_and_back",
       {{"zone",
         "@ 9 IN SOA ns hm 1 1 1 1 77\n@ NS ns\nns 8 A 192.0.2.1\n$INCLUDE inc\n"
         "after A 192.0.2.9\n_mta-sts TXT a\nx 3 A 192.0.2.9\n"},
        {"inc", "a A 192.0.2.4\nb 555 A 192.0.2.5\n"}}},
      {"records_of_ours_in_an_include",
       {{"zone", ttl + head + "x A 192.0.2.9\n$INCLUDE mail\n TXT \"x\"\n"},
        {"mail", "_mta-sts 300 TXT a\n TXT b\n A 192.0.2.7\n_smtp._tls TXT c\n"}}},
      {"generate",
       {{"zone",
         ttl + head +
             "$GENERATE 1-3 _mta-sts.h$ TXT \"id $\"\n$GENERATE 1-2 mta-sts.h$ CNAME "
             "web\n TXT \"of ns\"\n$GENERATE 10-14/2 w${-10,3,x}.example.com. 300 IN A 192.0.2.$\n"
             "after A 192.0.2.7\n$GENERATE 1-2 @ A 192.0.2.$\n"}}},
      {"generate_in_every_base",
       {{"zone",
         ttl + head +
             "$GENERATE 1-2 d${10,4,d}z CNAME x${0,3,x}\n"
             "$GENERATE 16-17 n${0,3,n}.q IN A 192.0.2.1\n$GENERATE 26-27 N${0,7,N}q A 192.0.2.1\n"
             "$GENERATE 1-2 neg${-2} A 192.0.2.1\n$GENERATE 1-2 neg3${-2,3} A 192.0.2.1\n"
             "$GENERATE 7-9 o${0,3,o} A 192.0.2.1\n$generate 10-11 X${0,3,X} IN 30 a 192.0.2.1\n"
             "$GENERATE 1-2 m$ MX \"$ mail\"\n$GENERATE 1-2 t$ TXT \"\\\"a $\\\" b\\\\\"\n"
             "$GENERATE 1-2 u$ TYPE16 x\\$$$$\n$GENERATE 0-0 _mta-sts${0,1,d}$ TXT x\n"
             "$GENERATE 5-6 $-$ A 192.0.2.$\n$GENERATE 12-13 p\\0$ A 192.0.2.1\n"}}},
      {"generate_takes_the_ttl_before",
       {{"zone",
         "@ 9 IN SOA ns hm 1 1 1 1 77\n@ NS ns\nns 8 A 192.0.2.1\n$GENERATE 1-2 a$ A 192.0.2.1\n"
         "_mta-sts 5 TXT a\n$GENERATE 1-2 b$ A 192.0.2.1\n$GENERATE 1-2 c$ 77 A 192.0.2.1\n"
         "d A 192.0.2.1\n"}}},
      {"unknown_type_spellings",
       {{"zone",
         ttl + head +
             "_mta-sts TYPE16 \\# 3 02 6162\na TXT \\# 4 ( 01 61\n 01 62 ) ; two\n"
             "b type1 \\# 4 C0000205\nc A \\# 4 c0000206\nd TYPE28 \\# 16 "
             "20010db8000000000000000000000001\ne AAAA 2001:DB8::0\nf TYPE5 \\# 7 016103636F6D00\n"
             "g CNAME \\# 1 00\nh TYPE016 abc \"d e\"\ni TXT \"\\#\" 3 026162\nj TXT \\# 1 00\n"
             "k TYPE65280 \\# 2 abcd\nl TYPE15 \\# 8 000a 04 6d61696c 00\n"}}},
      {"targets_that_are_no_host_names",
       {{"zone", ttl + head +
                     "_mta-sts CNAME .\na CNAME x\\032y\nb CNAME \\195\\188.example.\n"
                     "c CNAME a\\.b\nd CNAME *.x\ne CNAME -a-\nf CNAME \\097\\.\ng CNAME ok\nh "
                     "CNAME OK.\n"}}},
      {"owners_in_every_spelling",
       {{"zone", ttl + head +
                     "\\095MTA-sts TXT \"a\" \"b\"\n_SMTP.\\_tls.Example.COM. TXT x\n@ TXT apex\n"
                     "example.com. TXT apex2\n*.w TXT wild\na\\.b TXT dot\na\\046c TXT dot\n\\\\. "
                     "TXT odd\n"}}},
      {"parentheses_comments_and_quotes",
       {{"zone",
         ttl + "@ IN SOA ns hm ( 2026010101 ; serial (\n 1\n 1 1 77 )\n@ NS ns\nns A 192.0.2.1\n"
               "_mta-sts ( 300 IN\n TXT ; \"\n ( \"a;b\" ) \"c\\\"d\" ) ; end\n"
               "x TXT (a)(b)\"c\"d;e\n\t ; only a comment\n  \n"
               "y TXT foo\"bar\"baz \\;f \"\\123\\\\\"\n"}}},
      {"line_ends_of_windows",
       {{"zone",
         "$TTL 100\r\n@ IN SOA ns hm (1 1\r\n1 1 77)\r\n@ NS ns\r\nns A 192.0.2.1\r\n"
         "_mta-sts TXT \"a\"\r\nx TXT b ; c\r\n\r\n"}}},
      {"blank_owners",
       {{"zone", ttl + head + "_mta-sts TXT a\n TXT b\n\tA 192.0.2.2\nx TXT x\n  TXT y\n"}}},
      {"blank_owners_without_a_default_ttl",
       {{"zone",
         "@ 9 IN SOA ns hm 1 1 1 1 77\n@ NS ns\nns 8 A 192.0.2.1\n_mta-sts 5 TXT a\n 6 TXT b\n"
         " A 192.0.2.2\n TXT c\nx A 192.0.2.3\n A 192.0.2.4\n MX 1 ns\n"}}},
      {"origin_of_the_root",
       {{"zone",
         "$ORIGIN .\n$TTL 100\nexample.com IN SOA ns hm 1 1 1 1 77\n\tNS ns.example.com.\n"
         "$ORIGIN com.\n_mta-sts.example TXT a\n$ORIGIN example.com.\nns A 192.0.2.1\nx CNAME y\n"
         "$ORIGIN sub\n@ A 192.0.2.2\nx CNAME y\n"}}},
      {"owner_that_is_the_root",
       {{"zone",
         ttl + head +
             "$ORIGIN .\n@ TXT x\n TXT y\n. TXT z\n$ORIGIN example.com.\n_mta-sts TXT a\n"}}},
      {"no_line_end_at_the_end", {{"zone", ttl + head + "_mta-sts TXT a"}}},
      {"ends_in_a_comment", {{"zone", ttl + head + "_mta-sts TXT a\n; end"}}},
      {"a_signed_zone",
       {{"zone",
         ttl + head + "x TYPE46 \\# 20 0001 0d 02 00000064 00000000 00000000 0001 00 ab\n"}}},
  };
}

class Bind : public testing::TestWithParam<Case> {};

TEST_P(Bind, ReadsTheSame) {
  const Judge judge(GetParam().files);
  const auto records = judge.records();
  ASSERT_TRUE(records) << records.error().what;
  const auto wanted = as_sets(*records);
  const auto zone = judge.zone();
  ASSERT_TRUE(zone) << to_string(zone.error());
  std::vector<dns::Name> owners;
  for (const auto& [key, set] : wanted)
    if (owners.empty() || owners.back() != set.owner) owners.push_back(set.owner);
  owners.push_back(*dns::Name::parse("none.example.com"));
  auto sets = record_sets(*zone, owners);
  ASSERT_TRUE(sets) << to_string(sets.error());
  EXPECT_EQ(sets->size(), wanted.size());
  for (dns::RecordSet& set : *sets) {
    const std::string label = set.owner.text() + " " + dns::to_string(set.type);
    const auto found = wanted.find({set.owner.text(), set.type});
    ASSERT_NE(found, wanted.end()) << label;
    if (set.type == dns::Type::locked) {
      EXPECT_EQ(set.values.front().substr(0, 11), "a CNAME to ");
    }
    if (set.type == dns::Type::other || set.type == dns::Type::locked)
      set = {set.owner, set.type, Duration{0}, {}};
    EXPECT_EQ(set.ttl, found->second.ttl) << label;
    EXPECT_EQ(set.values, found->second.values) << label;
  }
}

// What BIND loads but for the record sets of `edit` and the serial.
std::set<Judged> others(const std::set<Judged>& records, const dns::RecordSet& named) {
  std::set<Judged> others;
  for (Judged one : records) {
    if (one.owner == named.owner.text() && one.type == dns::to_string(named.type)) continue;
    if (one.type == "SOA") one.data = one.data.substr(0, one.data.find("hm."));
    others.insert(one);
  }
  return others;
}

// An edit that BIND sees as it was wanted, with all other records as they were `before`; empty if
// so.
std::string fault_of(const FileTexts& files, const std::set<Judged>& before,
                     const plan::RecordEdit& edit) {
  const Judge judge(files);
  const auto zone = judge.zone();
  if (!zone) return to_string(zone.error());
  const auto texts = edit_zone(*zone, {edit}, now);
  if (!texts) return to_string(texts.error());
  if (texts->empty()) return "nothing to edit";
  for (const auto& [path, text] : *texts)
    judge.write({{judge.name_of(path), text}});
  const auto after = judge.records();
  if (!after) return after.error().what;
  const dns::RecordSet& named = subject(edit);
  if (others(before, named) != others(*after, named)) return "another record changed";
  const auto sets = as_sets(*after);
  const auto found = sets.find({named.owner.text(), named.type});
  if (edit.after ? found == sets.end() || found->second != *edit.after : found != sets.end())
    return "not as wanted";
  return "";
}

TEST_P(Bind, EditsChangeNothingElse) {
  const dns::RecordSet wanted{sts, dns::Type::txt, Duration{300}, {"new", "v=STSv1; id=b"}};
  const dns::RecordSet neighbour{sts.under("x"), dns::Type::txt, Duration{9}, {"v"}};
  const Judge judge(GetParam().files);
  const auto before = judge.records();
  ASSERT_TRUE(before) << before.error().what;
  const auto zone = judge.zone();
  ASSERT_TRUE(zone) << to_string(zone.error());
  const auto sets = record_sets(*zone, {sts});
  ASSERT_TRUE(sets) << to_string(sets.error());
  std::optional<dns::RecordSet> there;
  bool is_alias = false;
  for (const dns::RecordSet& set : *sets) {
    if (set.type == dns::Type::txt) there = set;
    is_alias = is_alias || set.type == dns::Type::locked;
  }
  const std::string name = GetParam().name;
  if (name == "soa_in_generic_form" || is_alias) {
    EXPECT_NE(fault_of(GetParam().files, *before, {there, wanted}), "");
    return;
  }
  EXPECT_EQ(fault_of(GetParam().files, *before, {there, wanted}), "");
  EXPECT_EQ(fault_of(GetParam().files, *before, {std::nullopt, neighbour}), "");
  if (!there) return;
  EXPECT_EQ(fault_of(GetParam().files, *before, {there, std::nullopt}), "");
  dns::RecordSet shorter = *there;
  shorter.values.erase(shorter.values.begin() + 1, shorter.values.end());
  shorter.ttl = there->ttl == Duration{7} ? Duration{8} : Duration{7};
  EXPECT_EQ(fault_of(GetParam().files, *before, {there, shorter}), "");
}

INSTANTIATE_TEST_SUITE_P(ZoneFiles, Bind, testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

// What neither of us takes for a zone.
TEST(ZoneFilesRefused, AsBindDoes) {
  const std::string good = ttl + head;
  const std::vector<std::pair<std::string, std::string>> texts{
      {"", "empty"},
      {"; only a comment\n", "no SOA"},
      {"x.example.com. 1 IN A 192.0.2.1\n", "no SOA"},
      {"@ NS ns\n@ 9 IN SOA ns hm 1 1 1 1 77\nns A 192.0.2.1\n", "no TTL yet"},
      {good + "@ SOA ns hm 2 1 1 1 77\n", "two SOA records"},
      {"$INCLUDE none\n" + good, "an include that is not there"},
      {good + "$INCLUDE zone\n", "an include of itself"},
      {good + "$NONSENSE 1\n", "unknown directive"},
      {good + "$TTL x\n", "no TTL"},
      {good + "$TTL 5m3\n", "a number without a unit"},
      {good + "x TXT \"a\n", "an open quote"},
      {good + "x TXT ( a\n", "an open parenthesis"},
      {good + "x TXT a )\n", "a closed parenthesis"},
      {good + "x CH TXT a\n", "another class"},
      {good + "x CLASS3 TXT a\n", "another class"},
      {good + "x 5\n", "no type"},
      {good + "_mta-sts TXT \\# 3 0261\n", "shorter than it says"},
      {good + "_mta-sts TXT \\# 2 026162\n", "longer than it says"},
      {good + "_mta-sts TXT \\# 2 0261\n", "a string that is cut short"},
      {good + "_mta-sts TXT \\# 0\n", "no string"},
      {good + "_mta-sts TXT \\# 1 0g\n", "no hexadecimal"},
      {good + "_mta-sts A \\# 3 C00002\n", "no address"},
      {good + "_mta-sts CNAME \\# 5 016103636f6d00\n", "longer than it says"},
      {good + "_mta-sts CNAME \\# 2 0161\n", "a name without its end"},
      {good + "_mta-sts A 192.0.2.256\n", "no address"},
      {good + "$GENERATE 2-1 _mta-sts$ A 192.0.2.1\n", "backwards"},
      {good + "$GENERATE 1-5/0 _mta-sts$ A 192.0.2.1\n", "a step of 0"},
      {good + "$GENERATE 1 _mta-sts$ A 192.0.2.1\n", "no range"},
      {good + "$GENERATE 1-2 _mta-sts${1,2,q} A 192.0.2.1\n", "no base"},
      {good + "$GENERATE 1-2 _mta-sts${1,2 A 192.0.2.1\n", "an open brace"},
      {good + "$GENERATE 1-2 p$ MX 10 mail\n", "data in two words"},
      {good + "$GENERATE 1-2 p$ TXT\n", "no data"},
      {good + "$GENERATE 1-2 p$ CH TXT x\n", "another class"}};
  for (const auto& [text, why] : texts) {
    const Judge judge({{"zone", text}});
    EXPECT_FALSE(judge.records()) << why << "\n" << text;
    const auto zone = judge.zone();
    EXPECT_FALSE(zone && record_sets(*zone, {sts})) << why << "\n" << text;
  }
}

// BIND takes the second for the first once more, but no longer when one of them counts on.
TEST(ZoneFilesRefused, TheSameSoaTwice) {
  const std::string twice = ttl + "@ IN SOA ns hm 7 1 1 1 77\n@ IN SOA ns hm 7 1 1 1 77\n@ NS ns\n";
  const auto zone = Judge({{"zone", twice}}).zone();
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().what.find("a second SOA record, the first at "), 0U) << zone.error().what;
  EXPECT_TRUE(zone.error().where.ends_with("zone:3")) << zone.error().where;
}

}  // namespace
}  // namespace stsctl::providers::zonefile
