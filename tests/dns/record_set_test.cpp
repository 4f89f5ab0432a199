#include "dns/record_set.h"

#include <gtest/gtest.h>

namespace stsctl::dns {
namespace {

using namespace std::string_literals;
using Values = std::vector<std::string>;

Name owner() {
  return *Name::parse("example.com");
}

Result<Values> values(Type type, Values given) {
  auto set = make_record_set(owner(), type, std::chrono::seconds{300}, std::move(given));
  if (!set) return fail(set);
  return set->values;
}

TEST(Type, NamesAreReadInAnyCase) {
  for (const Type type : {Type::a, Type::aaaa, Type::cname, Type::txt, Type::mx})
    EXPECT_EQ(parse_type(to_string(type)), type);
  EXPECT_EQ(parse_type("cName"), Type::cname);
  EXPECT_EQ(parse_type("SRV"), Type::other);
  EXPECT_EQ(parse_type(""), Type::other);
  EXPECT_EQ(to_string(Type::other), "other"s);
  EXPECT_EQ(parse_type(to_string(Type::locked)), Type::locked);
}

TEST(RecordSet, ValuesAreCanonicalSortedAndUnique) {
  EXPECT_EQ(values(Type::a, {"192.0.2.2", "192.0.2.1", "192.0.2.2"}),
            (Values{"192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(values(Type::aaaa, {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"}), Values{"2001:db8::1"});
  // RFC 5952 §4.2.2: one group of zeros alone is not shortened.
  EXPECT_EQ(values(Type::aaaa, {"2001:db8:0:1:1:1:1:1"}), Values{"2001:db8:0:1:1:1:1:1"});
  EXPECT_EQ(values(Type::cname, {"Target.EXAMPLE."}), Values{"target.example"});
  EXPECT_EQ(values(Type::mx, {"20 b.example", "10\t Mail.Example.COM. ", " 0 ."}),
            (Values{"0 .", "10 mail.example.com", "20 b.example"}));
  EXPECT_EQ(values(Type::txt, {"B", "a", " ", "a"}), (Values{" ", "B", "a"}));  // bytes as they are
  EXPECT_EQ(values(Type::txt, {}), Values{});
}

TEST(RecordSet, KeepsOwnerTypeAndTtl) {
  const auto set = make_record_set(owner(), Type::txt, std::chrono::seconds{0}, {"x"});
  EXPECT_EQ(*set, (RecordSet{owner(), Type::txt, std::chrono::seconds{0}, {"x"}}));
}

TEST(RecordSet, RejectsWhatCannotBeRead) {
  struct Case {
    Type type;
    std::string value;
  };
  for (const Case& one :
       std::vector<Case>{{Type::a, "192.0.2"},
                         {Type::a, "192.0.2.256"},
                         {Type::a, "2001:db8::1"},
                         {Type::a, "192.0.2.1\0x"s},  // the C library reads only to the NUL
                         {Type::a, ""},
                         {Type::aaaa, "192.0.2.1"},
                         {Type::aaaa, "2001:db8::1%eth0"},
                         {Type::cname, "a b.example"},
                         {Type::cname, ""},
                         {Type::mx, "mail.example"},
                         {Type::mx, "10"},
                         {Type::mx, "10 "},
                         {Type::mx, "x mail.example"},
                         {Type::mx, "10x mail.example"},
                         {Type::mx, "-1 mail.example"},
                         {Type::mx, "65536 mail.example"},
                         {Type::mx, "99999999999 mail.example"},
                         {Type::mx, "10 mail.example more"}}) {
    const auto bad = values(one.type, {one.value});
    ASSERT_FALSE(bad) << to_string(one.type) << " " << one.value;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_EQ(bad.error().where, "example.com "s + to_string(one.type));
  }
}

TEST(Txt, IsWrittenInMasterFileForm) {
  EXPECT_EQ(encode_txt("v=STSv1; id=a"), R"("v=STSv1; id=a")");
  EXPECT_EQ(encode_txt(""), R"("")");
  EXPECT_EQ(encode_txt("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(encode_txt("\t\x7F\xC3\xBC\0"s), R"("\009\127\195\188\000")");
  EXPECT_EQ(encode_txt(std::string(255, 'a')), "\"" + std::string(255, 'a') + "\"");
  EXPECT_EQ(encode_txt(std::string(256, 'a')), "\"" + std::string(255, 'a') + "\" \"a\"");
}

TEST(Txt, StringsAreAtMost255Bytes) {
  EXPECT_EQ(txt_strings(""), Values{""});
  EXPECT_EQ(txt_strings(std::string(255, 'a')).size(), 1U);
  const Values two = txt_strings(std::string(255, 'a') + "b");
  EXPECT_EQ(two, (Values{std::string(255, 'a'), "b"}));
  EXPECT_EQ(txt_strings(std::string(510, 'a')).size(), 2U);
}

TEST(Txt, EverySpellingIsRead) {
  struct Case {
    std::string text;
    std::string value;
  };
  for (const Case& one : std::vector<Case>{
           {R"("v=STSv1; id=a")", "v=STSv1; id=a"},
           {R"("v=STSv1;" " id=a")", "v=STSv1; id=a"},  // strings join without a blank
           {R"("a""b")", "ab"},
           {R"(  "a"   "b"  )", "ab"},
           {R"("")", ""},
           {"", ""},
           {R"(a b)", "ab"},           // bare strings
           {R"(a "b c" d)", "ab cd"},  // both
           {R"(a\ b)", "a b"},         // an escaped blank
           {R"("\"\\")", "\"\\"},
           {R"("\065\a\000")", "Aa\0"s},  // \DDD and \X
           {R"("\255")", "\xFF"},
           {R"("a;b")", "a;b"},
       }) {
    EXPECT_EQ(decode_txt(one.text), one.value) << one.text;
  }
}

TEST(Txt, BareTextIsOneValueWhereTheProviderSaysSo) {
  EXPECT_EQ(decode_txt("v=STSv1; id=a", true), "v=STSv1; id=a");
  EXPECT_EQ(decode_txt("v=STSv1; id=a"), "v=STSv1;id=a");
  EXPECT_EQ(decode_txt(R"("v=STSv1; id=a")", true), "v=STSv1; id=a");
  EXPECT_EQ(decode_txt(R"(a\b"c)", true), R"(a\b"c)");
}

TEST(Txt, RejectsAndSaysWhy) {
  struct Case {
    std::string text;
    const char* why;
  };
  for (const Case& one : std::vector<Case>{{R"("a)", "open quote"},
                                           {R"(")", "open quote"},
                                           {R"("a\")", "open quote"},
                                           {R"("a" "b)", "open quote"},
                                           {R"(a\)", "after a backslash"},
                                           {R"("\25")", "three digits"},
                                           {R"("\2x5")", "three digits"},
                                           {R"("\256")", "past \\255"},
                                           {R"("\999")", "past \\255"}}) {
    const auto bad = decode_txt(one.text);
    ASSERT_FALSE(bad) << one.text << " -> " << *bad;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_NE(bad.error().what.find(one.why), std::string::npos) << bad.error().what;
  }
}

TEST(Txt, EveryByteComesBack) {
  std::string all;
  for (int i = 0; i < 256 * 3; ++i)
    all += static_cast<char>(i);
  EXPECT_EQ(decode_txt(encode_txt(all)), all);
  EXPECT_EQ(decode_txt(encode_txt(all), true), all);
}

}  // namespace
}  // namespace stsctl::dns
