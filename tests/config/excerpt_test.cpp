#include "config/excerpt.h"

#include <vector>

#include <gtest/gtest.h>

namespace stsctl::config {
namespace {

TEST(WithoutSecrets, MasksValuesWhoseKeysSoundSecret) {
  struct Case {
    const char* line;
    const char* shown;
  };
  for (const Case& c : std::vector<Case>{
           {"  api_key: s3cr3t", "  api_key: ***"},
           {"  api_key: \"s3: #cr3t\" # why", "  api_key: *** # why"},
           {"  token:   s3cr3t, with} all", "  token:   ***"},
           {"  password: s3cr3t # why", "  password: *** # why"},
           {"x: {api_key: s3cr3t, port: 1}", "x: {api_key: ***, port: 1}"},
           {"x: {key: {name: n, secret: 's3cr3t'}}", "x: {key: {name: n, secret: ***}}"},
           {"x: {\"api_key\": \"s3cr3t\", 'secret' : s3}", "x: {\"api_key\": ***, 'secret' : ***}"},
           {"secret: [s3cr3t, two]", "secret: ***"},
           {"secret: \"s3cr3t", "secret: ***"},  // never closed
           {"  Client-Secret: s3cr3t", "  Client-Secret: ***"},
           {"api_key: ${env:KEY}", "api_key: ${env:KEY}"},  // shows nothing
           {"api_key: \"${file:a}\"", "api_key: \"${file:a}\""},
           {"key:", "key:"},  // a mapping follows
           {"endpoint: https://a.example:8081", "endpoint: https://a.example:8081"},
           {"mx: [mail.example.com]", "mx: [mail.example.com]"},
           {"", ""},
       })
    EXPECT_EQ(without_secrets({c.line, 1}).line, c.shown);
}

TEST(WithoutSecrets, TheColumnStaysAtItsPlace) {
  const std::string line = "x: {secret: s3cr3t, port: 1}";
  const std::string shown = "x: {secret: ***, port: 1}";
  EXPECT_EQ(without_secrets({line, line.find("secret") + 1}),
            (Excerpt{shown, shown.find("secret") + 1}));
  EXPECT_EQ(without_secrets({line, line.find("s3cr3t") + 1}),
            (Excerpt{shown, shown.find("***") + 1}));
  EXPECT_EQ(without_secrets({line, line.find("cr3t") + 1}),
            (Excerpt{shown, shown.find("***") + 1}));
  EXPECT_EQ(without_secrets({line, line.find("port") + 1}),
            (Excerpt{shown, shown.find("port") + 1}));
}

}  // namespace
}  // namespace stsctl::config
