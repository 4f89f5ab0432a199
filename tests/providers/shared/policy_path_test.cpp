#include "providers/policy_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/policy_edit.h"

namespace stsctl::providers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const dns::Name domain = *dns::Name::parse("Example.COM");

Result<PolicyPath> path(const std::string& text) {
  Settings settings;
  settings.set("path", text, "stsctl.yaml:3:5");
  return PolicyPath::read(settings);
}

TEST(PolicyPath, FillsEveryPlaceholderIn) {
  EXPECT_EQ(PolicyPath::read({})->file(domain), "mta-sts.example.com/.well-known/mta-sts.txt");
  EXPECT_EQ(path("{domain}")->file(domain), "example.com");
  EXPECT_EQ(path("a/{domain}/{domain}.txt")->file(domain), "a/example.com/example.com.txt");
  EXPECT_EQ(path("{{domain}}")->file(domain), "{example.com}");
}

TEST(PolicyPath, RefusesWhatIsTheSameForAllOrLeavesTheRoot) {
  for (const char* const bad : {"", "mta-sts.txt", "/{domain}", "../{domain}", "a/../{domain}",
                                "{domain}/..", "{Domain}"}) {
    const auto refused = path(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_EQ(refused.error().where, "stsctl.yaml:3:5");
  }
  EXPECT_TRUE(path("..{domain}/x"));
}

TEST(PolicyPath, FoldersOutermostFirst) {
  EXPECT_THAT(folders_to("c.txt"), IsEmpty());
  EXPECT_THAT(folders_to("a/b/c.txt"), ElementsAre("a", "a/b"));
  EXPECT_THAT(folders_to("a//b/c.txt"), ElementsAre("a", "a//b"));
  EXPECT_THAT(folders_to("/a/b"), ElementsAre("/a"));
}

TEST(IsPending, ComparesBytes) {
  using plan::PolicyEdit;
  using plan::PolicyFile;
  const PolicyFile old{domain, "old\r\n"};
  const PolicyFile fresh{domain, "new\r\n"};
  EXPECT_TRUE(*is_pending({old, fresh}, "old\r\n", "f"));
  EXPECT_FALSE(*is_pending({old, fresh}, "new\r\n", "f"));
  EXPECT_TRUE(*is_pending({std::nullopt, fresh}, std::nullopt, "f"));
  EXPECT_TRUE(*is_pending({old, std::nullopt}, "old\r\n", "f"));
  EXPECT_FALSE(*is_pending({old, std::nullopt}, std::nullopt, "f"));
  for (const std::optional<std::string>& other :
       {std::optional<std::string>("old\n"), std::optional<std::string>(""),
        std::optional<std::string>()}) {
    const auto refused = is_pending({old, fresh}, other, "f");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_EQ(refused.error().where, "f");
  }
}

}  // namespace
}  // namespace stsctl::providers
