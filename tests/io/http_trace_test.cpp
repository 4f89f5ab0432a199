#include "io/http_trace.h"

#include <sstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/http_account.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_http.h"

namespace stsctl::io {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Log, WritesWhatItsLevelAllows) {
  std::ostringstream out;
  Log log(out, LogLevel::warn);
  log.write(LogLevel::error, "one");
  log.write(LogLevel::warn, "two");
  log.write(LogLevel::info, "three");
  log.set_level(LogLevel::debug);
  log.write(LogLevel::debug, "four\n  five");
  EXPECT_EQ(out.str(), "error: one\nwarn: two\ndebug: four\n  five\n");
}

TEST(Log, MasksSecretsInEveryForm) {
  std::ostringstream out;
  Log log(out, LogLevel::debug);
  log.hide("p/w \"1\"\n");
  log.hide("t0ken");
  log.hide("t0ken-longer");
  log.hide("");
  log.hide(" ");
  struct Case {
    const char* text;
    const char* shown;
  };
  for (const Case& c : std::vector<Case>{
           {"a t0ken b", "a *** b"},
           {"t0kent0ken", "******"},
           {"t0ken-longer", "***"},
           {"x p/w \"1\"\n y", "x *** y"},
           {"q=p%2Fw%20%221%22%0A", "q=***"},
           {"q=p%2fw%20%221%22%0a", "q=***"},
           {R"({"k":"p/w \"1\"\n"})", R"({"k":"***"})"},
           {"dDBrZW4=", "***"},
           {"nothing here", "nothing here"},
       })
    EXPECT_EQ(log.mask(c.text), c.shown);
}

TEST(Log, EscapesControlCharacters) {
  std::ostringstream out;
  Log log(out, LogLevel::debug);
  log.write(LogLevel::error, "a\x1b[31mb\rc");
  EXPECT_EQ(out.str(), "error: a\\x1B[31mb\\x0Dc\n");
}

TEST(Log, KeepsLinesOfManyThreadsWhole) {
  std::ostringstream out;
  Log log(out, LogLevel::debug);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        for (int n = 0; n < 50; ++n) {
          log.hide("secret" + std::to_string(i));
          log.write(LogLevel::info, "secret" + std::to_string(i) + "\n  more");
        }
      });
  }
  std::string wanted;
  for (int i = 0; i < 200; ++i)
    wanted += "info: ***\n  more\n";
  EXPECT_EQ(out.str(), wanted);
}

TEST(MaskedUrl, HidesUserAndSecretParameters) {
  struct Case {
    const char* url;
    const char* shown;
  };
  for (const Case& c : std::vector<Case>{
           {"https://a.example/x", "https://a.example/x"},
           {"https://u:p@a.example/x@y", "https://a.example/x@y"},
           {"https://u@p@a.example", "https://a.example"},
           {"https://a.example?page=2&api_key=k", "https://a.example?page=2&api_key=***"},
           {"https://a.example/?X-Amz-Signature=ab&X-Amz-Credential=c&X-Amz-Date=d",
            "https://a.example/?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=d"},
           {"https://a.example/?sig=x&sigma=y#access_token=z",
            "https://a.example/?sig=***&sigma=y"},
           {"https://a.example/?TOKEN=a=b&secret", "https://a.example/?TOKEN=***&secret"},
       })
    EXPECT_EQ(masked_url(c.url), c.shown);
}

TEST(MaskedHeader, HidesWhatItsNameSaysIsSecret) {
  struct Case {
    Header header;
    const char* shown;
  };
  for (const Case& c : std::vector<Case>{
           {{"Authorization", "Bearer abc"}, "Bearer ***"},
           {{"authorization", "abc"}, "***"},
           {{"Proxy-Authorization", "Basic abc"}, "***"},
           {{"X-API-Key", "abc"}, "***"},
           {{"X-Auth-Key", "abc"}, "***"},
           {{"X-Auth-Email", "abc"}, "***"},
           {{"Auth-API-Token", "abc"}, "***"},
           {{"X-Amz-Security-Token", "abc"}, "***"},
           {{"X-aws-ec2-metadata-token", "abc"}, "***"},
           {{"X-Ovh-Signature", "abc"}, "***"},
           {{"X-Ovh-Consumer", "abc"}, "***"},
           {{"X-NSONE-Key", "abc"}, "***"},
           {{"Cookie", "abc"}, "***"},
           {{"Set-Cookie", "abc"}, "***"},
           {{"Content-Type", "text/xml"}, "text/xml"},
           {{"Ratelimit", "\"default\";r=1;t=2"}, "\"default\";r=1;t=2"},
           {{"X-Amz-Date", "20270115T080000Z"}, "20270115T080000Z"},
       })
    EXPECT_EQ(masked_header(c.header), c.shown) << c.header.name;
}

class TraceTest : public testing::Test {
 protected:
  Result<Reply> send(const Request& request) { return Trace(http, clock, log).send(request); }

  fakes::FakeHttp http;
  fakes::FakeClock clock;
  std::ostringstream out;
  Log log{out, LogLevel::debug};
};

TEST_F(TraceTest, ShowsEachExchange) {
  http.always([this](const Request&) -> Result<Reply> {
    clock.advance(std::chrono::milliseconds(34));
    return Reply{200, {{"Content-Type", "application/json"}}, "minted token"};
  });
  ASSERT_TRUE(send({.method = "POST",
                    .url = "https://api.example/token?key=k",
                    .headers = {{"Authorization", "Basic abc"}},
                    .body = "grant",
                    .attempt = 2}));
  EXPECT_EQ(out.str(),
            "debug: POST https://api.example/token?key=*** (5 bytes, try 2) -> 200, 12 bytes in 34 "
            "ms\n"
            "  > Authorization: Basic ***\n"
            "  < Content-Type: application/json\n");
}

TEST_F(TraceTest, ShowsTheBeginningOfABodyThatReportsAFailure) {
  log.hide("s3cret");
  http.then(403, std::string(997, 'x') + "s3cret and more");
  ASSERT_TRUE(send(get("https://api.example/")));
  EXPECT_THAT(out.str(), HasSubstr("\n  < " + std::string(997, 'x') + "***\n"));
}

TEST_F(TraceTest, MasksErrorsAtEveryLevel) {
  log.set_level(LogLevel::error);
  log.hide("s3cret");
  http.then(fail(Code::unreachable, "no way to s3cret", "GET https://api.example/s3cret"));
  const auto reply = send(get("https://api.example/s3cret"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(to_string(reply.error()), "GET https://api.example/***: no way to ***");
  EXPECT_EQ(out.str(), "");
}

TEST_F(TraceTest, MasksWhatAFailingServiceRepeats) {
  log.set_level(LogLevel::error);
  log.hide("s3cret");
  http.then(401, "s3cret is no token");
  http.then(200, "the value is s3cret");
  EXPECT_EQ(send(get("https://api.example/"))->body, "*** is no token");
  EXPECT_EQ(send(get("https://api.example/"))->body, "the value is s3cret");
}

TEST_F(TraceTest, LeaksNoSecretWhereverItIsPlanted) {
  const std::string secret = "pl4nted/\"secret\"";
  log.hide(secret);
  http.always([&](const Request& request) -> Result<Reply> {
    if (request.attempt == 2) return fail(Code::unreachable, secret, secret);
    return Reply{503, {{"X-Echo", secret}, {"Set-Cookie", secret}}, "you sent " + secret};
  });
  Request request{.method = "PUT",
                  .url = "https://" + secret + "@api.example/pl4nted%2F%22secret%22?q=" + secret,
                  .headers = {{"X-Odd", secret}, {"Authorization", "Bearer " + secret}},
                  .body = secret,
                  .repeatable = true};
  Trace trace(http, clock, log);
  Retry retry(trace, clock, {.attempts = 3}, {});
  ASSERT_TRUE(retry.send(request));
  EXPECT_THAT(out.str(), HasSubstr("try 3"));
  EXPECT_THAT(out.str(), HasSubstr("unreachable"));
  EXPECT_THAT(out.str(), Not(HasSubstr("pl4nted")));
}

}  // namespace
}  // namespace stsctl::io
