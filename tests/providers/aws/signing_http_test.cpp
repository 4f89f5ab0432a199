#include "providers/aws/signing_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_http.h"
#include "providers/aws/aws_world.h"

namespace stsctl::providers::aws {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* expired =
    "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>m</Message></Error></ErrorResponse>";

class Signing : public testing::Test {
 protected:
  void store(const std::string& key) {
    world.folder.write(".aws/credentials", "[default]\naws_access_key_id = " + key +
                                               "\naws_secret_access_key = s\n"
                                               "aws_session_token = t\n");
  }
  std::string asked_as(std::size_t request) const {
    return io::find_header(http.requests().at(request).headers, "Authorization").value_or("");
  }

  fakes::FakeHttp http;
  AwsWorld world{http};
  CredentialChain chain{world.services(), {}};
  SigningHttp signing{http, chain, world.clock, {"us-east-1", "route53"}};
};

TEST_F(Signing, SignsEachTryWhenItIsSent) {
  store("ASIA1");
  http.always([](const io::Request&) { return io::Reply{200, {}, ""}; });
  ASSERT_TRUE(signing.send(io::get("https://route53.amazonaws.com/x")));
  world.clock.advance(std::chrono::minutes(9));
  ASSERT_TRUE(signing.send(io::get("https://route53.amazonaws.com/x")));
  EXPECT_THAT(asked_as(0), HasSubstr("Credential=ASIA1/20270115/us-east-1/route53/aws4_request"));
  EXPECT_EQ(io::find_header(http.requests()[0].headers, "X-Amz-Date"), "20270115T080000Z");
  EXPECT_EQ(io::find_header(http.requests()[1].headers, "X-Amz-Date"), "20270115T080900Z");
  EXPECT_EQ(io::find_header(http.requests()[1].headers, "X-Amz-Security-Token"), "t");
}

TEST_F(Signing, AnExpiredSessionIsRenewedOnce) {
  store("ASIA1");
  http.then(200);
  ASSERT_TRUE(signing.send(io::get("https://route53.amazonaws.com/x")));
  world.clock.advance(std::chrono::minutes(20));
  store("ASIA2");  // as a tool does that signs in again
  http.then(403, expired);
  http.then(200);
  const auto reply = signing.send(io::get("https://route53.amazonaws.com/x"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_THAT(asked_as(1), HasSubstr("ASIA1/"));
  EXPECT_THAT(asked_as(2), HasSubstr("ASIA2/"));
}

TEST_F(Signing, WithoutANewSessionTheRefusalStands) {
  store("ASIA1");
  http.then(403, expired);
  const auto reply = signing.send(io::get("https://route53.amazonaws.com/x"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 403);
  EXPECT_THAT(http.requests(), SizeIs(1));
  http.then(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>");
  EXPECT_EQ(signing.send(io::get("https://route53.amazonaws.com/x"))->status, 403);
}

TEST_F(Signing, WithoutCredentialsNothingIsSent) {
  world.env["AWS_EC2_METADATA_DISABLED"] = "true";
  const auto reply = signing.send(io::get("https://route53.amazonaws.com/x"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::unauthorized);
  EXPECT_THAT(http.requests(), SizeIs(0));
}

}  // namespace
}  // namespace stsctl::providers::aws
