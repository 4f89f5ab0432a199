#include "providers/aws/route53_error.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/aws/xml.h"

namespace stsctl::providers::aws {
namespace {

using testing::HasSubstr;
using testing::Not;

const Time now = *parse_time("2026-11-24T12:00:00Z");

io::Reply answer(int status, const std::string& code, const std::string& message,
                 const std::string& date = "Tue, 24 Nov 2026 12:00:01 GMT") {
  return {status,
          {{"Date", date}},
          fmt::format("<?xml version=\"1.0\"?>\n<ErrorResponse "
                      "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender"
                      "</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>1</RequestId>"
                      "</ErrorResponse>",
                      code, message)};
}

TEST(AwsError, BothShapesAreRead) {
  EXPECT_EQ(parse_error(answer(400, "Throttling", "Rate exceeded").body),
            (ApiError{"Throttling", "Rate exceeded"}));
  EXPECT_EQ(parse_error("<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/"
                        "\"><Messages><Message>one</Message><Message>two\x1b[0m</Message>"
                        "</Messages><RequestId>1</RequestId></InvalidChangeBatch>"),
            (ApiError{"InvalidChangeBatch", "one; two\\x1B[0m"}));
  EXPECT_EQ(parse_error("<Error><Code>NoSuchBucket</Code><Message>m</Message></Error>"),
            (ApiError{"NoSuchBucket", "m"}));
  for (const char* other : {"", "<html><body>no</body></html>", "{\"Code\":\"x\"}", "<a>"})
    EXPECT_EQ(parse_error(other), ApiError{}) << other;
}

TEST(Route53Error, TellsWhatToDo) {
  struct Case {
    io::Reply reply;
    Code code;
    const char* what;
    const char* hint;
  };
  for (const Case& one : std::vector<Case>{
           {answer(400, "Throttling", "Rate exceeded"), Code::rate_limited, "Rate exceeded",
            "later"},
           {answer(400, "PriorRequestNotComplete", "x"), Code::rate_limited, "PriorRequest", ""},
           {{429, {}, ""}, Code::rate_limited, "the service answers 429", ""},
           {answer(400, "InvalidChangeBatch", "[Tried to create it but it already exists]"),
            Code::conflict, "already exists", ""},
           {answer(400, "InvalidChangeBatch", "[but it was not found]"), Code::conflict, "", ""},
           {answer(400, "InvalidChangeBatch", "[the values provided do not match the current]"),
            Code::conflict, "", ""},
           {answer(400, "InvalidChangeBatch", "[because a conflicting RRSet of type CNAME]"),
            Code::conflict, "", ""},
           {answer(400, "InvalidChangeBatch", "[Invalid Resource Record: FATAL problem]"),
            Code::invalid, "FATAL problem", ""},
           {answer(400, "InvalidInput", "TTL"), Code::invalid, "InvalidInput: TTL", ""},
           {answer(403, "AccessDenied",
                   "User: arn:aws:iam::1:user/u is not authorized to perform: "
                   "route53:ListResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1"),
            Code::unauthorized, "route53:ListResourceRecordSets", "IAM policy"},
           {answer(403, "ExpiredToken", "The security token is expired"), Code::unauthorized,
            "ExpiredToken", "sign in again"},
           {answer(403, "InvalidClientTokenId", "x"), Code::unauthorized, "", "access key is"},
           {answer(403, "SignatureDoesNotMatch", "s3cret token"), Code::unauthorized,
            "the secret key does not belong to the access key", "secret access key"},
           {answer(403, "SignatureDoesNotMatch", "Signature expired: s3cret",
                   "Tue, 24 Nov 2026 12:16:40 GMT"),
            Code::unauthorized, "clock is 16 minutes 40 seconds behind the service's", "set the"},
           {answer(403, "SignatureDoesNotMatch", "Signature not yet current",
                   "Tue, 24 Nov 2026 10:00:00 GMT"),
            Code::unauthorized, "clock is 2 hours ahead of the service's", "set the clock"},
           {{403, {}, "<html/>"}, Code::unauthorized, "the service answers 403", ""},
           {{401, {}, ""}, Code::unauthorized, "the service answers 401", ""},
           {answer(404, "NoSuchHostedZone", "No hosted zone found with ID: Z1"), Code::not_found,
            "Z1", ""},
           {{404, {}, "not here"}, Code::protocol, "answers 404", "'endpoint'"},
           {{500, {}, ""}, Code::internal, "answers 500", ""},
           {answer(503, "ServiceUnavailable", "busy"), Code::internal, "busy", ""},
           {{301, {}, ""}, Code::protocol, "answers 301", "'endpoint'"},
           {{400, {}, "x"}, Code::protocol, "answers 400", ""}}) {
    const Error error = route53_error(one.reply, now);
    EXPECT_EQ(to_string(error.code), to_string(one.code)) << one.reply.body;
    EXPECT_THAT(error.what, HasSubstr(one.what));
    EXPECT_THAT(error.hint, HasSubstr(one.hint));
    EXPECT_THAT(to_string(error), Not(HasSubstr("s3cret"))) << "what was signed is not repeated";
  }
}

TEST(Route53Error, OnlyTheTwoThatMeanLaterAreRepeated) {
  EXPECT_TRUE(asks_to_wait(answer(400, "Throttling", "")));
  EXPECT_TRUE(asks_to_wait(answer(400, "PriorRequestNotComplete", "")));
  EXPECT_FALSE(asks_to_wait(answer(400, "InvalidChangeBatch", "Throttling")));
  EXPECT_FALSE(asks_to_wait(answer(403, "Throttling", "")));
  EXPECT_FALSE(asks_to_wait({400, {}, ""}));
}

}  // namespace
}  // namespace stsctl::providers::aws
