#include "reports/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/samples.h"

namespace stsctl::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ReadReport, ReadsEveryField) {
  const auto report = read_report(google_report, sample_now);
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_EQ(report->organization, "Google Inc.");
  EXPECT_EQ(report->contact, "smtp-tls-reporting@google.com");
  EXPECT_EQ(report->id, "2026-11-20T00:00:00Z_example.com");
  EXPECT_EQ(format_time(report->begin), "2026-11-20T00:00:00Z");
  EXPECT_EQ(format_time(report->end), "2026-11-20T23:59:59Z");
  EXPECT_THAT(report->deviations, IsEmpty());
  ASSERT_EQ(report->policies.size(), 1U);
  const PolicyEntry& entry = report->policies[0];
  EXPECT_EQ(entry.type, PolicyType::sts);
  EXPECT_EQ(entry.domain->text(), "example.com");
  EXPECT_THAT(entry.mx, ElementsAre("mail.example.com", "*.backup.example.com"));
  EXPECT_EQ(entry.successful, 53U);
  EXPECT_EQ(entry.failed, 2U);
  ASSERT_EQ(entry.failures.size(), 1U);
  EXPECT_EQ(entry.failures[0].result, ResultType::certificate_expired);
  EXPECT_EQ(entry.failures[0].receiving_mx, "mx2.backup.example.com");
  EXPECT_EQ(entry.failures[0].sending_ip, "192.0.2.9");
  EXPECT_EQ(entry.failures[0].sessions, 2U);
}

TEST(ReadReport, PoliciesOfEqualMeaningAreEqual) {
  const auto google = read_report(google_report, sample_now);
  const auto microsoft = read_report(microsoft_report, sample_now);
  ASSERT_TRUE(google && microsoft);
  EXPECT_EQ(google->policies[0].policy, microsoft->policies[0].policy);
  EXPECT_EQ(google->policies[0].policy,
            canonical_policy("mode: testing\r\nversion: STSv1\r\nmax_age: 86400\r\n"
                             "mx: mail.example.com\r\nmx: *.backup.example.com\r\n"));
  EXPECT_NE(google->policies[0].policy,
            canonical_policy("version: STSv1\nmode: enforce\nmx: mail.example.com\n"
                             "mx: *.backup.example.com\nmax_age: 86400\n"));
  EXPECT_EQ(microsoft->policies[1].policy, "[\"3 1 1 00\"]\n");
}

// What real senders do, and what is made of it.
struct Tolerated {
  const char* from;
  const char* to;
  const char* deviation;
};

TEST(ReadReport, ToleratesWhatRealSendersDo) {
  const Tolerated cases[] = {
      {R"("2026-11-20T23:59:59Z")", R"("2026-11-20T23:59:59")", "end-datetime has no time zone"},
      {R"("2026-11-20T23:59:59Z")", R"("2026-11-21T00:00:00Z")", ""},         // next midnight
      {R"("2026-11-20T23:59:59Z")", R"("2026-11-21T01:59:59.5+02:00")", ""},  // an offset
      {R"("smtp-tls-reporting@google.com")", "null", "contact-info is missing"},
      {R"("contact-info": "smtp-tls-reporting@google.com",)", "", "contact-info is missing"},
      {R"(["mail.example.com", "*.backup.example.com"])", R"("mail.example.com")",
       "mx-host is a string"},  // as RFC 8460 prints it, erratum 6241
      {R"("192.0.2.9")", R"("")", ""},
      {R"(, "total-failure-session-count": 2)", "", "total-failure-session-count is missing"},
      {R"("certificate-expired")", R"("certificate-expired-long-ago")", ""},  // new words
      {R"("failed-session-count": 2)", R"("failed-session-count": 3)", ""},   // sum beyond total
      {R"("failure-details")", R"("future-extension")", ""},
      {R"("report-id")", R"("x-more": {"a": [1.5, true]}, "report-id")", ""},
  };
  for (const Tolerated& one : cases) {
    const auto report = read_report(with(google_report, one.from, one.to), sample_now);
    ASSERT_TRUE(report) << one.to << ": " << to_string(report.error());
    if (*one.deviation == '\0')
      EXPECT_THAT(report->deviations, IsEmpty()) << one.to;
    else
      EXPECT_THAT(report->deviations, ElementsAre(HasSubstr(one.deviation))) << one.to;
  }
}

TEST(ReadReport, AnEntryWithoutDomainIsReadWhereNoPolicyWasFound) {
  const std::string bare = R"({"organization-name": "mx.example.net", "report-id": "1",
    "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
    "policies": [{"policy": {"policy-type": "TYPE"},
                  "summary": {"total-successful-session-count": 1}}]})";
  for (const char* type : {"no-policy-found", "tls"}) {
    const auto report = read_report(with(bare, "TYPE", type), sample_now);
    ASSERT_TRUE(report) << type;
    EXPECT_FALSE(report->policies[0].domain);
    EXPECT_NE(report->policies[0].type, PolicyType::sts);
  }
  EXPECT_FALSE(read_report(with(bare, "TYPE", "sts"), sample_now));
  EXPECT_FALSE(read_report(with(bare, "TYPE", "tlsa"), sample_now));
}

struct Rejected {
  const char* from;
  const char* to;
  const char* why;
};

TEST(ReadReport, RejectsTheRestWithAReason) {
  const Rejected cases[] = {
      {R"("organization-name": "Google Inc.",)", "", "organization-name is missing"},
      {R"("Google Inc.")", "7", "organization-name is no string"},
      {R"("2026-11-20T00:00:00Z_example.com")", R"("")", "report-id is missing"},
      {R"("date-range")", R"("range")", "date-range is missing"},
      {R"("2026-11-20T00:00:00Z")", R"("20.11.2026")", "no date-time"},
      {R"("2026-11-20T00:00:00Z")", R"("2026-02-30T00:00:00Z")", "no date-time"},
      {R"("2026-11-20T00:00:00Z")", R"("2026-11-20T24:00:00Z")", "no date-time"},
      {R"("2026-11-20T00:00:00Z")", R"("2026-11-20T00:00:00Zulu")", "no date-time"},
      {R"("2026-11-20T00:00:00Z")", R"("2026-11-22T00:00:00Z")", "ends before it begins"},
      {R"("2026-11-20T00:00:00Z")", R"("1999-01-01T00:00:00Z")", "before 2016"},
      {R"("2026-11-20T00:00:00Z")", R"("2026-01-01T00:00:00Z")", "longer than"},
      {R"("2026-11-20T23:59:59Z")", R"("2026-11-30T00:00:00Z")", "in the future"},
      {R"("policies": [{)", R"("x": [{)", "policies is missing"},
      {R"("sts")", R"("")", "policy-type is missing"},
      {R"("example.com",)", R"("exa mple..com",)", "policies[0]: policy-domain"},
      {R"("policy-domain": "example.com",)", "", "policy-domain is missing"},
      {R"("summary")", R"("sum")", "summary is missing"},
      {": 53", ": \"53\"", "no whole number"},
      {": 53", ": -53", "no whole number"},
      {": 53", ": 5.3", "no whole number"},
      {": 53", ": 1e3", "no whole number"},
      {": 53", ": 99999999999999", "are believed"},
      {": 53", ": 18446744073709551617", "no whole number"},
      {R"("failed-session-count": 2)", R"("failed-session-count": [])", "no whole number"},
      {R"("certificate-expired")", "{}", "result-type is no string"},
      {R"("report-id")", R"("report-id": "a", "report-id")", "stands twice"},
      {R"("mx: mail.example.com")", "4", "something else than strings"},
      {R"("failure-details": [{)", R"("failure-details": [7, {)", "no object"},
      {"}]\n  }]\n}", "}]\n  }]\n", "no JSON"},
      {"Google", "Goo\xFFgle", "no JSON"},  // no UTF-8
      {"Google", "Goo\x1bgle", "no JSON"},  // a bare control character
  };
  for (const Rejected& one : cases) {
    const auto report = read_report(with(google_report, one.from, one.to), sample_now);
    ASSERT_FALSE(report) << one.to;
    EXPECT_THAT(to_string(report.error()), HasSubstr(one.why)) << one.to;
  }
  for (const char* text : {"", " \n", "[]", "{}", "null", "7", "{\"policies\": []}"})
    EXPECT_FALSE(read_report(text, sample_now)) << text;
}

TEST(ReadReport, KeepsItsLimits) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(to_string(read_report(deep, sample_now).error()), HasSubstr("nested deeper"));
  std::string wide = "[0";
  for (int i = 0; i < 300'000; ++i)
    wide += ",0";
  EXPECT_THAT(to_string(read_report(wide + "]", sample_now).error()), HasSubstr("more than"));
  EXPECT_THAT(to_string(read_report(google_report, sample_now, {.bytes = 100}).error()),
              HasSubstr("longer than 100 bytes"));
  const std::string name(300, 'x');
  EXPECT_THAT(to_string(read_report(with(google_report, "Google Inc.", name), sample_now).error()),
              HasSubstr("longer than 255"));
}

TEST(ReadReport, EveryTextIsHarmless) {
  const auto report = read_report(
      with(with(google_report, "Google Inc.", R"(\u001b[31mEvil\u202e <script>)"),
           R"("failed-session-count": 2)",
           R"("failed-session-count": 2, "failure-reason-code": "a\u0000b\nc\u009b1m")"),
      sample_now);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->organization, printable(report->organization));
  EXPECT_THAT(report->organization, HasSubstr("\\x1B[31mEvil"));
  EXPECT_EQ(report->policies[0].failures[0].reason,
            printable(report->policies[0].failures[0].reason));
}

TEST(CanonicalPolicy, WhatIsNoPolicyStaysReadable) {
  EXPECT_EQ(canonical_policy(" a\r\n\n b\x1b \n"), "a\nb\\x1B\n");
  EXPECT_EQ(canonical_policy("version: STSv1\nmode: none\n\nmax_age: 86400\n\n"),
            "version: STSv1\nmode: none\nmax_age: 86400\n");
  EXPECT_LE(canonical_policy(std::string(10'000'000, 'x')).size(), 4003U);
}

TEST(ReadReport, LongTextsAreCut) {
  const std::string text(100'000, 'x');
  const auto report =
      read_report(with(google_report, "smtp-tls-reporting@google.com", text), sample_now);
  ASSERT_TRUE(report);
  EXPECT_LT(report->contact.size(), 1100U);
}

TEST(ReportTime, Forms) {
  bool zoned = false;
  EXPECT_EQ(format_time(*parse_report_time("2026-11-20t00:00:00z", zoned)), "2026-11-20T00:00:00Z");
  EXPECT_TRUE(zoned);
  EXPECT_EQ(format_time(*parse_report_time("2026-11-20 00:00:00-01:30", zoned)),
            "2026-11-20T01:30:00Z");
  EXPECT_EQ(format_time(*parse_report_time("2026-11-20T00:00:60", zoned)), "2026-11-20T00:01:00Z");
  EXPECT_FALSE(zoned);
  for (const char* bad : {"", "2026", "2026-11-20", "2026-11-20T00:00", "2026-11-20T00:00:00+1",
                          "2026-11-20T00:00:00.Z", "2026-13-20T00:00:00Z", "+026-11-20T00:00:00Z"})
    EXPECT_FALSE(parse_report_time(bad, zoned)) << bad;
}

TEST(ResultTypes, NamesAreReadBack) {
  for (const ResultInfo& one : result_types()) {
    EXPECT_EQ(&info(one.type), &one);
    EXPECT_FALSE(one.cause.empty() || one.mend.empty()) << one.name;
    if (one.type != ResultType::unspecified)
      EXPECT_EQ(parse_result_type(std::string(one.name)), one.type);
  }
  EXPECT_EQ(parse_result_type("Certificate-Expired"), ResultType::certificate_expired);
  EXPECT_EQ(parse_result_type("no-such-thing"), ResultType::other);
  EXPECT_EQ(parse_result_type("unspecified"), ResultType::other);
}

}  // namespace
}  // namespace stsctl::reports
