#include "sts/policy_id.h"

#include <gtest/gtest.h>

namespace stsctl::sts {
namespace {

Policy example() {
  return {Mode::enforce,
          {*parse_mx_pattern("mail.example.com"), *parse_mx_pattern("*.backup.example.com")},
          Duration{604800}};
}

Day day(int number) {
  return Day{std::chrono::days{number}};
}

// The example of docs/policy-id.md, step by step.
TEST(PolicyId, ExampleWorkedByHand) {
  const Time published = *parse_time("2026-11-24T08:15:00Z");
  const Time everywhere = published + Duration{3600};
  const Day horizon = std::chrono::ceil<std::chrono::days>(everywhere + Duration{432000});
  EXPECT_EQ(format_day(horizon), "2026-11-30");
  EXPECT_EQ(horizon, day(16 * 1296 + 1 * 36 + 15));
  EXPECT_EQ(policy_digest(example()), "4O3POEEWLEP5J");
  const PolicyId id{published, horizon, "4O3POEEWLEP5J"};
  EXPECT_EQ(format_policy_id(id), "20261124T081500ZG1F4O3POEEWLEP5J");
  EXPECT_EQ(parse_policy_id("20261124T081500ZG1F4O3POEEWLEP5J"), id);
}

TEST(PolicyId, HorizonIsThreeDigitsOfBase36) {
  struct Case {
    int day;
    const char* digits;
  };
  for (const Case& one : std::vector<Case>{{0, "000"},
                                           {1, "001"},
                                           {9, "009"},
                                           {10, "00A"},
                                           {35, "00Z"},
                                           {36, "010"},
                                           {1295, "0ZZ"},
                                           {1296, "100"},
                                           {20788, "G1G"},
                                           {46655, "ZZZ"}}) {
    const PolicyId id{Time{}, day(one.day), "AAAAAAAAAAAAA"};
    const std::string text = format_policy_id(id);
    EXPECT_EQ(text, std::string("19700101T000000Z") + one.digits + "AAAAAAAAAAAAA");
    EXPECT_EQ(parse_policy_id(text), id);
  }
  EXPECT_EQ(format_day(day(46655)), "2097-09-26");
}

TEST(PolicyId, HorizonOutsideIsClamped) {
  EXPECT_EQ(format_policy_id({Time{}, day(46656), "AAAAAAAAAAAAA"}).substr(16, 3), "ZZZ");
  EXPECT_EQ(format_policy_id({Time{}, day(-1), "AAAAAAAAAAAAA"}).substr(16, 3), "000");
}

TEST(PolicyId, IsAnIdByTheGrammarAndComesBack) {
  Policy policy = example();
  for (int i = 0; i < 1000; ++i) {
    policy.max_age = Duration{86400 + i};
    const PolicyId id{Time{Duration{i * 3999999LL}}, day(i * 46), policy_digest(policy)};
    const std::string text = format_policy_id(id);
    ASSERT_EQ(text.size(), 32U);
    ASSERT_EQ(text.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
    ASSERT_EQ(parse_policy_id(text), id);
  }
}

TEST(PolicyId, AnythingElseIsForeign) {
  for (const char* foreign : {
           "",
           "20261124T081500Z",                   // a bare time
           "20261124T081500ZG1GABCDEFGHIJKL",    // one too few
           "20261124T081500ZG1GABCDEFGHIJKLMN",  // one too many
           "20261324T081500ZG1GABCDEFGHIJKLM",   // no such month
           "20260229T081500ZG1GABCDEFGHIJKLM",   // no such day
           "20261124T086000ZG1GABCDEFGHIJKLM",   // no such minute
           "20261124T240000ZG1GABCDEFGHIJKLM",   // no such hour
           "20261124T081560ZG1GABCDEFGHIJKLM",   // a leap second
           "20261124t081500ZG1GABCDEFGHIJKLM",   // lower case
           "20261124T081500zG1GABCDEFGHIJKLM",
           "20261124T081500ZG1gABCDEFGHIJKLM",
           "20261124T081500ZG1GABCDEFGHIJKLm",
           "20261124T081500ZG1GABCDEFGHIJKL1",  // 0, 1, 8, 9 are no base-32 digits
           "20261124T081500ZG1GABCDEFGHIJKL0",
           "20261124T081500ZG1GABCDEFGHIJKL8",
           "20261124T081500Z-1GABCDEFGHIJKLM",
           "2026 124T081500ZG1GABCDEFGHIJKLM",
           "+0261124T081500ZG1GABCDEFGHIJKLM",
           "202611240815000ZG1GABCDEFGHIJKLM",  // digits where T stands
           "20261124081500Z0123456789abcdef0",
           "d41d8cd98f00b204e9800998ecf8427e",  // an MD5
           "D41D8CD98F00B204E9800998ECF8427E",
       })
    EXPECT_FALSE(parse_policy_id(foreign)) << foreign;
}

TEST(PolicyId, AnnouncesItsPolicyOnly) {
  Policy policy = example();
  const PolicyId id{Time{}, Day{}, policy_digest(policy)};
  EXPECT_EQ(id.digest.size(), 13U);
  EXPECT_TRUE(announces(id, policy));
  for (const auto change : std::vector<void (*)(Policy&)>{
           [](Policy& changed) { changed.mode = Mode::testing; },
           [](Policy& changed) { changed.max_age += Duration{1}; },
           [](Policy& changed) { changed.mx.pop_back(); },
           [](Policy& changed) { changed.mx.back().wildcard = false; },
           [](Policy& changed) { changed.mx.push_back(*parse_mx_pattern("c.example")); }}) {
    Policy changed = policy;
    change(changed);
    EXPECT_FALSE(announces(id, changed));
  }
  std::swap(policy.mx[0], policy.mx[1]);
  policy.mx.push_back(policy.mx[0]);
  EXPECT_TRUE(announces(id, policy));  // neither order nor repetition has a meaning
}

TEST(PolicyId, SaysWhichPatternsAreLeaving) {
  const auto pattern = [](int number) {
    return *parse_mx_pattern("mx" + std::to_string(number) + ".example");
  };
  for (const int number : {2, 5, 12, 13, 40}) {
    Policy policy{Mode::enforce, {}, Duration{604800}};
    for (int i = 0; i < number; ++i)
      policy.mx.push_back(pattern(i));
    const auto id = [&](const std::vector<MxPattern>& leaving) {
      return PolicyId{Time{}, Day{}, policy_digest(policy, leaving)};
    };
    EXPECT_EQ(leaving_patterns(id({}), policy), std::vector<MxPattern>{});
    const std::vector<MxPattern> two{pattern(0), pattern(number - 1)};
    EXPECT_EQ(leaving_patterns(id({two[1], two[0]}), policy), two) << number;
    EXPECT_TRUE(announces(id(two), policy));
    if (number > 3 && number <= 12)
      EXPECT_EQ(leaving_patterns(id({two[0], pattern(1), two[1]}), policy)->size(), 3U);
    Policy other = policy;
    other.max_age += Duration{1};
    EXPECT_FALSE(leaving_patterns(id(two), other)) << number;
  }
}

// The digest with a line for what is leaving, worked by hand in docs/policy-id.md.
TEST(PolicyId, LeavingExampleWorkedByHand) {
  EXPECT_EQ(policy_digest(example(), {*parse_mx_pattern("*.backup.example.com")}), "L7U7BSACI5JJ2");
}

}  // namespace
}  // namespace stsctl::sts
