#include "serve/target.h"

#include <gtest/gtest.h>

namespace stsctl::serve {
namespace {

TEST(ParseTarget, ReadsOriginFormAndAbsoluteForm) {
  struct Case {
    const char* target;
    const char* authority;  // null: none
    const char* path;
  };
  for (const Case& c : {
           Case{"/.well-known/mta-sts.txt", nullptr, "/.well-known/mta-sts.txt"},
           Case{"/a?b=/c", nullptr, "/a"},
           Case{"//host/a", nullptr, "//host/a"},  // a path, not an authority
           Case{"http://mta-sts.example.com/a", "mta-sts.example.com", "/a"},
           Case{"HTTPS://mta-sts.example.com:443/a?x", "mta-sts.example.com:443", "/a"},
           Case{"http://mta-sts.example.com", "mta-sts.example.com", "/"},
           Case{"http://mta-sts.example.com?x", "mta-sts.example.com", "/"},
           Case{"http://", "", "/"},
       }) {
    const auto target = parse_target(c.target);
    ASSERT_TRUE(target) << c.target;
    EXPECT_EQ(target->path, c.path) << c.target;
    EXPECT_EQ(target->authority.has_value(), c.authority != nullptr) << c.target;
    if (c.authority != nullptr) EXPECT_EQ(*target->authority, c.authority);
  }
}

TEST(ParseTarget, TakesNothingElse) {
  for (const char* target : {"", "*", "host:443", "ftp://host/a", "a/b", "://host/", "http:/a"})
    EXPECT_FALSE(parse_target(target)) << target;
}

TEST(ParseHost, IsTheNameInLowerCaseWithoutPortAndFinalDot) {
  struct Case {
    const char* authority;
    const char* host;
  };
  for (const Case& c : {
           Case{"mta-sts.example.com", "mta-sts.example.com"},
           Case{"MTA-STS.Example.COM", "mta-sts.example.com"},
           Case{"mta-sts.example.com:443", "mta-sts.example.com"},
           Case{"mta-sts.example.com:",
                "mta-sts.example.com"},  // RFC 3986 §3.2.3: port may be empty
           Case{"mta-sts.example.com.", "mta-sts.example.com"},
           Case{"mta-sts.example.com.:8443", "mta-sts.example.com"},
           Case{"mta-sts.xn--mnchen-3ya.example", "mta-sts.xn--mnchen-3ya.example"},
           Case{"192.0.2.1:80", "192.0.2.1"},
           Case{"[2001:DB8::1]:443", "[2001:db8::1]"},
       }) {
    EXPECT_EQ(parse_host(c.authority), c.host) << c.authority;
  }
}

TEST(ParseHost, RefusesWhatIsNoHost) {
  for (const char* authority :
       {"", ".", ":80", "a b", "user@mta-sts.example.com", "mta-sts.example.com/", "a:b", "a:1:2",
        "a:123456", "[::1", "[]", "[::1]x", "a%2eb", "m\xc3\xbcnchen.example", "a,b", "a\tb"})
    EXPECT_FALSE(parse_host(authority)) << authority;
}

TEST(IsPath, ComparesWithEncodedUnreservedCharactersUndone) {
  constexpr const char* wanted = "/.well-known/mta-sts.txt";
  for (const char* path :
       {"/.well-known/mta-sts.txt", "/%2Ewell-known/mta%2dsts.txt", "/.well-known/%6Dta-sts.txt"})
    EXPECT_TRUE(is_path(path, wanted)) << path;
  for (const char* path : {
           "/.well-known/mta-sts.txt/",
           "/.well-known/mta-sts.tx",
           "/.well-known//mta-sts.txt",
           "/./.well-known/mta-sts.txt",
           "/x/../.well-known/mta-sts.txt",
           "/.well-known%2Fmta-sts.txt",  // an encoded slash is no slash (RFC 3986 §2.2)
           "/.well-known/mta-sts.txt%00",
           "/.Well-Known/mta-sts.txt",
           "/.well-known/mta-sts.txt%",
           "/.well-known/mta-sts.txt%2",
           "/%252Ewell-known/mta-sts.txt",
           "",
       })
    EXPECT_FALSE(is_path(path, wanted)) << path;
}

}  // namespace
}  // namespace stsctl::serve
