#include "reports/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/samples.h"
#include "reports/store.h"

namespace stsctl::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const dns::Name example = *dns::Name::parse("example.com");
const dns::Name google = *dns::Name::parse("google.com");
const dns::Name microsoft = *dns::Name::parse("microsoft.com");
const std::string policy = canonical_policy(
    "version: STSv1\nmode: testing\nmx: *.backup.example.com\nmx: mail.example.com\n"
    "max_age: 86400\n");
const Time begin = *parse_time("2026-11-20T00:00:00Z");

class EvidenceTest : public ::testing::Test {
 protected:
  void add(const std::string& json, std::optional<dns::Name> signer) {
    ASSERT_TRUE(store_.add(*read_report(json, sample_now), example, {"here", signer, sample_now}));
  }
  Evidence ask(std::vector<std::string> signers = {}, Time from = begin, Time to = sample_now) {
    const auto evidence = weigh(store_, {example, policy, from, to, std::move(signers)});
    EXPECT_TRUE(evidence) << to_string(evidence.error());
    return *evidence;
  }
  Store store_ = *Store::open(":memory:", Database::Mode::create);
};

TEST_F(EvidenceTest, WithoutReportsThereIsNone) {
  EXPECT_EQ(ask(), Evidence{});
  EXPECT_EQ(ask().failure_share(blocking_results()), std::nullopt);
}

TEST_F(EvidenceTest, VerifiedSessionsUnderThePolicy) {
  add(google_report, google);
  const Evidence evidence = ask();
  EXPECT_EQ(evidence.current, (Observation{1, 53, 2, {{ResultType::certificate_expired, 2}}}));
  EXPECT_EQ(evidence.sessions(), 55U);
  EXPECT_EQ(evidence.failed(blocking_results()), 2U);
  EXPECT_DOUBLE_EQ(*evidence.failure_share(blocking_results()), 2.0 / 55);
  EXPECT_EQ(evidence.failed({ResultType::starttls_not_supported}), 0U);
  EXPECT_THAT(evidence.organizations, ElementsAre("Google Inc."));
  EXPECT_EQ(format_time(*evidence.newest), "2026-11-20T23:59:59Z");
}

TEST_F(EvidenceTest, UnverifiedReportsGateNothing) {
  add(google_report, {});
  const Evidence evidence = ask();
  EXPECT_EQ(evidence.sessions(), 0U);
  EXPECT_EQ(evidence.unverified.total(), 55U);
  EXPECT_FALSE(evidence.newest);
}

TEST_F(EvidenceTest, SignersThatAreNotTakenGateNothing) {
  add(google_report, google);
  EXPECT_EQ(ask({"google.com"}).sessions(), 55U);
  EXPECT_EQ(ask({"microsoft.com"}).sessions(), 0U);
  EXPECT_EQ(ask({"microsoft.com"}).unverified.total(), 55U);
}

TEST_F(EvidenceTest, SessionsUnderAnotherPolicyAreTheCachesOf) {
  add(with(google_report, "max_age: 86400", "max_age: 604800"), google);
  const Evidence evidence = ask();
  EXPECT_EQ(evidence.sessions(), 0U);
  EXPECT_EQ(evidence.older.total(), 55U);
  EXPECT_TRUE(evidence.organizations.empty());
}

TEST_F(EvidenceTest, MicrosoftsDaneEntryAddsNoSession) {
  add(microsoft_report, microsoft);
  const Evidence evidence = ask();
  EXPECT_EQ(evidence.sessions(), 8U);
  EXPECT_EQ(evidence.dane.total(), 8U);
  EXPECT_EQ(evidence.failed(blocking_results()), 1U);
}

TEST_F(EvidenceTest, AFailureToFetchCountsAgainstWhateverIsPublished) {
  add(with(
          microsoft_report,
          R"("policy-string":["version: STSv1","mode: testing","mx: *.backup.example.com","mx: mail.example.com","max_age: 86400"],)",
          ""),
      microsoft);
  const Evidence evidence = ask();
  EXPECT_EQ(evidence.current.total(), 0U);
  EXPECT_EQ(evidence.unnamed.failed, 1U);
  EXPECT_THAT(evidence.unnamed.failures, ElementsAre(Pair(ResultType::sts_policy_fetch_error, 1U)));
  EXPECT_EQ(evidence.failed(blocking_results()), 1U);
}

TEST_F(EvidenceTest, WhereNoPolicyWasFoundNothingIsProved) {
  add(with(google_report, "\"sts\"", "\"no-policy-found\""), google);
  EXPECT_EQ(ask().sessions(), 0U);
  EXPECT_EQ(ask().no_policy.total(), 55U);
}

TEST_F(EvidenceTest, FailuresOfDaneBlockNothing) {
  add(with(google_report, "certificate-expired", "tlsa-invalid"), google);
  EXPECT_EQ(ask().current.failed, 2U);
  EXPECT_EQ(ask().failed(blocking_results()), 0U);
}

TEST_F(EvidenceTest, FailuresThatNobodyExplainsBlock) {
  add(with(google_report, R"("total-failure-session-count": 2)",
           R"("total-failure-session-count": 5)"),
      google);
  EXPECT_THAT(ask().current.failures, ElementsAre(Pair(ResultType::certificate_expired, 2U),
                                                  Pair(ResultType::unspecified, 3U)));
  EXPECT_EQ(ask().failed(blocking_results()), 5U);
}

TEST_F(EvidenceTest, OnlyReportsThatBeginInTheWindow) {
  add(google_report, google);
  EXPECT_EQ(ask({}, begin + Duration{1}).sessions(), 0U);
  EXPECT_EQ(ask({}, begin, begin).sessions(), 0U);
  EXPECT_EQ(ask({}, begin, begin + Duration{1}).sessions(), 55U);
}

}  // namespace
}  // namespace stsctl::reports
