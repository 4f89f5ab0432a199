#include "sts/policy.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "sts/policy_id.h"

namespace stsctl::sts {
namespace {

Policy policy_of(const std::string& body) {
  auto checked = parse_policy(body);
  EXPECT_TRUE(checked.value) << errors(checked.findings);
  return checked.value.value_or(Policy{});
}

constexpr const char* sound =
    "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.b.example.com\r\n"
    "max_age: 604800\r\n";

TEST(Policy, ReadsAndWritesTheCanonicalForm) {
  const Policy policy = policy_of(sound);
  EXPECT_EQ(policy.mode, Mode::enforce);
  EXPECT_EQ(policy.max_age, Duration{604800});
  ASSERT_EQ(policy.mx.size(), 2U);
  EXPECT_TRUE(policy.mx[1].wildcard);
  EXPECT_EQ(format_policy(policy), sound);
  EXPECT_TRUE(parse_policy(sound).findings.empty());
}

TEST(Policy, RejectsWithLineAndRule) {
  for (const auto& [body, why] : std::vector<std::pair<std::string, std::string>>{
           {"version: STSv1\nmode: enforce\nmx: a.example\n", "'max_age' is missing"},
           {"version: STSv1\nmode: enforce\nmax_age: 1\n", "no 'mx' field"},
           {"version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n",
            "line 2: mode is 'Enforce'"},
           {"version: STSv2\nmode: none\nmax_age: 1\n", "line 1: version"},
           {"version: STSv1\n\nmode: none\nmax_age: 1\n", "line 2: a blank line"},
           {"version: STSv1\nmode: none\nmax_age: 31557601\n", "at most 31557600"},
           {"version: STSv1\nmode: none\nmax_age: -1\n", "digits"},
           {"version: STSv1\nmode: none\nmx: a.*.example\nmax_age: 1\n", "left-most label"},
           {"version: STSv1\nmode: none\nmx: a.example.\nmax_age: 1\n", "final dot"},
           {"version: STSv1\nmode: none\nmx: 192.0.2.1\nmax_age: 1\n", "IP address"},
           {"version: STSv1\rmode: none\rmax_age: 1\r", "carriage return"},
           {" version: STSv1\nmode: none\nmax_age: 1\n", "no blanks"},
           {"\xEF\xBB\xBFversion: STSv1\nmode: none\nmax_age: 1\n", "byte order mark"},
           {"", "a blank line"},
       }) {
    const auto checked = parse_policy(body);
    EXPECT_FALSE(checked.value) << body;
    EXPECT_NE(errors(checked.findings).find(why), std::string::npos)
        << body << ": " << errors(checked.findings);
  }
}

TEST(Policy, WarnsOfSendersThatReject) {
  const auto warned = [](const std::string& body, const std::string& who) {
    const auto checked = parse_policy(body);
    if (!checked.value) return false;
    return std::ranges::any_of(checked.findings, [&](const Finding& finding) {
      return finding.severity == Severity::warning &&
             finding.message.find(who) != std::string::npos;
    });
  };
  EXPECT_TRUE(warned("version: STSv1\nmode: none\nmax_age: 86400\n", "Stalwart"));
  EXPECT_TRUE(warned("version: STSv1\nmode: testing\nmx: a.example\nmax_age: 0\n", "chasquid"));
  EXPECT_TRUE(
      warned("version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\nx: y\n", "checkdmarc"));
  EXPECT_TRUE(warned("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n", "Mimecast"));
  EXPECT_FALSE(warned(sound, ""));
}

TEST(Policy, ABodyOfGarbageIsShortlySaid) {
  const auto checked = parse_policy(std::string(60000, '\n'));
  EXPECT_LE(checked.findings.size(), 20U);
  EXPECT_NE(errors(parse_policy(std::string(70000, 'a')).findings).find("65536"),
            std::string::npos);
}

TEST(Policy, LineEndsAreNoDifferenceButFormIs) {
  const Policy policy = policy_of(sound);
  std::string lf = sound;
  std::erase(lf, '\r');
  EXPECT_TRUE(is_canonical(sound, policy));
  EXPECT_TRUE(is_canonical(lf, policy));
  EXPECT_TRUE(is_canonical(lf.substr(0, lf.size() - 1), policy));
  EXPECT_FALSE(
      is_canonical("mode: enforce\nversion: STSv1\nmx: mail.example.com\n"
                   "mx: *.b.example.com\nmax_age: 604800\n",
                   policy));
}

TEST(Policy, OrderOfPatternsHasNoMeaning) {
  Policy left = policy_of(sound);
  Policy right = left;
  std::swap(right.mx[0], right.mx[1]);
  right.mx.push_back(right.mx[0]);
  EXPECT_TRUE(same_policy(left, right));
  EXPECT_EQ(policy_digest(left), policy_digest(right));
  right.max_age += Duration{1};
  EXPECT_FALSE(same_policy(left, right));
  EXPECT_NE(policy_digest(left), policy_digest(right));
}

TEST(MxPattern, Matches) {
  struct Case {
    const char* pattern;
    const char* host;
    bool match;
  };
  for (const Case& one :
       std::vector<Case>{{"mail.example.com", "MAIL.example.com.", true},
                         {"*.example.com", "a.example.com", true},
                         {"*.example.com", "example.com", false},
                         {"*.example.com", "a.b.example.com", false},
                         {"*.example.com", "aexample.com", false},
                         {"*.MX.microsoft", "x.h-v1.mx.microsoft", false},
                         {"xn--mller-kva.example", "m\xC3\xBCller.example", true}})
    EXPECT_EQ(matches(*parse_mx_pattern(one.pattern), *dns::Name::parse(one.host)), one.match)
        << one.pattern << " " << one.host;
}

TEST(MxPattern, StrictReadsOnlyWhatAPolicyMayHold) {
  EXPECT_TRUE(parse_mx_pattern("m\xC3\xBCller.example"));
  for (const char* bad :
       {"m\xC3\xBCller.example", "a_b.example", "*", "*.", "*.*.example", ".example", "a..example",
        "[192.0.2.1]", "10 mail.example", "mail.example:25", ""})
    EXPECT_FALSE(parse_mx_pattern(bad, true)) << bad;
}

TEST(MxPattern, Covers) {
  const auto covers_text = [](const char* wide, const char* narrow) {
    return covers(*parse_mx_pattern(wide), *parse_mx_pattern(narrow));
  };
  EXPECT_TRUE(covers_text("*.example.com", "a.example.com"));
  EXPECT_TRUE(covers_text("*.example.com", "*.example.com"));
  EXPECT_FALSE(covers_text("a.example.com", "*.example.com"));
  EXPECT_FALSE(covers_text("*.example.com", "*.a.example.com"));
}

TEST(PolicyId, LayoutWorkedByHand) {
  // 2026-11-24T08:15:00Z; horizon 2026-12-01 = day 20788; digest as given.
  const PolicyId id{*parse_time("2026-11-24T08:15:00Z"), Day{std::chrono::days{20788}},
                    "ABCDEFGHIJKLM"};
  // 20788 = 16*1296 + 1*36 + 16: digits G, 1, G.
  EXPECT_EQ(format_policy_id(id), "20261124T081500ZG1GABCDEFGHIJKLM");
  EXPECT_EQ(format_day(id.horizon), "2026-12-01");
  EXPECT_EQ(parse_policy_id("20261124T081500ZG1GABCDEFGHIJKLM"), id);
}

TEST(PolicyId, AnythingElseIsForeign) {
  for (const char* foreign :
       {"", "20261124T081500Z", "20261324T081500ZG1GABCDEFGHIJKLM",
        "20261124T086000ZG1GABCDEFGHIJKLM", "20261124T081500zG1GABCDEFGHIJKLM",
        "20261124T081500ZG1gABCDEFGHIJKLM", "20261124T081500ZG1GABCDEFGHIJKL1",
        "20261124T081500ZG1GABCDEFGHIJKLMN", "2026 124T081500ZG1GABCDEFGHIJKLM"})
    EXPECT_FALSE(parse_policy_id(foreign)) << foreign;
}

TEST(PolicyId, AnnouncesItsPolicyOnly) {
  Policy policy = policy_of(sound);
  const PolicyId id{Time{}, Day{}, policy_digest(policy)};
  EXPECT_EQ(id.digest.size(), 13U);
  EXPECT_TRUE(announces(id, policy));
  policy.mode = Mode::testing;
  EXPECT_FALSE(announces(id, policy));
}

}  // namespace
}  // namespace stsctl::sts
