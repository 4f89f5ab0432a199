#include "providers/aws/profile.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::providers::aws {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(AwsProfile, ReadsBothFiles) {
  Profiles profiles;
  ASSERT_TRUE(
      read_config("# a comment\n"
                  "[default]\n"
                  "region = eu-west-1\r\n"
                  "\n"
                  "[ profile  ops ]\n"
                  "Role_ARN=arn:aws:iam::1:role/ops = x\n"
                  "; another\n"
                  "s3 =\n"
                  "  max_concurrent_requests = 20\n"
                  "\taddressing_style = path\n"
                  "source_profile = default\n"
                  "[profile \"two words\"]\n"
                  "region = us-east-2 # no comment\n"
                  "[sso-session corp]\n"
                  "sso_region = x\n"
                  "[profilex]\n"
                  "region = y\n",
                  "config", profiles));
  ASSERT_TRUE(
      read_credentials("[default]\n"
                       "aws_access_key_id = AKID\n"
                       "region = from-credentials\n"
                       "[profile ops]\n"
                       "aws_access_key_id = other\n",
                       "credentials", profiles));
  EXPECT_EQ(profiles.at("default").get("region"), "from-credentials");
  EXPECT_EQ(profiles.at("default").config.at("region"), "eu-west-1");
  EXPECT_EQ(profiles.at("default").get("aws_access_key_id"), "AKID");
  EXPECT_EQ(profiles.at("ops").get("role_arn"), "arn:aws:iam::1:role/ops = x");
  EXPECT_EQ(profiles.at("ops").get("source_profile"), "default");
  EXPECT_FALSE(profiles.at("ops").get("s3")) << "a list is no value";
  EXPECT_FALSE(profiles.at("ops").get("max_concurrent_requests"));
  EXPECT_EQ(profiles.at("two words").get("region"), "us-east-2 # no comment");
  EXPECT_EQ(profiles.at("profile ops").get("aws_access_key_id"), "other");
  EXPECT_EQ(profiles.size(), 4U) << "sections that are no profiles are left out";
}

TEST(AwsProfile, NamesALineThatCannotBeReadWithoutShowingIt) {
  for (const char* text : {"[default]\nregion = x\nAKIASECRET\n", "\n\naws_secret_access_key = x\n",
                           "[default]\n\n= value\n", "[default\n\n"}) {
    Profiles profiles;
    const auto read = read_config(text, "/home/a/.aws/config", profiles);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_THAT(read.error().where, HasSubstr("/home/a/.aws/config:"));
    EXPECT_THAT(to_string(read.error()), Not(HasSubstr("SECRET")));
  }
  Profiles profiles;
  EXPECT_TRUE(read_config("", "config", profiles));
  EXPECT_THAT(profiles, IsEmpty());
}

}  // namespace
}  // namespace stsctl::providers::aws
