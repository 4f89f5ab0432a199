#include "providers/github/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace stsctl::providers::github {
namespace {

using plan::PolicyEdit;
using plan::PolicyFile;
using testing::HasSubstr;
using testing::StartsWith;

std::optional<PolicyFile> file(const std::string& domain, const std::string& mode) {
  return PolicyFile{
      *dns::Name::parse(domain),
      "version: STSv1\r\nmode: " + mode + "\r\nmx: mail.example.com\r\nmax_age: 86400\r\n"};
}

TEST(CommitMessage, SaysWhatChangesAndWhy) {
  EXPECT_EQ(commit_message({{std::nullopt, file("example.com", "testing")}}),
            "Add the MTA-STS policy of example.com\n\nfirst policy\n");
  EXPECT_EQ(commit_message({{file("example.com", "testing"), file("example.com", "enforce")}}),
            "Change the MTA-STS policy of example.com\n\nmode testing -> enforce\n");
  EXPECT_EQ(commit_message({{file("example.com", "none"), std::nullopt}}),
            "Remove the MTA-STS policy of example.com\n\nremoved\n");
}

TEST(CommitMessage, ListsSeveralDomains) {
  EXPECT_EQ(commit_message({{std::nullopt, file("a.example", "testing")},
                            {std::nullopt, file("b.example", "enforce")}}),
            "Add the MTA-STS policies of 2 domains\n\n- a.example: first policy\n"
            "- b.example: first policy\n");
  EXPECT_THAT(commit_message({{std::nullopt, file("a.example", "testing")},
                              {file("b.example", "none"), std::nullopt}}),
              StartsWith("Change the MTA-STS policies of 2 domains\n"));
}

TEST(CommitMessage, StaysReadableForAFleet) {
  std::vector<PolicyEdit> edits;
  for (int i = 0; i < 1000; ++i)
    edits.push_back({std::nullopt, file("z" + std::to_string(i) + ".example", "testing")});
  const std::string message = commit_message(edits);
  EXPECT_THAT(message, HasSubstr("- z99.example: first policy\n- and 900 more\n"));
  EXPECT_EQ(split(message, '\n').size(), 104U);
}

}  // namespace
}  // namespace stsctl::providers::github
