#include "sts/policy.h"

#include <algorithm>

#include <gmock/gmock.h>
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
           {"version: STSv1\nmode: none\nmax_age: 1\r", "carriage return"},  // no LF follows
           {"version: STSv1\nmode: none\nmax_age: 1\r\r\n", "carriage return"},
           {"version: STSv1\nmode: none\nmax_age: 1\n\n", "line 4: a blank line"},
           {"version: STSv1\nmode : none\nmax_age: 1\n", "line 2: 'mode ' is no field name"},
           {"version: STSv1\nmode: none\nmax_age: 00000000001\n", "1 to 10 digits"},
           {"version: STSv1\nmode: none\nmax_age: +1\n", "1 to 10 digits"},
           {"version: STSv1\nmode: none\nmax_age: 9999999999\n", "at most 31557600"},
           {"version: STSv1\nmode: none\nmax_age: 1\nnote:\n", "the value of 'note' is empty"},
           {"version: STSv1\nmode: none\nmax_age: 1\nnote: a\tb\n", "control characters"},
           {"version: STSv1\nmode: none\nmax_age: 1\nnote: \xFF\n", "no UTF-8"},
           {"version: STSv1\nmode: none\nmax_age: 1\n_x: y\n", "no field name"},
           {"version: STSv1\nmode: none\nmax_age: 1\n" + std::string(33, 'x') + ": y\n",
            "no field name"},
           {"version: STSv1\nmode: none\nmax_age: 1\n# comment\n", "no 'name: value' line"},
           {"version: STSv1\nmode: none\nmx: m\xC3\xBC.example\nmax_age: 1\n", "no mx pattern"},
           {"version: STSv1\nmode: none\nmx: a.example, b.example\nmax_age: 1\n", "no mx pattern"},
           // The first of a repeated field counts, so a good second does not help.
           {"version: STSv1\nmode: off\nmode: none\nmax_age: 1\n", "line 2: mode is 'off'"},
       }) {
    const auto checked = parse_policy(body);
    EXPECT_FALSE(checked.value) << body;
    EXPECT_NE(errors(checked.findings).find(why), std::string::npos)
        << body << ": " << errors(checked.findings);
    EXPECT_NE(errors(checked.findings).find("RFC 8461 §3.2"), std::string::npos) << body;
  }
}

TEST(Policy, ReadsWhatTheGrammarAllows) {
  struct Case {
    const char* body;
    Mode mode;
    std::int64_t max_age;
    std::size_t mx;
  };
  for (const Case& one : std::vector<Case>{
           {"version:STSv1\nmode:none\nmax_age:0", Mode::none, 0, 0},  // no blanks, no last LF
           {"version: \t STSv1 \t\r\nmode:\ttesting\nmx: a.example \r\nmax_age: 0000000001\n",
            Mode::testing, 1, 1},
           {"max_age: 31557600\nmx: *.a.example\nmode: enforce\nversion: STSv1\n", Mode::enforce,
            31557600, 1},
           {"version: STSv1\nMode: x\nmode: none\nmax_age: 1\n", Mode::none, 1, 0},  // unknown
           {"version: STSv1\nmode: none\nmax_age: 1\na-B_c.1: x  y\xC2\x80\xE2\x80\xAE\n",
            Mode::none, 1, 0},  // UTF8-2 and UTF8-3 are UTF8-2 and UTF8-3
           {"version: STSv1\nmode: none\nmax_age: 1\nmax_age: x\nmode: y\nversion: z\n", Mode::none,
            1, 0},  // the first counts
           {"version: STSv1\nmode: enforce\nmax_age: 1\nmx: A.Example\nmx: a.example\nmx: mx1\n",
            Mode::enforce, 1, 3},
       }) {
    const Policy policy = policy_of(one.body);
    EXPECT_EQ(policy.mode, one.mode) << one.body;
    EXPECT_EQ(policy.max_age.count(), one.max_age) << one.body;
    EXPECT_EQ(policy.mx.size(), one.mx) << one.body;
    EXPECT_EQ(policy_of(format_policy(policy)), policy);
  }
}

TEST(Policy, AnErrorShowsNoControlCharacter) {
  const std::string said = errors(parse_policy("\x1b[2J: x\nmode: \x1b[2J\nmx: \x1b\n").findings);
  EXPECT_EQ(said.find('\x1b'), std::string::npos) << said;
}

TEST(Policy, BothSidesOfTheSizeLimit) {
  const std::string body = std::string(sound) + "note: ";
  EXPECT_TRUE(parse_policy(body + std::string(65536 - body.size(), 'x')).value);
  EXPECT_FALSE(parse_policy(body + std::string(65537 - body.size(), 'x')).value);
}

TEST(Policy, WarnsOfSendersThatDiffer) {
  struct Case {
    const char* body;
    std::vector<std::string> says;  // each in one warning, and no warning more
  };
  for (const Case& one : std::vector<Case>{
           {sound, {}},
           {"version: STSv1\nmode: none\nmx: a.example\nmax_age: 86400\n", {}},
           {"version: STSv1\nmode: none\nmax_age: 86400\n", {"chasquid, Stalwart and the EFF"}},
           {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 0\n",
            {"max_age 0: chasquid", "below 3600: Stalwart", "below 86400: Google"}},
           {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86399\n",
            {"below 86400: Google"}},
           {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\n", {}},
           {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 604799\n", {"Mimecast"}},
           {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\nx: y\n",
            {"line 5: unknown field: senders ignore it, checkdmarc"}},
           {"mode: testing\nversion: STSv1\nmx: a.example\nmax_age: 86400\n",
            {"line 2: 'version' is not on the first line"}},
           {"version: STSv1\nmode: testing\t\nmx: a.example \nmax_age: 86400\n",
            {"line 2: blank at the end"}},
           {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\nmode: testing\n",
            {"line 5: field repeated: KumoMTA"}},
           {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\nmode: enforce\n",
            {"line 5: field repeated: KumoMTA",
             "line 5: field repeated with another value: the first"}},
           {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\nmode: on\n",
            {"line 5: field repeated: KumoMTA", "line 5: field repeated with an invalid value"}},
       }) {
    const auto checked = parse_policy(one.body);
    ASSERT_TRUE(checked.value) << one.body << errors(checked.findings);
    std::vector<::testing::Matcher<std::string>> said;
    for (const std::string& text : one.says)
      said.push_back(::testing::HasSubstr(text));
    std::vector<std::string> messages;
    for (const Finding& finding : checked.findings) {
      EXPECT_EQ(finding.severity, Severity::warning);
      EXPECT_EQ(finding.rule, "interoperability");
      messages.push_back(finding.message);
    }
    EXPECT_THAT(messages, ::testing::ElementsAreArray(said)) << one.body;
  }
}

TEST(Policy, WarnsOfABodyPastChasquidsLimit) {
  Policy policy = policy_of(sound);
  const auto long_warning = [&] {
    const auto findings = parse_policy(format_policy(policy)).findings;
    return !findings.empty() &&
           findings.front().message.find("10 KB: chasquid") != std::string::npos;
  };
  while (format_policy(policy).size() <= 10240) {
    EXPECT_FALSE(long_warning());
    policy.mx.insert(policy.mx.end(), 40, policy.mx.front());
  }
  EXPECT_TRUE(long_warning());
}

TEST(Policy, LongestMaxAgeIsWhatAnySenderMayHaveRead) {
  struct Case {
    const char* body;
    std::int64_t seconds;
  };
  for (const Case& one : std::vector<Case>{
           {sound, 604800},
           {"max_age: 86400\nmax_age: 604800\n", 604800},  // some senders take the last
           {"max_age: 604800\nmax_age: 86400\n", 604800},
           {"max_age: 4294967296\n", 4294967296},  // past the RFC's maximum
           {"max_age: 01234567890\n", 1234567890},
           {"max_age: +99999\n", 99999},
           {"max_age:\t2592000.5\n", 2592000},
           {"max_age: 99999999999999999999\n", 9999999999},
           {"\xEF\xBB\xBFmax_age : 172800 \r", 172800},
           {"max_age: 1\n", 86400},
           {"max_age: x\n", 86400},
           {"max_age:", 86400},
           {"", 86400}})
    EXPECT_EQ(longest_max_age(one.body).count(), one.seconds) << one.body;
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
  EXPECT_FALSE(is_canonical(lf + "\n", policy));  // invalid: a blank line
  EXPECT_FALSE(is_canonical(lf + "note: x\n", policy));
  EXPECT_FALSE(is_canonical("", policy));
  EXPECT_FALSE(is_canonical(std::string(sound).replace(0, 8, "Version:"), policy));
  Policy other = policy;
  other.max_age = Duration{604801};
  EXPECT_FALSE(is_canonical(sound, other));
  std::string cr = sound;
  std::erase(cr, '\n');
  EXPECT_FALSE(is_canonical(cr, policy));  // bare CR ends no line
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
                         {"*.example.com", "example.com.net", false},
                         {"*.example.com", "com", false},
                         {"*.com", "example.com", true},
                         {"*.example.com", "_x.example.com", true},
                         {"mail.example.com", "mail.example.com.net", false},
                         {"mail.example.com", "xmail.example.com", false},
                         {"mail.example.com", "mailxexample.com", false},
                         {"mx1", "mx1", true},
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

// What configuration may hold: any case, U-labels, a final dot.
TEST(MxPattern, ReadsAndWritesOneForm) {
  for (const auto& [text, form] : std::vector<std::pair<std::string, std::string>>{
           {"mail.example.com", "mail.example.com"},
           {"MAIL.Example.COM.", "mail.example.com"},
           {"*.EXAMPLE.com", "*.example.com"},
           {"*.m\xC3\xBCller.example", "*.xn--mller-kva.example"},
           {"mx1", "mx1"},
           {"1mx.example", "1mx.example"}}) {
    const auto pattern = parse_mx_pattern(text);
    ASSERT_TRUE(pattern) << text;
    EXPECT_EQ(format_mx_pattern(*pattern), form);
    EXPECT_EQ(parse_mx_pattern(form, true), *pattern) << "a policy may hold what we write";
  }
}

// What `wide` covers, it matches: over every pattern and host of a small world.
TEST(MxPattern, CoversMeansMatchesEveryHost) {
  std::vector<MxPattern> patterns;
  std::vector<dns::Name> hosts;
  for (const char* text : {"com", "a.com", "b.com", "a.b.com", "b.a.com", "c.b.a.com"}) {
    hosts.push_back(*dns::Name::parse(text));
    patterns.push_back(*parse_mx_pattern(text));
    patterns.push_back(*parse_mx_pattern("*." + std::string(text)));
  }
  for (const MxPattern& wide : patterns)
    for (const MxPattern& narrow : patterns)
      if (covers(wide, narrow))
        for (const dns::Name& host : hosts)
          EXPECT_LE(matches(narrow, host), matches(wide, host)) << format_mx_pattern(wide);
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

}  // namespace
}  // namespace stsctl::sts
