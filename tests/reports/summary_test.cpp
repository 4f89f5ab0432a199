#include "reports/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// Numbers of texts, as a store would give them.
enum : TextId {
  example_com = 1,
  example_net,
  google,
  microsoft,
  old_policy,
  new_policy,
  expired,
  fetch_error,
  unspecified,
  mx1,
  no_host,
  reason,
  no_reason,
  signer,
};

std::string text_of(TextId id) {
  static const std::vector<std::string> texts = {"",
                                                 "example.com",
                                                 "example.net",
                                                 "Google Inc.",
                                                 "Microsoft Corporation",
                                                 "old\n",
                                                 "new\n",
                                                 "certificate-expired",
                                                 "sts-policy-fetch-error",
                                                 "unspecified",
                                                 "mx1.example.com",
                                                 "",
                                                 "it ended",
                                                 "",
                                                 "google.com"};
  return texts.at(static_cast<std::size_t>(id));
}

Time day(int number) {
  return Time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}} +
         std::chrono::days{number - 1};
}

PolicyRow row(TextId domain, TextId organization, TextId policy, int on, std::uint64_t successful,
              std::uint64_t failed = 0) {
  return {.domain = domain,
          .organization = organization,
          .policy = policy,
          .type = PolicyType::sts,
          .first = true,
          .counted = true,
          .begin = day(on),
          .end = day(on + 1),
          .successful = successful,
          .failed = failed};
}

TEST(Summary, NothingIsNothing) {
  const Summary summary = Tally().summary(text_of);
  EXPECT_EQ(summary.reports, 0U);
  EXPECT_EQ(summary.sessions, Sessions{});
  EXPECT_EQ(summary.sessions.failure_share(), 0);
  EXPECT_THAT(summary.domains, IsEmpty());
}

TEST(Summary, AddsUp) {
  Tally tally;
  tally.add(row(example_com, google, new_policy, 1, 90, 10));
  tally.add(row(example_com, google, new_policy, 2, 100));
  PolicyRow none = row(example_net, microsoft, 0, 2, 50);
  none.type = PolicyType::no_policy_found;
  tally.add(none);
  PolicyRow again = row(example_com, microsoft, new_policy, 2, 5);
  again.signer = signer;
  tally.add(again);
  again.type = PolicyType::tlsa;  // the same sessions
  again.first = again.counted = false;
  tally.add(again);

  const Summary summary = tally.summary(text_of);
  EXPECT_EQ(summary.reports, 4U);
  EXPECT_EQ(summary.verified_reports, 1U);
  EXPECT_EQ(summary.sessions, (Sessions{.successful = 245, .failed = 10, .validated = 195}));
  EXPECT_DOUBLE_EQ(summary.sessions.failure_share(), 10.0 / 255);
  EXPECT_DOUBLE_EQ(summary.sessions.validated_share(), 195.0 / 255);

  ASSERT_THAT(summary.organizations, SizeIs(2));
  EXPECT_EQ(summary.organizations[0].name, "Google Inc.");
  EXPECT_EQ(summary.organizations[0].sessions.total(), 200U);
  EXPECT_EQ(summary.organizations[0].last, day(2));
  EXPECT_THAT(summary.organizations[1].signers, ElementsAre("google.com"));
  EXPECT_EQ(summary.organizations[1].verified_reports, 1U);

  ASSERT_THAT(summary.domains, SizeIs(2));
  EXPECT_EQ(summary.domains[0].name, "example.com");
  EXPECT_EQ(summary.domains[0].reports, 3U);
  EXPECT_EQ(summary.domains[1].sessions.validated, 0U);

  ASSERT_THAT(summary.days, SizeIs(2));
  EXPECT_EQ(summary.days[0].sessions.failed, 10U);
  EXPECT_EQ(summary.days[1].sessions.total(), 155U);
}

TEST(Summary, FailuresByTypeAndHost) {
  Tally tally;
  const auto failure = [&](TextId result, TextId mx, TextId why, std::uint64_t sessions, int on,
                           TextId from = google) {
    tally.add(FailureRow{.domain = example_com,
                         .organization = from,
                         .type = PolicyType::sts,
                         .begin = day(on),
                         .result = result,
                         .mx = mx,
                         .reason = why,
                         .sessions = sessions});
  };
  failure(expired, mx1, reason, 3, 1);
  failure(expired, mx1, no_reason, 4, 5, microsoft);
  failure(fetch_error, no_host, no_reason, 2, 2);
  failure(unspecified, no_host, no_reason, 1, 2);

  const Summary summary = tally.summary(text_of);
  ASSERT_THAT(summary.results, SizeIs(3));
  const ResultLine& first = summary.results[0];
  EXPECT_EQ(first.type, ResultType::certificate_expired);
  EXPECT_EQ(first.sessions, 7U);
  EXPECT_EQ(first.last, day(5));
  EXPECT_THAT(first.organizations, ElementsAre("Google Inc.", "Microsoft Corporation"));
  EXPECT_THAT(first.reasons, ElementsAre("it ended"));
  EXPECT_EQ(summary.results[2].type, ResultType::unspecified);
  ASSERT_THAT(summary.mx_hosts, SizeIs(2));
  EXPECT_EQ(summary.mx_hosts[0].host, "mx1.example.com");
  EXPECT_EQ(summary.mx_hosts[0].sessions, 7U);
  EXPECT_THAT(summary.mx_hosts[1].results,
              ElementsAre(Pair("sts-policy-fetch-error", 2U), Pair("unspecified", 1U)));
}

TEST(Summary, CachesThatFollowTheNewestPolicy) {
  Tally tally;
  tally.add(row(example_com, google, old_policy, 1, 10));
  tally.add(row(example_com, google, new_policy, 3, 20));
  tally.add(row(example_com, microsoft, old_policy, 2, 5));
  tally.add(row(example_com, microsoft, 0, 4, 0, 7));  // it could not be fetched
  const Following following = tally.summary(text_of).domains.at(0).following;
  EXPECT_EQ(following.current, "new\n");
  EXPECT_FALSE(following.published);
  EXPECT_EQ(following.on_current, 20U);
  EXPECT_EQ(following.on_older, 15U);
  EXPECT_EQ(following.unnamed, 7U);
  ASSERT_THAT(following.lagging, SizeIs(1));
  EXPECT_EQ(following.lagging[0].organization, "Microsoft Corporation");
  EXPECT_EQ(following.lagging[0].policy, "old\n");
  EXPECT_EQ(following.lagging[0].last, day(2));
}

TEST(Summary, OfTwoPoliciesOnTheLastDayTheOneThatTurnedUpLastIsCurrent) {
  for (const auto& [older, newer] :
       {std::pair(old_policy, new_policy), std::pair(new_policy, old_policy)}) {
    Tally tally;
    tally.add(row(example_com, google, older, 9, 1));
    tally.add(row(example_com, microsoft, newer, 9, 1));
    tally.add(row(example_com, google, older, 2, 1));
    tally.add(row(example_com, google, newer, 5, 1));
    const Following following = tally.summary(text_of).domains.at(0).following;
    EXPECT_EQ(following.current, text_of(newer));
    ASSERT_THAT(following.lagging, SizeIs(1));
    EXPECT_EQ(following.lagging[0].organization, "Google Inc.");
    EXPECT_EQ(following.lagging[0].last, day(9));
  }
}

TEST(Summary, CachesThatFollowThePublishedPolicy) {
  Tally tally;
  tally.add(row(example_com, google, new_policy, 3, 20));
  const auto published = [](const std::string& domain) {
    return domain == "example.com" ? std::optional<std::string>("newer\n") : std::nullopt;
  };
  const Following following = tally.summary(text_of, published).domains.at(0).following;
  EXPECT_TRUE(following.published);
  EXPECT_EQ(following.current, "newer\n");
  EXPECT_EQ(following.on_current, 0U);
  EXPECT_EQ(following.on_older, 20U);
  EXPECT_THAT(following.lagging, SizeIs(1));
}

}  // namespace
}  // namespace stsctl::reports
