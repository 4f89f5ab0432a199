#include "dns/name.h"

#include <algorithm>
#include <unordered_set>

#include <gtest/gtest.h>

namespace stsctl::dns {
namespace {

using namespace std::string_literals;

Name name(const std::string& text) {
  return *Name::parse(text);
}

std::string repeated(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i)
    text += piece;
  return text;
}

TEST(Name, IsLowerCaseALabelsWithoutFinalDot) {
  struct Case {
    std::string text;
    std::string name;
  };
  for (const Case& one : std::vector<Case>{
           {"example.com", "example.com"},
           {"Example.COM.", "example.com"},
           {"_mta-sts.example.com", "_mta-sts.example.com"},
           {"com", "com"},
           {"1.example", "1.example"},
           {"m\xC3\xBCnchen.example", "xn--mnchen-3ya.example"},
           {"M\xC3\x9CNCHEN.example", "xn--mnchen-3ya.example"},
           {"XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"},
           {"stra\xC3\x9F"
            "e.example",
            "xn--strae-oqa.example"},  // not "strasse": IDNA 2008
           {"_smtp._tls.m\xC3\xBCnchen.example", "_smtp._tls.xn--mnchen-3ya.example"},
           {"a\xE3\x80\x82"
            "example",
            "a.example"},                               // U+3002, a full stop
           {"r3---sn-x.example", "r3---sn-x.example"},  // hyphens anywhere inside
           {std::string(63, 'a') + ".example", std::string(63, 'a') + ".example"},
           {repeated(std::string(62, 'a') + ".", 3) + std::string(64 - 1, 'b') + ".",
            repeated(std::string(62, 'a') + ".", 3) + std::string(64 - 1, 'b')},
       }) {
    const auto parsed = Name::parse(one.text);
    ASSERT_TRUE(parsed) << one.text << " " << parsed.error().what;
    EXPECT_EQ(parsed->text(), one.name);
    EXPECT_EQ(Name::parse(parsed->text()), *parsed) << "reads what it writes";
  }
}

TEST(Name, RejectsAndSaysWhy) {
  struct Case {
    std::string text;
    const char* why;
  };
  for (const Case& one : std::vector<Case>{
           {"", "it is empty"},
           {".", "it is empty"},
           {"a..example", "empty label"},
           {".example", "empty label"},
           {"example..", "empty label"},
           {"a b.example", "' ' cannot stand"},
           {"*.example", "'*' cannot stand"},
           {"a\\.example", "'\\' cannot stand"},
           {"https://example", "cannot stand"},
           {"-a.example", "begins or ends with '-'"},
           {"a-.example", "begins or ends with '-'"},
           {"a\nb.example", "'\\x0A' cannot stand"},
           {"a\0.example"s, "NUL"},
           {std::string(64, 'a') + ".example", "longer than 63"},
           {repeated(std::string(62, 'a') + ".", 3) + std::string(63, 'b') + ".c",
            "longer than 253"},
           {std::string(100000, 'a'), "longer than 253"},
           {"xn--a.example", "no domain name"},          // decodes to nothing
           {"\xFF.example", "no domain name"},           // no UTF-8
           {"a\xE2\x80\xAE.example", "no domain name"},  // a bidirectional override
       }) {
    const auto parsed = Name::parse(one.text);
    ASSERT_FALSE(parsed) << one.text.substr(0, 100) << " -> " << parsed->text();
    EXPECT_EQ(parsed.error().code, Code::invalid);
    EXPECT_NE(parsed.error().what.find(one.why), std::string::npos) << parsed.error().what;
    EXPECT_LT(parsed.error().what.size(), 500U);
  }
}

TEST(Name, UnicodeIsForPeople) {
  EXPECT_EQ(name("xn--mnchen-3ya.example").unicode(), "m\xC3\xBCnchen.example");
  EXPECT_EQ(name("_mta-sts.example").unicode(), "_mta-sts.example");
}

TEST(Name, UnderPutsLabelsInFront) {
  EXPECT_EQ(name("example.com").under("_mta-sts"), name("_mta-sts.example.com"));
  EXPECT_EQ(name("example.com").under("_smtp._tls").text(), "_smtp._tls.example.com");
}

TEST(Name, WithinIsByWholeLabels) {
  EXPECT_TRUE(name("a.example.com").within(name("example.com")));
  EXPECT_TRUE(name("example.com").within(name("example.com")));
  EXPECT_FALSE(name("aexample.com").within(name("example.com")));
  EXPECT_FALSE(name("example.com").within(name("a.example.com")));
  EXPECT_FALSE(name("example.org").within(name("example.com")));
  EXPECT_EQ(name("a.example.com").parent(), name("example.com"));
  EXPECT_EQ(name("com").parent(), std::nullopt);
}

TEST(Name, LabelsFromTheLeft) {
  EXPECT_EQ(name("a.example.com").labels(), (std::vector<std::string_view>{"a", "example", "com"}));
  EXPECT_EQ(name("com").labels().size(), 1U);
}

TEST(Name, EqualNamesHashEqually) {
  const std::unordered_set<Name> names{name("Example.com."), name("example.COM"),
                                       name("b.example")};
  EXPECT_EQ(names.size(), 2U);
}

TEST(LongestZone, HoldsTheName) {
  std::vector<Name> zones{name("example.com"), name("com"), name("a.example.com"),
                          name("example.com.net"), name("b-example.com")};
  std::ranges::sort(zones);
  struct Case {
    const char* name;
    const char* zone;  // null: none
  };
  for (const Case& one : std::vector<Case>{
           {"_mta-sts.a.example.com", "a.example.com"},
           {"a.example.com", "a.example.com"},
           {"_smtp._tls.b.example.com", "example.com"},
           {"ba.example.com", "example.com"},  // not a.example.com: labels, not characters
           {"x-example.com", "com"},
           {"example.com.net", "example.com.net"},
           {"example.org", nullptr},
           {"net", nullptr}}) {
    const Name* zone = longest_zone(zones, name(one.name));
    if (one.zone == nullptr) {
      EXPECT_EQ(zone, nullptr) << one.name;
    } else {
      ASSERT_NE(zone, nullptr) << one.name;
      EXPECT_EQ(zone->text(), one.zone);
    }
  }
  EXPECT_EQ(longest_zone({}, name("example.com")), nullptr);
}

}  // namespace
}  // namespace stsctl::dns
