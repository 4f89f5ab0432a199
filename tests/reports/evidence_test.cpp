#include "reports/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/samples.h"
#include "reports/store.h"

namespace stsctl::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const dns::Name example = *dns::Name::parse("example.com");
const dns::Name google = *dns::Name::parse("google.com");
const dns::Name microsoft = *dns::Name::parse("microsoft.com");
const std::string policy = canonical_policy(
    "version: STSv1\nmode: testing\nmx: *.backup.example.com\nmx: mail.example.com\n"
    "max_age: 86400\n");
const Time begin = *parse_time("2026-11-20T00:00:00Z");
const Time end = *parse_time("2026-11-20T23:59:59Z");

class EvidenceTest : public ::testing::Test {
 protected:
  void add(const std::string& json, std::optional<dns::Name> signer) {
    ASSERT_TRUE(store_.add(*read_report(json, sample_now), example, {"here", signer, sample_now}));
  }
  std::vector<ReportedSessions> ask(std::vector<std::string> signers = {}, Time since = begin) {
    const auto said = sessions_under(store_, {example, policy, since, std::move(signers)});
    EXPECT_TRUE(said) << to_string(said.error());
    return said.value_or(std::vector<ReportedSessions>{});
  }
  Store store_ = *Store::open(":memory:", Database::Mode::create);
};

TEST_F(EvidenceTest, WithoutReportsThereIsNone) {
  EXPECT_THAT(ask(), IsEmpty());
}

TEST_F(EvidenceTest, VerifiedSessionsUnderThePolicy) {
  add(google_report, google);
  EXPECT_THAT(ask(),
              ElementsAre(ReportedSessions{begin, end, 55, 2, {{"certificate-expired", 2}}}));
}

TEST_F(EvidenceTest, OneForEachSender) {
  add(google_report, google);
  add(with(google_report, "Google Inc.", "Another"), microsoft);
  EXPECT_EQ(ask().size(), 2U);
}

TEST_F(EvidenceTest, UnverifiedReportsGateNothing) {
  add(google_report, {});
  EXPECT_THAT(ask(), IsEmpty());
}

TEST_F(EvidenceTest, SignersThatAreNotTakenGateNothing) {
  add(google_report, google);
  EXPECT_EQ(ask({"google.com"}).size(), 1U);
  EXPECT_THAT(ask({"microsoft.com"}), IsEmpty());
}

TEST_F(EvidenceTest, SessionsUnderAnotherPolicyAreThoseOfCaches) {
  add(with(google_report, "max_age: 86400", "max_age: 604800"), google);
  EXPECT_THAT(ask(), IsEmpty());
}

TEST_F(EvidenceTest, MicrosoftsDaneEntryAddsNoSession) {
  add(microsoft_report, microsoft);
  ASSERT_EQ(ask().size(), 1U);
  EXPECT_EQ(ask()[0].sessions, 8U);
  EXPECT_EQ(ask()[0].failed, 1U);
}

TEST_F(EvidenceTest, AFailureToFetchCountsAgainstWhatIsPublishedThen) {
  const std::string unnamed = with(
      microsoft_report,
      R"("policy-string":["version: STSv1","mode: testing","mx: *.backup.example.com","mx: mail.example.com","max_age: 86400"],)",
      "");
  add(unnamed, microsoft);
  ASSERT_EQ(ask({}, begin - Duration{86400}).size(), 1U);
  EXPECT_THAT(ask({}, begin - Duration{86400})[0].failures,
              ElementsAre(std::pair("sts-policy-fetch-error", 1U)));
  EXPECT_THAT(ask({}, begin + Duration{86400}), IsEmpty()) << "another was published when it began";
}

TEST_F(EvidenceTest, WhereNoPolicyWasFoundNothingIsProved) {
  add(with(google_report, "\"sts\"", "\"no-policy-found\""), google);
  EXPECT_THAT(ask(), IsEmpty());
}

TEST_F(EvidenceTest, FailuresThatNobodyExplainsAreCounted) {
  add(with(google_report, R"("total-failure-session-count": 2)",
           R"("total-failure-session-count": 5)"),
      google);
  ASSERT_EQ(ask().size(), 1U);
  EXPECT_EQ(ask()[0].failed, 5U);
  EXPECT_THAT(ask()[0].failures, ElementsAre(std::pair("certificate-expired", 2U)));
}

TEST_F(EvidenceTest, OnlyReportsThatEndLater) {
  add(google_report, google);
  EXPECT_EQ(ask({}, end - Duration{1}).size(), 1U);
  EXPECT_THAT(ask({}, end), IsEmpty());
  EXPECT_EQ(ask({}, Time::min()).size(), 1U) << "a stage whose begin nobody knows";
}

}  // namespace
}  // namespace stsctl::reports
