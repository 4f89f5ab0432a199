// The paths, requests and answers of CloudFront's invalidations, by tables.
#include "providers/aws/cloudfront_wire.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::providers::aws {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

io::Reply refusal(int status, const std::string& code) {
  return {.status = status,
          .body =
              "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/"
              "doc/2020-05-31/\"><Error><Type>Sender</Type><Code>" +
              code + "</Code><Message>Why.</Message></Error></ErrorResponse>"};
}

std::vector<std::string> keys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i)
    keys.push_back(fmt::format("mta-sts.d{}.example/.well-known/mta-sts.txt", i));
  return keys;
}

TEST(CloudFrontPaths, AreTheOneSendersAskForAndTheKeys) {
  EXPECT_THAT(invalidation_paths({"mta-sts.b.example/x.txt", "mta-sts.a.example/x.txt",
                                  "mta-sts.b.example/x.txt"}),
              ElementsAre("/.well-known/mta-sts.txt", "/mta-sts.a.example/x.txt",
                          "/mta-sts.b.example/x.txt"));
  EXPECT_THAT(invalidation_paths({}), IsEmpty());
}

TEST(CloudFrontPaths, OfManyAreOneWildcard) {
  EXPECT_THAT(invalidation_paths(keys(99)), SizeIs(100));
  EXPECT_THAT(invalidation_paths(keys(100)),
              ElementsAre("/.well-known/mta-sts.txt", "/mta-sts.d*"));
  std::vector<std::string> mixed = keys(200);
  mixed.emplace_back("other/x.txt");
  EXPECT_THAT(invalidation_paths(mixed), ElementsAre("/.well-known/mta-sts.txt", "/*"));
}

TEST(CloudFrontPaths, AreEncodedNoMoreThanNeedBe) {
  EXPECT_EQ(invalidation_paths({"a b~{c}/ü%.txt"}).back(), "/a%20b%7E%7Bc%7D/%C3%BC%25.txt");
  EXPECT_EQ(invalidation_paths({"a-b_c/!$&'()+,;=:@.txt"}).back(), "/a-b_c/!$&'()+,;=:@.txt");
}

TEST(CloudFrontWire, Body) {
  EXPECT_EQ(invalidation_body({"/a&b", "/c"}, "one"),
            "<?xml version=\"1.0\"?><InvalidationBatch "
            "xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Paths>"
            "<Quantity>2</Quantity><Items><Path>/a&amp;b</Path><Path>/c</Path></Items></Paths>"
            "<CallerReference>one</CallerReference></InvalidationBatch>");
}

TEST(CloudFrontWire, Answer) {
  const auto answer = [](const std::string& inside) {
    return parse_invalidation(
        "<?xml version=\"1.0\"?>\n<Invalidation xmlns=\"http://cloudfront."
        "amazonaws.com/doc/2020-05-31/\">" +
        inside + "</Invalidation>");
  };
  EXPECT_EQ(answer("<Id>I1</Id><Status>InProgress</Status>"), (Invalidation{"I1", false}));
  EXPECT_EQ(answer("<Id>I1</Id><Status>Completed</Status>"), (Invalidation{"I1", true}));
  for (const char* bad : {"", "<Id>I1</Id>", "<Status>Completed</Status>",
                          "<Id>../../I1</Id><Status>InProgress</Status>"}) {
    const auto parsed = answer(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Code::protocol);
  }
  EXPECT_FALSE(parse_invalidation("<html>Hello</html>"));
  EXPECT_FALSE(parse_invalidation("{}"));
}

struct Case {
  int status;
  const char* code;
  Code meaning;
  const char* hint;
};

TEST(CloudFrontWire, EveryRefusalSaysWhatToDo) {
  for (const Case& c : std::vector<Case>{
           {403, "AccessDenied", Code::unauthorized, "allow cloudfront:GetInvalidation"},
           {403, "SignatureDoesNotMatch", Code::unauthorized, "secret access key"},
           {403, "InvalidClientTokenId", Code::unauthorized, "access key is unknown"},
           {403, "ExpiredToken", Code::unauthorized, "sign in again"},
           {404, "NoSuchDistribution", Code::not_found, "'distribution'"},
           {404, "NoSuchInvalidation", Code::not_found, ""},
           {400, "TooManyInvalidationsInProgress", Code::rate_limited, ""},
           {400, "Throttling", Code::rate_limited, ""},
           {400, "InvalidationBatchAlreadyExists", Code::invalid, ""},
           {413, "BatchTooLarge", Code::invalid, ""},
           {500, "InternalError", Code::unreachable, ""},
           {405, "", Code::protocol, "'cloudfront_endpoint'"},
       }) {
    const Error error = cloudfront_error(refusal(c.status, c.code), Time{}, "GetInvalidation");
    EXPECT_EQ(error.code, c.meaning) << c.code;
    EXPECT_THAT(error.hint, HasSubstr(c.hint)) << c.code;
    EXPECT_THAT(error.what, HasSubstr(c.code));
  }
}

TEST(CloudFrontWire, OnlyItsRateIsWaitedForBelow) {
  EXPECT_TRUE(cloudfront_asks_to_wait(refusal(400, "Throttling")));
  EXPECT_FALSE(cloudfront_asks_to_wait(refusal(400, "TooManyInvalidationsInProgress")));
  EXPECT_FALSE(cloudfront_asks_to_wait(refusal(403, "Throttling")));
}

}  // namespace
}  // namespace stsctl::providers::aws
