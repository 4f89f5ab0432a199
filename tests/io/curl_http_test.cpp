#include "io/curl_http.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "servers/faulty_http.h"

namespace stsctl::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class CurlHttpTest : public testing::Test {
 protected:
  std::string url(const std::string& path) const { return server.url() + path; }

  nlohmann::json journal() const {
    const auto reply = real_http()->send(get(url("/journal")));
    return reply ? nlohmann::json::parse(reply->body) : nlohmann::json();
  }
  // Connections but the journal's own.
  int connections() const { return journal().value("connections", 0) - ++journals; }
  int asked(const std::string& path) const {
    ++journals;
    return journal()["asked"].value(path, 0);
  }

  servers::FaultyHttp server;
  mutable int journals = 0;
  std::unique_ptr<Http> http = real_http();
};

TEST_F(CurlHttpTest, SendsARequestAsItStands) {
  const Request request{.method = "PATCH",
                        .url = url("/echo") + "?b=2&a=%2f&c",
                        .headers = {{"X-Token", "t0ken"}, {"X-Empty", ""}},
                        .body = std::string("line\r\nnul\0end", 13)};
  const auto reply = http->send(request);
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->status, 200);
  const auto echo = nlohmann::json::parse(reply->body);
  EXPECT_EQ(echo["method"], "PATCH");
  EXPECT_EQ(echo["query"], "b=2&a=%2f&c");
  EXPECT_EQ(echo["body"], request.body);
  std::vector<Header> headers;
  for (const auto& header : echo["headers"])
    headers.push_back({lower(header[0].get<std::string>()), header[1]});
  EXPECT_EQ(find_header(headers, "x-token"), "t0ken");
  EXPECT_EQ(find_header(headers, "x-empty"), "");
  EXPECT_EQ(find_header(headers, "user-agent"), "stsctl");
  EXPECT_EQ(find_header(headers, "content-type"), std::nullopt) << "a body is no form by itself";
  EXPECT_EQ(find_header(headers, "expect"), std::nullopt);
}

TEST_F(CurlHttpTest, KnowsEveryMethodAndLeavesThePathAlone) {
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "MKCOL", "MOVE", "PROPFIND"}) {
    const auto reply = http->send({.method = method, .url = url("/echo")});
    ASSERT_TRUE(reply) << method << to_string(reply.error());
    EXPECT_EQ(nlohmann::json::parse(reply->body)["method"], method);
  }
  EXPECT_EQ(http->send(get(url("/x/../echo")))->status, 404) << "signatures cover the path as sent";
}

TEST_F(CurlHttpTest, ReturnsEveryStatusAsAReply) {
  for (const int status : {200, 204, 301, 304, 400, 401, 403, 404, 409, 429, 500, 503}) {
    const auto reply = http->send(get(url("/status/" + std::to_string(status)) + "?X-A=b&X-A=c"));
    ASSERT_TRUE(reply) << status << to_string(reply.error());
    EXPECT_EQ(reply->status, status);
    EXPECT_EQ(reply->header("x-a"), "b");
    EXPECT_THAT(reply->headers, testing::Contains(Header{"X-A", "c"}));
  }
}

TEST_F(CurlHttpTest, NeverFollowsARedirect) {
  const auto reply = http->send(get(url("/redirect")));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 302);
  EXPECT_EQ(reply->header("Location"), "/echo");
  EXPECT_EQ(asked("/echo"), 0);
}

TEST_F(CurlHttpTest, UndoesCompressionAndSkipsInterimAnswersAndTrailers) {
  const auto squeezed = http->send(get(url("/gzip")));
  ASSERT_TRUE(squeezed) << to_string(squeezed.error());
  EXPECT_EQ(squeezed->body.size(), 8000U);
  const auto interim = http->send(get(url("/interim")));
  ASSERT_TRUE(interim) << to_string(interim.error());
  EXPECT_EQ(interim->body, "final");
  EXPECT_EQ(interim->header("X-Early"), std::nullopt);
  EXPECT_EQ(interim->header("X-Final"), "1");
  const auto trailers = http->send(get(url("/trailers")));
  ASSERT_TRUE(trailers) << to_string(trailers.error());
  EXPECT_EQ(trailers->body, "body");
  EXPECT_EQ(trailers->header("X-Late"), std::nullopt);
}

TEST_F(CurlHttpTest, UsesAConnectionAgain) {
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(http->send(get(url("/echo"))));
  EXPECT_EQ(connections(), 1);
}

TEST_F(CurlHttpTest, UsesAConnectionAgainInAnotherThread) {
  for (int i = 0; i < 10; ++i)
    std::jthread([&] { EXPECT_TRUE(http->send(get(url("/echo")))); });
  EXPECT_EQ(connections(), 1);
}

TEST_F(CurlHttpTest, ServesManyThreadsOnAsManyConnectionsAtMost) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 25; ++n) {
          const auto reply = http->send(get(url("/echo")));
          EXPECT_TRUE(reply && reply->status == 200);
        }
      });
  }
  EXPECT_EQ(asked("/echo"), 400);
  EXPECT_LE(connections(), 16);
}

TEST_F(CurlHttpTest, ClosesWhatIsIdleBeyondTheLimit) {
  http = real_http({.idle_connections = 0});
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(http->send(get(url("/echo"))));
  EXPECT_EQ(connections(), 3);
}

TEST_F(CurlHttpTest, ReplacesADeadConnectionForARepeatableRequestOnly) {
  ASSERT_TRUE(http->send(get(url("/close-if-reused"))));
  ASSERT_TRUE(http->send(get(url("/close-if-reused")))) << "sent twice, unnoticed";
  EXPECT_EQ(asked("/close-if-reused"), 3);
  const auto reply = http->send({.method = "POST", .url = url("/close-if-reused"), .body = "x"});
  ASSERT_FALSE(reply) << "libcurl repeats a POST of its own accord";
  EXPECT_EQ(reply.error().code, Code::unreachable);
  EXPECT_EQ(reply.error().hint, "the request may have been carried out");
  EXPECT_EQ(asked("/close-if-reused"), 4);
  EXPECT_TRUE(http->send({.method = "POST", .url = url("/close-if-reused"), .body = "x"}))
      << "on a new connection";
}

struct Fault {
  const char* path;
  Code code;
  const char* what;
};

TEST_F(CurlHttpTest, NamesEveryFault) {
  http = real_http({.silence_timeout = milliseconds(1500), .answer_limit = std::size_t{1} << 20U});
  for (const Fault& fault : std::vector<Fault>{
           {"/bomb", Code::protocol, "sends an answer of more than 1048576 bytes"},
           {"/endless", Code::protocol, "sends an answer of more than 1048576 bytes"},
           {"/big?1048577", Code::protocol, "sends an answer of more than 1048576 bytes"},
           {"/endless-headers", Code::protocol, "of headers"},
           {"/endless-interim", Code::protocol, "of headers"},
           {"/broken-gzip", Code::protocol, "compressed answer that is broken"},
           {"/garbage", Code::protocol, "does not answer in HTTP"},
           {"/bad-status", Code::protocol, "does not answer in HTTP"},
           {"/truncated", Code::unreachable, "broke before the whole answer came"},
           {"/truncated-chunk", Code::unreachable, "broke before the whole answer came"},
           {"/reset", Code::unreachable, "broke before the whole answer came"},
           {"/reset-in-body", Code::unreachable, "broke before the whole answer came"},
           {"/stall", Code::timeout, "no complete answer from 127.0.0.1 within 1.5 s"},
           {"/hang", Code::timeout, "no complete answer from 127.0.0.1 within 1.5 s"},
       }) {
    const auto reply = http->send(get(url(fault.path)));
    ASSERT_FALSE(reply) << fault.path;
    EXPECT_EQ(reply.error().code, fault.code) << fault.path << ' ' << to_string(reply.error());
    EXPECT_THAT(reply.error().what, HasSubstr(fault.what)) << fault.path;
    EXPECT_EQ(reply.error().where,
              "GET " + server.url() + std::string(split(fault.path, '?').front()));
  }
  EXPECT_EQ(http->send(get(url("/big?1048576")))->body.size(), 1048576U) << "just within the limit";
  ASSERT_TRUE(http->send(get(url("/echo")))) << "no fault spoils what comes after it";
}

TEST_F(CurlHttpTest, EndsADripByTheDeadlineInAll) {
  const auto begin = std::chrono::steady_clock::now();
  Request request = get(url("/drip"));
  request.timeout = milliseconds(500);
  const auto reply = http->send(request);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::timeout);
  EXPECT_EQ(reply.error().what, "no complete answer from 127.0.0.1 within 0.5 s");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(CurlHttpTest, GivesUpConnectingByItsDeadline) {
  // A server that waits for a request while we wait for its half of the TLS handshake.
  http = real_http({.connect_timeout = milliseconds(300)});
  const auto reply = http->send(get("https://127.0.0.1:" + std::to_string(server.port()) + "/"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::timeout);
  EXPECT_EQ(reply.error().what, "no connection to 127.0.0.1 within 0.3 s");
}

TEST_F(CurlHttpTest, SaysThatNobodyListens) {
  const std::string port = std::to_string(servers::free_port());
  const auto reply = http->send(get("http://127.0.0.1:" + port + "/"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::unreachable);
  EXPECT_EQ(reply.error().what, "no connection to 127.0.0.1: Connection refused");
}

TEST_F(CurlHttpTest, RefusesWhatCannotBeSent) {
  const std::string secret = "s3cret";
  for (const Request& request : std::vector<Request>{
           {.url = url("/echo"), .headers = {{"X-Token", secret + "\n"}}},
           {.url = url("/echo"), .headers = {{"X-Token", secret + "\r\nX-Other: 1"}}},
           {.url = url("/echo"), .headers = {{"X-Token", secret + std::string(1, '\0')}}},
           {.url = url("/echo"), .headers = {{"X-Token", secret + "\xC3\xA9"}}},
           {.url = url("/echo"), .headers = {{"X Token", secret}}},
           {.url = url("/echo"), .headers = {{"", secret}}},
           {.url = url("/echo"), .headers = {{"X:", secret}}},
           {.method = "GET /x HTTP/1.1\r\nA: b", .url = url("/echo")},
           {.method = "", .url = url("/echo")},
           {.url = url("/echo?") + secret + " HTTP/1.1"},
           {.url = url("/echo?") + secret + "\r\nX: y"},
       }) {
    const auto reply = http->send(request);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::invalid);
    EXPECT_THAT(to_string(reply.error()), Not(HasSubstr(secret)));
  }
  EXPECT_EQ(asked("/echo"), 0);
}

TEST_F(CurlHttpTest, ShowsNoSecretInAnyError) {
  http = real_http({.silence_timeout = milliseconds(1500), .answer_limit = 1000});
  const std::string secret = "s3cret";
  for (const char* path : {"/bomb", "/endless-headers", "/broken-gzip", "/garbage", "/bad-status",
                           "/truncated", "/reset", "/reset-in-body", "/hang", "/big"}) {
    Request request{.method = "PUT",
                    .url = "http://" + secret + "user:" + secret +
                           "@127.0.0.1:" + std::to_string(server.port()) + path +
                           "?1001&token=" + secret + "#" + secret,
                    .headers = {{"Authorization", "Bearer " + secret}, {"X-Api-Key", secret}},
                    .body = secret};
    const auto reply = http->send(request);
    if (reply) continue;  // "/big" reads another number
    EXPECT_THAT(to_string(reply.error()), Not(HasSubstr(secret))) << path;
    EXPECT_EQ(reply.error().where, "PUT " + url(path));
  }
}

class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Environment() { unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

TEST_F(CurlHttpTest, HonoursProxiesButNotForPlainHttp) {
  const std::string nobody = "http://user:s3cret@127.0.0.1:" + std::to_string(servers::free_port());
  const Environment for_http("http_proxy", nobody);
  const Environment for_https("https_proxy", nobody);
  EXPECT_TRUE(http->send(get(url("/echo")))) << "what is in plain text stays on this machine";
  const auto reply = http->send(get("https://api.example/"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::unreachable);
  EXPECT_THAT(to_string(reply.error()), Not(HasSubstr("s3cret")));
}

TEST_F(CurlHttpTest, DoesNotShowAProxysPasswordThatLibcurlQuotes) {
  const Environment proxy("https_proxy", "nonsense://user:s3cret@127.0.0.1:1");
  const auto reply = http->send(get("https://api.example/"));
  ASSERT_FALSE(reply);
  EXPECT_THAT(to_string(reply.error()), Not(HasSubstr("s3cret")));
}

TEST_F(CurlHttpTest, StopsWaitingAtOnce) {
  std::stop_source stop;
  http = real_http({.stop = stop.get_token()});
  std::array<Code, 8> codes{};
  std::chrono::steady_clock::time_point begin;
  {
    std::vector<std::jthread> threads;
    for (Code& code : codes)
      threads.emplace_back([&] {
        const auto reply = http->send(get(url("/hang")));
        code = reply ? Code::internal : reply.error().code;
      });
    ASSERT_TRUE(servers::wait_until([&] { return asked("/hang") == 8; }));
    begin = std::chrono::steady_clock::now();
    stop.request_stop();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_THAT(codes, testing::Each(Code::cancelled));
  const auto later = http->send(get(url("/echo")));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Code::cancelled);
  EXPECT_EQ(asked("/echo"), 0);
}

TEST_F(CurlHttpTest, LetsAWriteThatHasBegunEnd) {
  std::stop_source stop;
  http = real_http({.stop = stop.get_token()});
  Request write{.method = "POST", .url = url("/hang"), .body = "x", .timeout = milliseconds(700)};
  Code code = Code::internal;
  {
    std::jthread thread([&] {
      const auto reply = http->send(write);
      if (!reply) code = reply.error().code;
    });
    ASSERT_TRUE(servers::wait_until([&] { return asked("/hang") == 1; }));
    stop.request_stop();
  }
  EXPECT_EQ(code, Code::timeout) << "cut off, nobody would know whether it was done";
}

}  // namespace
}  // namespace stsctl::io
