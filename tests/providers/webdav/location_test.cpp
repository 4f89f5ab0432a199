// URLs, answers and what they mean, by tables.

#include "providers/webdav/location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/webdav/answer.h"

namespace stsctl::providers::webdav {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const dns::Name domain = *dns::Name::parse("Example.com");

Result<Location> location(const std::string& url) {
  Settings settings;
  settings.set("url", url, "stsctl.yaml:3:5");
  return Location::read(settings);
}

TEST(Location, InAFolderOfTheDomain) {
  const Location place =
      *location("https://dav.example.net/sites/{domain}/.well-known/mta-sts.txt");
  EXPECT_EQ(place.resource(domain),
            "https://dav.example.net/sites/example.com/.well-known/mta-sts.txt");
  EXPECT_EQ(place.beside(domain, "r1"),
            "https://dav.example.net/sites/example.com/.well-known/stsctl-r1-mta-sts.txt");
  EXPECT_THAT(place.collections(domain),
              ElementsAre("https://dav.example.net/sites/example.com/",
                          "https://dav.example.net/sites/example.com/.well-known/"));
  EXPECT_EQ(place.own_collections(), 2U);
  EXPECT_EQ(place.base(domain), "https://dav.example.net/sites/");
  EXPECT_EQ(place.origin(domain), "https://dav.example.net");
  EXPECT_FALSE(place.has_own_hosts());
}

TEST(Location, AFileOfTheDomain) {
  const Location place = *location("http://127.0.0.1:8080/p/{domain}.txt");
  EXPECT_EQ(place.resource(domain), "http://127.0.0.1:8080/p/example.com.txt");
  EXPECT_EQ(place.beside(domain, "r1"), "http://127.0.0.1:8080/p/stsctl-r1-example.com.txt");
  EXPECT_THAT(place.collections(domain), IsEmpty());
  EXPECT_EQ(place.own_collections(), 0U);
  EXPECT_EQ(place.base(domain), "http://127.0.0.1:8080/p/");
  EXPECT_EQ(location("https://h/{domain}")->base(domain), "https://h/");
}

TEST(Location, AServerOfTheDomain) {
  const Location place = *location("https://mta-sts.{domain}/.well-known/mta-sts.txt");
  EXPECT_EQ(place.resource(domain), "https://mta-sts.example.com/.well-known/mta-sts.txt");
  EXPECT_THAT(place.collections(domain), ElementsAre("https://mta-sts.example.com/.well-known/"));
  EXPECT_EQ(place.own_collections(), 1U);
  EXPECT_EQ(place.base(domain), "https://mta-sts.example.com/");
  EXPECT_EQ(place.origin(domain), "https://mta-sts.example.com");
  EXPECT_TRUE(place.has_own_hosts());
}

TEST(Location, PartOfASegmentIsTheDomainsOwn) {
  const Location place = *location("https://h/a/x-{domain}/b/c/{domain}.txt");
  EXPECT_THAT(place.collections(domain),
              ElementsAre("https://h/a/x-example.com/", "https://h/a/x-example.com/b/",
                          "https://h/a/x-example.com/b/c/"));
  EXPECT_EQ(place.own_collections(), 3U);
  EXPECT_EQ(place.base(domain), "https://h/a/");
}

TEST(Location, RefusesWhatIsTheSameForAllOrHoldsASecret) {
  for (const char* const bad :
       {"https://h/mta-sts.txt", "https://h/{Domain}/x", "https://{domain}", "https://h/{domain}/",
        "https://h/{domain}?a=b", "https://h/{domain}#a", "https://user:secret@h/{domain}/x",
        "https://{domain}@h/x", "http://h/{domain}", "ftp://h/{domain}", "https://h/ {domain}",
        "https://h/{domain}/\xc3\xbc"}) {
    const auto refused = location(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::invalid) << bad;
    EXPECT_EQ(refused.error().where, "stsctl.yaml:3:5");
    EXPECT_THAT(to_string(refused.error()), Not(HasSubstr("secret")));
  }
}

TEST(Etag, WeakAndStrong) {
  EXPECT_TRUE(Etag{"\"5f-1\""}.is_strong());
  EXPECT_TRUE(Etag{"\"\""}.is_strong());
  EXPECT_FALSE(Etag{"W/\"5f-1\""}.is_strong());
  EXPECT_TRUE(Etag{"W/\"5f-1\""}.is_weak());
  for (const char* const no : {"", "\"", "5f-1", "\"5f-1"}) {
    EXPECT_FALSE(Etag{no}.is_strong()) << no;
    EXPECT_FALSE(Etag{no}.is_weak()) << no;
  }
}

TEST(ModDavFs, IsKnownByItsPropertySet) {
  const io::Header name{"DAV", "1,2"};
  const io::Header properties{"DAV", "<http://apache.org/dav/propset/fs/1>"};
  EXPECT_TRUE(is_mod_dav_fs({.status = 200, .headers = {name, properties}}));
  EXPECT_TRUE(is_mod_dav_fs({.status = 204, .headers = {{"dav", "1, " + properties.value}}}));
  EXPECT_FALSE(is_mod_dav_fs({.status = 200, .headers = {name}}));  // nginx, Nextcloud
  EXPECT_FALSE(is_mod_dav_fs({.status = 401, .headers = {properties}}));
  EXPECT_FALSE(is_mod_dav_fs({.status = 200, .headers = {{"Server", properties.value}}}));
}

struct Status {
  int status;
  Code code;
};

TEST(Problem, OfEveryStatus) {
  for (const Status& one :
       {Status{301, Code::protocol}, Status{304, Code::protocol}, Status{400, Code::invalid},
        Status{401, Code::unauthorized}, Status{403, Code::unauthorized},
        Status{404, Code::not_found}, Status{405, Code::unsupported}, Status{409, Code::not_found},
        Status{410, Code::not_found}, Status{412, Code::conflict}, Status{413, Code::invalid},
        Status{418, Code::protocol}, Status{423, Code::conflict}, Status{500, Code::internal},
        Status{501, Code::unsupported}, Status{503, Code::unreachable}, Status{507, Code::internal},
        Status{207, Code::protocol}}) {
    const Error error = problem({.status = one.status}, "PUT", "https://h/x");
    EXPECT_EQ(error.code, one.code) << one.status;
    EXPECT_THAT(error.what, HasSubstr("(" + std::to_string(one.status) + ")"));
    EXPECT_EQ(error.where, "PUT https://h/x");
  }
}

TEST(Problem, ShowsWhereARedirectLeadsWithoutItsSecrets) {
  const Error error = problem(
      {.status = 302, .headers = {{"Location", "https://u:pw@sso.example/x?token=abc\x1b[2J"}}},
      "GET", "https://h/x");
  EXPECT_THAT(error.what, HasSubstr("https://sso.example/x?token=***"));
  EXPECT_THAT(error.what, Not(HasSubstr("pw")));
}

}  // namespace
}  // namespace stsctl::providers::webdav
