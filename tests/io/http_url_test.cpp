#include "io/http_url.h"

#include <vector>

#include <gtest/gtest.h>

namespace stsctl::io {
namespace {

TEST(Url, SpeaksPlainHttpToThisMachineOnly) {
  for (const char* good :
       {"http://127.0.0.1/", "http://127.0.0.1:8081/x", "http://127.9.8.7/", "http://localhost/",
        "http://LocalHost:1/", "http://[::1]/", "http://[::1]:80/", "http://u:p@127.0.0.1/",
        "http://127.1/", "http://2130706433/", "https://api.example/", "https://10.0.0.1/",
        "HTTPS://api.example"})
    EXPECT_TRUE(Url::parse(good)) << good;
  for (const char* bad :
       {"http://api.example/", "http://10.0.0.1/", "http://0.0.0.0/", "http://128.0.0.1/",
        "http://127.0.0.1.example/", "http://localhost.example/", "http://localhost./",
        "http://example/127.0.0.1", "http://127.0.0.1@api.example/",
        "http://127.0.0.1:80@api.example/", "http://api.example#@127.0.0.1/",
        "http://api.example?@127.0.0.1/", "http://[::ffff:10.0.0.1]/", "http://[fe80::1]/"}) {
    const auto url = Url::parse(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, Code::invalid) << bad;
  }
}

TEST(Url, SpeaksPlainHttpToMetadataServicesIfAsked) {
  for (const char* good : {"http://169.254.169.254/latest", "http://169.254.170.2/x?y",
                           "http://[fd00:ec2::23]/v1/credentials", "http://127.0.0.1/"}) {
    EXPECT_TRUE(Url::parse(good, true)) << good;
    if (std::string_view(good).find("127") == std::string_view::npos)
      EXPECT_FALSE(Url::parse(good)) << good;
  }
  for (const char* bad :
       {"http://169.253.0.1/", "http://170.254.0.1/", "http://10.0.0.1/",
        "http://169.254.169.254.example/", "http://169.254.169.254@api.example/",
        "http://metadata.example/", "http://[fd00:ec3::23]/", "http://[::ffff:169.254.169.254]/"})
    EXPECT_FALSE(Url::parse(bad, true)) << bad;
}

TEST(Url, TakesNothingElse) {
  for (const char* bad :
       {"", "/path", "api.example/x", "//api.example/", "ftp://127.0.0.1/", "file:///etc/passwd",
        "https://", "https://a b/", "https://api.example/a b", "https://api.example/\r\nX: y",
        "https://api.example:99999/", "https://api.example:x/",
        "https://b\xC3\xBC"
        "cher.example/"}) {
    const auto url = Url::parse(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, Code::invalid) << bad;
  }
}

TEST(Url, ShowsNeitherQueryNorUser) {
  struct Case {
    const char* text;
    const char* shown;
    const char* origin;
  };
  for (const Case& c : std::vector<Case>{
           {"https://api.example/v4/zones?token=x#y", "https://api.example/v4/zones",
            "https://api.example:443"},
           {"https://u:p@API.example:8443/x", "https://API.example:8443/x",
            "https://api.example:8443"},
           {"http://[::1]:8081", "http://[::1]:8081/", "http://[::1]:8081"},
       }) {
    const auto url = Url::parse(c.text);
    ASSERT_TRUE(url) << c.text;
    EXPECT_EQ(url->shown(), c.shown);
    EXPECT_EQ(url->origin(), c.origin);
  }
}

}  // namespace
}  // namespace stsctl::io
