#include "providers/aws/s3_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::providers::aws {
namespace {

using testing::HasSubstr;

io::Reply refusal(int status, const std::string& code, std::vector<io::Header> headers = {}) {
  return {.status = status,
          .headers = std::move(headers),
          .body = "<?xml version=\"1.0\"?><Error><Code>" + code +
                  "</Code><Message>Why.</Message></Error>"};
}

TEST(S3Wire, UsualAddressing) {
  EXPECT_EQ(usual_addressing("policies", true), Addressing::host_name);
  EXPECT_EQ(usual_addressing("mta-sts.example.com", true), Addressing::path)
      << "AWS's certificate covers one label";
  EXPECT_EQ(usual_addressing("policies", false), Addressing::path);
}

TEST(S3Wire, ObjectUrl) {
  EXPECT_EQ(object_url("https://s3.eu-central-1.amazonaws.com", Addressing::host_name, "policies",
                       "mta-sts.example.com/.well-known/mta-sts.txt"),
            "https://policies.s3.eu-central-1.amazonaws.com/mta-sts.example.com/.well-known/"
            "mta-sts.txt");
  EXPECT_EQ(object_url("http://127.0.0.1:9000", Addressing::path, "a.b", "x y/+%/ü"),
            "http://127.0.0.1:9000/a.b/x%20y/%2B%25/%C3%BC");
}

TEST(S3Wire, Endpoint) {
  EXPECT_EQ(s3_endpoint("eu-central-1"), "https://s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(s3_endpoint("cn-north-1"), "https://s3.cn-north-1.amazonaws.com.cn");
}

TEST(S3Wire, IsAtAws) {
  for (const char* endpoint :
       {"https://s3.eu-central-1.amazonaws.com", "https://S3.cn-north-1.amazonaws.com.cn:443/",
        "https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com/"})
    EXPECT_TRUE(is_at_aws(endpoint)) << endpoint;
  for (const char* endpoint : {"https://minio.example.net", "http://127.0.0.1:9000",
                               "https://amazonaws.com.example.net", "https://xamazonaws.com"})
    EXPECT_FALSE(is_at_aws(endpoint)) << endpoint;
}

TEST(S3Wire, AHostWithoutACertificateForTheDomainIsUnfit) {
  for (const char* host :
       {"policies.s3-website.eu-central-1.amazonaws.com", "p.s3-website-us-east-1.amazonaws.com.",
        "P.S3-Website.cn-north-1.amazonaws.com.cn"})
    EXPECT_THAT(unfit_host(host), HasSubstr("no HTTPS")) << host;
  for (const char* host : {"policies.s3.eu-central-1.amazonaws.com", "s3.amazonaws.com",
                           "policies.s3-eu-west-1.amazonaws.com", "policies.s3.amazonaws.com"})
    EXPECT_THAT(unfit_host(host), HasSubstr("certificate")) << host;
  for (const char* host : {"d111111abcdef8.cloudfront.net", "web.example.net", "s3.example.net",
                           "lb-1.eu-central-1.elb.amazonaws.com"})
    EXPECT_EQ(unfit_host(host), "") << host;
}

TEST(S3Wire, OnlyThatObjectIsAbsent) {
  EXPECT_TRUE(is_no_such_key(refusal(404, "NoSuchKey")));
  EXPECT_FALSE(is_no_such_key(refusal(404, "NoSuchBucket")));
  EXPECT_FALSE(is_no_such_key({.status = 404, .body = "<html>Not found</html>"}));
  EXPECT_FALSE(is_no_such_key(refusal(403, "NoSuchKey")));
}

TEST(S3Wire, AsksToWait) {
  EXPECT_TRUE(s3_asks_to_wait(refusal(503, "SlowDown")));
  EXPECT_TRUE(s3_asks_to_wait(refusal(429, "TooManyRequests")));
  EXPECT_FALSE(s3_asks_to_wait(refusal(503, "ServiceUnavailable"))) << "it may have happened";
  EXPECT_FALSE(s3_asks_to_wait(refusal(400, "SlowDown")));
}

struct Case {
  int status;
  const char* code;
  Code meaning;
  const char* hint;
};

TEST(S3Wire, EveryRefusalSaysWhatToDo) {
  for (const Case& c : std::vector<Case>{
           {412, "PreconditionFailed", Code::conflict, "plan again"},
           {409, "ConditionalRequestConflict", Code::conflict, "plan again"},
           {501, "NotImplemented", Code::unsupported, ""},
           {404, "NoSuchBucket", Code::not_found, "'bucket'"},
           {301, "PermanentRedirect", Code::invalid, "region: eu-west-1"},
           {400, "AuthorizationHeaderMalformed", Code::invalid, "region: eu-west-1"},
           {403, "AccessDenied", Code::unauthorized, "docs/providers/s3.md"},
           {403, "SignatureDoesNotMatch", Code::unauthorized, "secret access key"},
           {403, "InvalidAccessKeyId", Code::unauthorized, "access key is unknown"},
           {400, "ExpiredToken", Code::unauthorized, "sign in again"},
           {503, "SlowDown", Code::rate_limited, "'rate'"},
           {500, "InternalError", Code::unreachable, "apply again"},
           {400, "EntityTooLarge", Code::invalid, ""},
           {405, "", Code::protocol, "'endpoint'"},
       }) {
    const Error error =
        s3_error(refusal(c.status, c.code, {{"x-amz-bucket-region", "eu-west-1"}}), Time{});
    EXPECT_EQ(error.code, c.meaning) << c.code;
    EXPECT_THAT(error.hint, HasSubstr(c.hint)) << c.code;
    EXPECT_THAT(error.what, HasSubstr(c.code));
  }
}

TEST(S3Wire, TheRightRegionStandsInAHeaderOrInTheBody) {
  const io::Reply body{.status = 400,
                       .body =
                           "<Error><Code>AuthorizationHeaderMalformed</Code><Message>M</Message>"
                           "<Region>eu-west-1</Region></Error>"};
  EXPECT_EQ(s3_error(body, Time{}).hint, "set 'region: eu-west-1'");
  EXPECT_EQ(
      s3_error(refusal(301, "PermanentRedirect", {{"x-amz-bucket-region", "cn-north-1"}}), {}).hint,
      "set 'region: cn-north-1'");
  EXPECT_EQ(s3_error(refusal(301, "PermanentRedirect"), {}).hint, "set 'region' to the bucket's");
}

}  // namespace
}  // namespace stsctl::providers::aws
