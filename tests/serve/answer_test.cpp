#include "serve/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* policy_path = "/.well-known/mta-sts.txt";
const std::string body = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";

class AnswerTest : public testing::Test {
 protected:
  AnswerTest() { policies.set(*dns::Name::parse("example.com"), body); }

  Answer ask(const Request& request) const { return answer(request, site); }
  Answer get(std::string_view target, std::string_view host) const {
    return ask({.method = "GET", .target = target, .hosts = 1, .host = host});
  }

  Policies policies;
  Site site{.policies = policies};
};

TEST_F(AnswerTest, GivesThePolicyOfTheHost) {
  const Answer found = get(policy_path, "MTA-STS.example.com:443");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.content(), body);
  EXPECT_EQ(found.type, "text/plain; charset=utf-8");
  EXPECT_EQ(found.sent_bytes(), body.size());
}

TEST_F(AnswerTest, HasNothingElse) {
  for (const auto& [target, host] : std::vector<std::pair<const char*, const char*>>{
           {"/", "mta-sts.example.com"},
           {"/metrics", "mta-sts.example.com"},
           {"/.well-known/", "mta-sts.example.com"},
           {"/etc/passwd", "mta-sts.example.com"},
           {"/.well-known/../.well-known/mta-sts.txt", "mta-sts.example.com"},
           {policy_path, "example.com"},
           {policy_path, "mta-sts.example.org"},
           {policy_path, "mta-sts.mta-sts.example.com"},
           {policy_path, "mta-sts."},
           {policy_path, "mta-sts"},
           {policy_path, "127.0.0.1:8080"},
       })
    EXPECT_EQ(get(target, host).status, 404) << target << ' ' << host;
}

TEST_F(AnswerTest, DoesNotSayThatThereIsNoneWhereNobodyKnows) {
  policies.set_unknown(*dns::Name::parse("example.org"));
  EXPECT_EQ(get(policy_path, "mta-sts.example.org").status, 500);
}

TEST_F(AnswerTest, LetsTheTargetOutrankHost) {
  EXPECT_EQ(get("http://mta-sts.example.com/.well-known/mta-sts.txt", "other.example").status, 200);
  EXPECT_EQ(get("http://other.example/.well-known/mta-sts.txt", "mta-sts.example.com").status, 404);
}

TEST_F(AnswerTest, WantsOneHost) {
  Request request{.method = "GET", .target = policy_path};
  EXPECT_EQ(ask(request).status, 400) << "none, in HTTP/1.1";
  request.hosts = 2;
  request.host = "mta-sts.example.com";
  EXPECT_EQ(ask(request).status, 400) << "two";
  request.hosts = 1;
  request.host = "a b";
  EXPECT_EQ(ask(request).status, 400) << "no host";
}

TEST_F(AnswerTest, KnowsThatHttp10NeedsNoHost) {
  Request request{.method = "GET", .target = policy_path, .http_1_0 = true};
  EXPECT_EQ(ask(request).status, 404) << "whose policy?";
  request.target = "/healthz";
  EXPECT_EQ(ask(request).status, 200);
  request.target = "http://mta-sts.example.com/.well-known/mta-sts.txt";
  EXPECT_EQ(ask(request).status, 200);
}

TEST_F(AnswerTest, TakesGetAndHeadOnly) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X"})
    EXPECT_EQ(
        ask({.method = method, .target = policy_path, .hosts = 1, .host = "mta-sts.example.com"})
            .status,
        405)
        << method;
  const Answer head =
      ask({.method = "HEAD", .target = policy_path, .hosts = 1, .host = "mta-sts.example.com"});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.sent_bytes(), 0U);
}

TEST_F(AnswerTest, SaysNotModifiedToWhoHasIt) {
  const std::string etag(get(policy_path, "mta-sts.example.com").etag);
  ASSERT_TRUE(etag.starts_with('"') && etag.ends_with('"')) << etag;
  struct Case {
    std::string if_none_match;
    int status;
  };
  for (const Case& c : {Case{etag, 304}, Case{"W/" + etag, 304}, Case{"\"a\", " + etag, 304},
                        Case{"*", 304}, Case{"\"other\"", 200}, Case{"", 200}}) {
    const Answer found = ask({.method = "GET",
                              .target = policy_path,
                              .hosts = 1,
                              .host = "mta-sts.example.com",
                              .if_none_match = c.if_none_match});
    EXPECT_EQ(found.status, c.status) << c.if_none_match;
    EXPECT_EQ(found.sent_bytes(), c.status == 304 ? 0 : body.size());
  }
}

TEST_F(AnswerTest, GivesAnotherEtagToAnotherBody) {
  const std::string before(get(policy_path, "mta-sts.example.com").etag);
  policies.set(*dns::Name::parse("example.com"), body + "mx: a.example\r\n");
  EXPECT_NE(get(policy_path, "mta-sts.example.com").etag, before);
}

TEST_F(AnswerTest, ShowsMetricsToTheirOwnListenerOnly) {
  const std::function<std::string()> metrics = [] { return std::string("stsctl_policies 1\n"); };
  site.metrics = &metrics;
  EXPECT_EQ(get("/metrics", "localhost").status, 404);
  site.service = Service::metrics;
  const Answer found = get("/metrics", "localhost");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.content(), "stsctl_policies 1\n");
  EXPECT_EQ(found.type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(get(policy_path, "mta-sts.example.com").status, 404);
}

TEST_F(AnswerTest, SaysWhetherItIsWell) {
  EXPECT_EQ(get("/healthz", "127.0.0.1").status, 200);
  site.healthy = false;
  EXPECT_EQ(get("/healthz", "127.0.0.1").status, 503);
  site.service = Service::metrics;
  EXPECT_EQ(get("/healthz", "127.0.0.1").status, 503);
}

std::string wire(const Answer& answer, const Framing& framing) {
  std::string out;
  append(out, answer, framing);
  return out;
}

constexpr const char* date = "Tue, 24 Nov 2026 08:00:00 GMT";

TEST_F(AnswerTest, IsWrittenAsHttpSays) {
  const Answer found = get(policy_path, "mta-sts.example.com");
  EXPECT_EQ(wire(found, {.date = date}),
            "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 08:00:00 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 44\r\nETag: " +
                std::string(found.etag) + "\r\nCache-Control: max-age=60\r\n\r\n" + body);
}

TEST_F(AnswerTest, SendsHeadTheHeaderOfGet) {
  Answer found = get(policy_path, "mta-sts.example.com");
  const std::string full = wire(found, {.date = date});
  found.is_head = true;
  EXPECT_EQ(wire(found, {.date = date}) + body, full);
}

TEST_F(AnswerTest, SaysHowTheConnectionGoesOn) {
  const Answer missing = refusal(404);
  EXPECT_THAT(wire(missing, {.date = date}), Not(HasSubstr("Connection:")));
  EXPECT_THAT(wire(missing, {.date = date, .keep_alive = false}),
              HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(wire(missing, {.date = date, .keep_alive = true, .http_1_0 = true}),
              HasSubstr("\r\nConnection: keep-alive\r\n"));
}

TEST_F(AnswerTest, KeepsRefusalsOutOfCachesAndNamesTheMethods) {
  const std::string refused = wire(refusal(405), {.date = date});
  EXPECT_THAT(refused, HasSubstr("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(refused, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(refused, HasSubstr("\r\nCache-Control: no-store\r\n"));
  EXPECT_THAT(wire(refusal(404), {.date = date}), Not(HasSubstr("Allow:")));
}

TEST_F(AnswerTest, SendsNoBodyAndNoLengthWith304) {
  const Answer same = ask({.method = "GET",
                           .target = policy_path,
                           .hosts = 1,
                           .host = "mta-sts.example.com",
                           .if_none_match = "*"});
  const std::string text = wire(same, {.date = date});
  EXPECT_THAT(text, HasSubstr("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nETag: "));
  EXPECT_THAT(text, Not(HasSubstr("Content-")));
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace stsctl::serve
