#include "sts/record.h"

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

TEST(TlsRptRecord, RejectsAndSaysWhy) {
  for (const auto& [txt, why] : std::vector<std::pair<std::string, std::string>>{
           {"v=TLSRPTv1;", "'rua' is missing"},
           {"v=TLSRPTv1; rua=", "it is empty"},
           {"v=TLSRPTv1; rua=a@example.com", "no scheme"},
           {"v=TLSRPTv1; rua=mailto:a!b@example.com", "percent-encoded"},
           {"v=TLSRPTv1; rua=mailto:a%2@example.com", "hexadecimal"},
           {"v=tlsrptv1; rua=mailto:a@example.com", "case-sensitive"},
       }) {
    const auto checked = parse_tlsrpt_record(txt);
    EXPECT_FALSE(checked.value) << txt;
    EXPECT_NE(errors(checked.findings).find(why), std::string::npos)
        << txt << ": " << errors(checked.findings);
  }
}

TEST(Rua, PublishedOnesMustWork) {
  for (const char* good :
       {"mailto:tls@example.com", "https://example.com/r", "mailto:a%2Cb@example.com"})
    EXPECT_TRUE(check_rua(good)) << good;
  for (const char* bad :
       {"tls@example.com", "http://example.com/", "mailto:example.com", "https://", "https:///x",
        "mailto:@example.com", "mailto:a@exa mple.com", ""})
    EXPECT_FALSE(check_rua(bad)) << bad;
}

}  // namespace
}  // namespace stsctl::sts
