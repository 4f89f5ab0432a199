#include "sts/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::sts {
namespace {

std::string id_of(const std::string& txt) {
  const auto checked = parse_sts_record(txt);
  return checked.value ? checked.value->id : "-- " + errors(checked.findings);
}

TEST(StsRecord, ReadsWhatTheGrammarAllows) {
  for (const auto& [txt, id] : std::vector<std::pair<std::string, std::string>>{
           {"v=STSv1; id=20260101T000000;", "20260101T000000"},
           {"v=STSv1;id=a", "a"},
           {"v=STSv1;\tid=b \t;", "b"},         // WSP round the delimiter
           {"v=STSv1; x.y-z_1=!#; id=c", "c"},  // extension first
           {"v=STSv1; id=d; id=e", "d"},        // §3.2: the first counts
           {"v=STSv1 ; id=f", "f"},             // ABNF; erratum 6285
           {"v=STSv1;id=" + std::string(32, 'z'), std::string(32, 'z')},
           {"v=STSv1;id=a;" + std::string(32, 'x') + "=1", "a"},
           {"v=STSv1;ID=x;id=a", "a"},     // another name, so an extension
           {"v=STSv1;id=a;v=STSv2", "a"},  // "v" is an extension after the version
           {"v=STSv1;id=a;x=!\"~/:<>?@", "a"},
           {"v=STSv1;id=a; \t", "a"},    // blanks after the last delimiter belong to it
           {"v=STSv1;id=a;id=?;", "a"},  // the first counts
       })
    EXPECT_EQ(id_of(txt), id) << txt;
}

TEST(StsRecord, RejectsAndSaysWhy) {
  for (const auto& [txt, why] : std::vector<std::pair<std::string, std::string>>{
           {"v=STSV1; id=a", "case-sensitive"},
           {" v=STSv1; id=a", "case-sensitive"},
           {"v=STSv1", "'id' is missing"},
           {"v=STSv1; ID=a", "'id' is missing"},
           {"v=STSv1; id=", "empty"},
           {"v=STSv1; id=a b", "letters and digits"},
           {"v=STSv1; id=a-b", "letters and digits"},
           {"v=STSv1; id=" + std::string(33, 'a'), "at most 32"},
           {"v=STSv1; id=a;;", "empty field"},
           {"v=STSv1; id=a; x", "no '='"},
           {"v=STSv1; id=a; _x=1", "no field name"},
           {"v=STSv1; id=a; x=\xC3\xA9", "outside printable ASCII"},
           {"", "case-sensitive"},
           {"v=STSv10; id=a", "case-sensitive"},
           {"v=STSv1, id=a", "case-sensitive"},
           {"\"v=STSv1; id=a;\"", "case-sensitive"},  // quotes pasted into a form
           {"v=STSv1; id=a ", "letters and digits"},  // no delimiter that the blank belongs to
           {"v=STSv1; id=\"a\"", "letters and digits"},
           {"v=STSv1; id = a", "no field name"},
           {"v=STSv1; id=?; id=a", "letters and digits"},  // the first counts
           {"v=STSv1;; id=a", "empty field"},
           {"v=STSv1; id=a; x=", "is empty"},
           {"v=STSv1; id=a; x==", "'='"},
           {"v=STSv1; id=a; x=b c", "blank"},
           {"v=STSv1; id=a; " + std::string(33, 'x') + "=1", "no field name"},
       }) {
    const auto checked = parse_sts_record(txt);
    EXPECT_FALSE(checked.value) << txt;
    EXPECT_NE(errors(checked.findings).find(why), std::string::npos)
        << txt << ": " << errors(checked.findings);
    EXPECT_NE(errors(checked.findings).find("RFC 8461 §3.1"), std::string::npos);
  }
}

TEST(StsRecord, OutsideTextCannotDriveATerminal) {
  EXPECT_EQ(id_of("v=STSv1; id=\x1b[2J").find('\x1b'), std::string::npos);
}

TEST(StsRecords, CountsOnlyRecordsThatBeginRight) {
  EXPECT_EQ(parse_sts_records({"other", "v=STSv1; id=a"}).value, StsRecord{"a"});
  EXPECT_FALSE(parse_sts_records({"v=STSv1; id=a", "v=STSv1; id=b"}).value);  // §3.1: exactly one
  EXPECT_FALSE(parse_sts_records({"v=STSv10; id=a"}).value);
  EXPECT_FALSE(parse_sts_records({}).value);
  // One that is there but invalid counts too.
  EXPECT_FALSE(parse_sts_records({"v=STSv1; id=a", "v=STSv1; nothing"}).value);
}

std::vector<std::string> messages(const std::vector<Finding>& findings) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.severity, Severity::warning);
    EXPECT_EQ(finding.rule, "interoperability");
    texts.push_back(finding.message);
  }
  return texts;
}

struct WarningCase {
  std::vector<std::string> txts;
  std::vector<std::string> says;  // each in one warning, and no warning more
};

std::vector<::testing::Matcher<std::string>> substrings(const std::vector<std::string>& texts) {
  std::vector<::testing::Matcher<std::string>> matchers;
  for (const std::string& text : texts)
    matchers.push_back(::testing::HasSubstr(text));
  return matchers;
}

TEST(StsRecords, WarnsOfSendersThatDiffer) {
  for (const WarningCase& one : std::vector<WarningCase>{
           {{"v=STSv1; id=a"}, {}},
           {{"v=STSv1;id=a;"}, {}},
           {{"v=STSv1 ; id=a"}, {"chasquid"}},
           {{"v=STSv1\t;id=a"}, {"chasquid"}},
           {{"v=STSv1; id=a; x=y"}, {"unknown field"}},
           {{"v=STSv1; id=a; id=b"}, {"'id' is repeated"}},
           {{"v=STSv1; id=a", "other"}, {"go-mtasts and maddy want exactly one, KumoMTA"}},
       }) {
    const auto checked = parse_sts_records(one.txts);
    ASSERT_TRUE(checked.value) << one.txts.front();
    EXPECT_THAT(messages(checked.findings), ::testing::ElementsAreArray(substrings(one.says)))
        << one.txts.front();
  }
}

TEST(TlsRptRecords, WarnsOfReportersThatDiffer) {
  for (const WarningCase& one : std::vector<WarningCase>{
           {{"v=TLSRPTv1; rua=mailto:a@example.com,https://r.example/x"}, {}},
           {{"v=TLSRPTv1; rua=mailto:a@example.com; x=y"}, {}},
           {{"v=TLSRPTv1; rua=mailto:a@example.com", "other"}, {}},
           {{"v=TLSRPTv1 ;rua=mailto:a@example.com"}, {"RFC 8460 §3 discards"}},
           {{"v=TLSRPTv1; rua=mailto:a@example.com , mailto:b@example.com"}, {"sys4"}},
           {{"v=TLSRPTv1; rua=mailto:a@example.com; rua=mailto:b@example.com"}, {"sys4"}},
       }) {
    const auto checked = parse_tlsrpt_records(one.txts);
    ASSERT_TRUE(checked.value) << one.txts.front();
    EXPECT_THAT(messages(checked.findings), ::testing::ElementsAreArray(substrings(one.says)))
        << one.txts.front();
  }
}

TEST(TlsRptRecords, ExactlyOneOrNone) {
  EXPECT_TRUE(parse_tlsrpt_records({"x", "v=TLSRPTv1; rua=mailto:a@example.com"}).value);
  for (const std::vector<std::string>& txts : std::vector<std::vector<std::string>>{
           {},
           {"x"},
           {"x", "y"},
           {"v=TLSRPTv10; rua=mailto:a@example.com"},
           {"v=TLSRPTv1; rua=mailto:a@example.com", "v=TLSRPTv1; rua=mailto:b@example.com"},
           {"v=TLSRPTv1; rua=mailto:a@example.com", "v=TLSRPTv1;"}}) {
    const auto checked = parse_tlsrpt_records(txts);
    EXPECT_FALSE(checked.value);
    EXPECT_NE(errors(checked.findings).find("RFC 8460 §3"), std::string::npos);
  }
}

// What a known sender reads otherwise is not the same, so that it is written anew.
TEST(SameRecord, IsByMeaningAndForEverySender) {
  for (const char* same :
       {"v=STSv1; id=a", "v=STSv1;id=a;", "v=STSv1;\tid=a ; ", "v=STSv1;x=y;id=a"})
    EXPECT_TRUE(same_sts_record(same, "v=STSv1; id=a")) << same;
  for (const char* other :
       {"v=STSv1; id=A", "v=STSv1 ; id=a", "v=STSv1; id=a; id=a", "", "v=STSv1;"})
    EXPECT_FALSE(same_sts_record(other, "v=STSv1; id=a")) << other;
  const std::string tlsrpt = "v=TLSRPTv1; rua=mailto:a@example.com,mailto:b@example.com";
  EXPECT_TRUE(same_tlsrpt_record("v=TLSRPTv1;rua=mailto:a@example.com, mailto:b@example.com; x=y;",
                                 tlsrpt));
  for (const char* other : {"v=TLSRPTv1; rua=mailto:a@example.com",
                            "v=TLSRPTv1; rua=mailto:b@example.com,mailto:a@example.com",
                            "v=TLSRPTv1; rua=mailto:a@example.com; rua=mailto:b@example.com",
                            "v=TLSRPTv1 ; rua=mailto:a@example.com,mailto:b@example.com"})
    EXPECT_FALSE(same_tlsrpt_record(other, tlsrpt)) << other;
}

TEST(StsRecord, RoundTrips) {
  const StsRecord record{"Az09"};
  EXPECT_EQ(format_sts_record(record), "v=STSv1; id=Az09");
  const auto checked = parse_sts_record(format_sts_record(record));
  EXPECT_EQ(checked.value, record);
  EXPECT_TRUE(checked.findings.empty());
  EXPECT_TRUE(same_sts_record("v=STSv1;id=Az09;", format_sts_record(record)));
  EXPECT_FALSE(same_sts_record("v=STSv1;id=az09;", format_sts_record(record)));
  EXPECT_FALSE(same_sts_record("junk", "junk"));
}

TEST(TlsRptRecord, ReadsUris) {
  const auto checked =
      parse_tlsrpt_record("v=TLSRPTv1; rua=mailto:a@example.com , https://r.example/x?a=1&b=2;");
  ASSERT_TRUE(checked.value) << errors(checked.findings);
  EXPECT_EQ(checked.value->rua,
            (std::vector<std::string>{"mailto:a@example.com", "https://r.example/x?a=1&b=2"}));
  EXPECT_EQ(format_tlsrpt_record(*checked.value),
            "v=TLSRPTv1; rua=mailto:a@example.com,https://r.example/x?a=1&b=2");
  EXPECT_TRUE(same_tlsrpt_record("v=TLSRPTv1;rua=mailto:a@example.com",
                                 "v=TLSRPTv1; rua=mailto:a@example.com;"));
}

TEST(TlsRptRecord, SeveralFieldsCountTogether) {
  const auto checked =
      parse_tlsrpt_record("v=TLSRPTv1; rua=mailto:a@example.com; rua=mailto:b@example.com");
  ASSERT_TRUE(checked.value);
  EXPECT_EQ(checked.value->rua,
            (std::vector<std::string>{"mailto:a@example.com", "mailto:b@example.com"}));
}

// RFC 8460 §3 has two schemes, its ABNF any.
TEST(TlsRptRecord, WarnsOfDestinationsThatGetNothing) {
  for (const char* uri : {"http://r.example/", "mailo:a@example.com", "mailto:example.com"}) {
    const auto checked = parse_tlsrpt_record(std::string("v=TLSRPTv1; rua=") + uri);
    ASSERT_TRUE(checked.value) << uri;
    ASSERT_EQ(checked.findings.size(), 1U) << uri;
    EXPECT_EQ(checked.findings.front().severity, Severity::warning);
    EXPECT_NE(checked.findings.front().message.find("gets no reports"), std::string::npos);
  }
}

TEST(TlsRptRecord, RejectsAndSaysWhy) {
  for (const auto& [txt, why] : std::vector<std::pair<std::string, std::string>>{
           {"v=TLSRPTv1;", "'rua' is missing"},
           {"v=TLSRPTv1; rua=", "it is empty"},
           {"v=TLSRPTv1; rua=a@example.com", "no scheme"},
           {"v=TLSRPTv1; rua=mailto:a!b@example.com", "percent-encoded"},
           {"v=TLSRPTv1; rua=mailto:a%2@example.com", "hexadecimal"},
           {"v=tlsrptv1; rua=mailto:a@example.com", "case-sensitive"},
           {"v=TLSRPTv1; RUA=mailto:a@example.com", "'rua' is missing"},
           {"v=TLSRPTv1; rua=mailto:a@example.com,", "it is empty"},
           {"v=TLSRPTv1; rua=mailto:a@example.com;;", "empty field"},
           {"v=TLSRPTv1; rua=mailto:a@example.com; x", "no '='"},
           {"v=TLSRPTv1; rua=mailto:a@example.com; rua=", "it is empty"},
           {"v=TLSRPTv1; rua=mailto:a b@example.com", "percent-encoded"},
           {"v=TLSRPTv1 rua=mailto:a@example.com", "case-sensitive"},
       }) {
    const auto checked = parse_tlsrpt_record(txt);
    EXPECT_FALSE(checked.value) << txt;
    EXPECT_NE(errors(checked.findings).find(why), std::string::npos)
        << txt << ": " << errors(checked.findings);
  }
}

TEST(Rua, PublishedOnesMustWork) {
  for (const char* good :
       {"mailto:tls@example.com", "https://example.com/r", "mailto:a%2Cb@example.com",
        "MAILTO:tls@example.com", "mailto:tls@example.com?subject=x", "https://example.com",
        "https://example.com:8443/r?a=1&b=2#f", "https://[2001:db8::1]:443/",
        "https://u@h.example/"})
    EXPECT_TRUE(check_rua(good)) << good;
  for (const char* bad : {"tls@example.com",
                          "http://example.com/",
                          "mailto:example.com",
                          "https://",
                          "https:///x",
                          "mailto:@example.com",
                          "mailto:a@exa mple.com",
                          "",
                          "https://?x",
                          "https://#",
                          "https://:443/",
                          "https://example.com:https/",
                          "https://exa_mple..com/",
                          "https:example.com",
                          "mailto:",
                          ":a@example.com",
                          "1mailto:a@example.com",
                          "mailto:a@example.com,mailto:b@example.com",
                          "mailto:a@m\xC3\xBC.example",
                          "https://example.com/a;b",
                          "https://example.com/%zz"})
    EXPECT_FALSE(check_rua(bad)) << bad;
}

}  // namespace
}  // namespace stsctl::sts
