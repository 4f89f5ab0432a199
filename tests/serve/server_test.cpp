#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/running_server.h"
#include "servers/running.h"

namespace stsctl::serve {
namespace {

using servers::wait_until;
using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Server, AnswersManyRequestsOnOneConnection) {
  RunningServer running;
  Client client = running.client();
  for (int i = 0; i < 3; ++i) {
    client.send(policy_request);
    const std::string answer = client.answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n" + body_of_com));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Connection:")));
  }
  EXPECT_EQ(running.metric("stsctl_connections_total"), 1U);
  EXPECT_EQ(running.metric("stsctl_requests_total", ",status=\"200\""), 3U);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  RunningServer running;
  Client client = running.client();
  std::string all;
  for (int i = 0; i < 200; ++i)
    all += policy_request + request_for("/no");
  client.send(all + request_for("/healthz"));
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.status(), 200);
    EXPECT_EQ(client.status(), 404);
  }
  EXPECT_THAT(client.answer(), EndsWith("\r\n\r\nok\n"));
}

TEST(Server, TakesARequestInPieces) {
  RunningServer running;
  Client client = running.client();
  for (const char c : policy_request) {
    ASSERT_TRUE(client.send(std::string_view(&c, 1)));
  }
  EXPECT_EQ(client.status(), 200);
}

TEST(Server, SpeaksHttp10) {
  RunningServer running;
  const std::string request = "GET /healthz HTTP/1.0\r\n";
  Client one = running.client();
  one.send(request + "\r\n");
  EXPECT_THAT(one.answer(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(one.ended());
  Client kept = running.client();
  kept.send(request + "Connection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.answer(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  kept.send(request + "Connection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.status(), 200);
}

TEST(Server, ClosesWhenAsked) {
  RunningServer running;
  Client client = running.client();
  client.send(request_for("/.well-known/mta-sts.txt", "Connection: close\r\n"));
  EXPECT_THAT(client.answer(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client.ended());
}

TEST(Server, SendsHeadNoBody) {
  RunningServer running;
  Client client = running.client();
  client.send("HEAD /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.com\r\n\r\n");
  EXPECT_THAT(client.answer(false), EndsWith("\r\n\r\n"));
  client.send(request_for("/healthz"));
  EXPECT_THAT(client.answer(), EndsWith("\r\n\r\nok\n")) << "the connection is in step";
}

// A refusal is worth nothing if the client gets a reset in its place.
TEST(Server, RefusesABodyAndIsHeard) {
  RunningServer running;
  for (const char* framing : {"Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Client client = running.client();
    client.send(std::string("POST / HTTP/1.1\r\nHost: a\r\n") + framing + "\r\n" +
                std::string(100'000, 'x'));
    const std::string answer = client.answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_TRUE(client.ended()) << framing;
  }
}

TEST(Server, DoesNotTakeABodyForTheNextRequest) {
  RunningServer running;
  Client client = running.client();
  const std::string inner = policy_request;
  client.send(request_for("/healthz", "Content-Length: " + std::to_string(inner.size()) + "\r\n") +
              inner);
  EXPECT_EQ(client.status(), 200);
  EXPECT_TRUE(client.ended()) << "answered a request within a request";
}

TEST(Server, RefusesWhatIsNoRequest) {
  RunningServer running;
  struct Case {
    std::string sent;
    int status;
  };
  const std::string host = "Host: mta-sts.example.com\r\n";
  for (const Case& c : {
           Case{"hello\r\n\r\n", 400},
           Case{std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15),
                400},  // TLS
           Case{std::string("GET /\0 HTTP/1.1\r\n", 18) + host + "\r\n", 400},
           Case{"GET / HTTP/1.1\r\n" + host + "bad header\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\n" + host + "a : b\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400},
           Case{"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
           Case{"GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
           Case{"GET /  HTTP/1.1\r\n" + host + "\r\n", 400},
           Case{"GET * HTTP/1.1\r\n" + host + "\r\n", 400},
           Case{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
           Case{"GET / HTTP/3.7\r\n" + host + "\r\n", 400},
           Case{"GET / HTTP/1.1\r\n" + host + "A: " + std::string(9000, 'x') + "\r\n\r\n", 431},
           Case{"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 431},
           Case{std::string(1'000'000, 'x'), 431},
           Case{"GET / HTTP/1.1\r\n" + host + std::string(9000, '\n'), 400},
       }) {
    Client client = running.client();
    client.send(c.sent);
    EXPECT_EQ(client.status(), c.status) << c.sent.substr(0, 80);
    EXPECT_TRUE(client.ended()) << c.sent.substr(0, 80);
  }
  Client client = running.client();
  client.send(policy_request);
  EXPECT_EQ(client.status(), 200) << "none of them disturbs the next";
}

TEST(Server, ServesNoFile) {
  RunningServer running;
  Client client = running.client();
  for (const char* target :
       {"/../../etc/passwd", "/..%2f..%2fetc/passwd", "/.well-known/../../etc/passwd",
        "/.well-known/mta-sts.txt/../mta-sts.txt", "//etc/passwd", "/%00"}) {
    client.send(request_for(target));
    EXPECT_EQ(client.status(), 404) << target;
  }
}

TEST(Server, EndsASlowRequestAtItsDeadline) {
  RunningServer running({.header = milliseconds(300)});
  Client client = running.client();
  const auto begin = std::chrono::steady_clock::now();
  client.send("GET / HTTP/1.1\r\n");
  // A byte now and then must not put the deadline off.
  while (client.send("a") && std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)) {
    pollfd answered{client.descriptor(), POLLIN, 0};
    if (poll(&answered, 1, 20) == 1) break;
  }
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(running.metric("stsctl_connections_timed_out_total"), 1U);
}

TEST(Server, EndsAnIdleConnection) {
  RunningServer running({.idle = milliseconds(200)});
  Client fresh = running.client();
  Client used = running.client();
  used.send(policy_request);
  EXPECT_EQ(used.status(), 200);
  EXPECT_TRUE(fresh.ended());
  EXPECT_TRUE(used.ended());
  EXPECT_EQ(running.metric("stsctl_connections_timed_out_total"), 0U) << "nothing was under way";
}

TEST(Server, EndsAClientThatTakesNoAnswers) {
  RunningServer running({.write = milliseconds(300)});
  Client client(running.port(), 1024);
  std::string all;
  for (int i = 0; i < 1000; ++i)
    all += policy_request;
  // Until the buffers of both sides are full.
  ASSERT_TRUE(wait_until([&] {
    const ssize_t sent =
        ::send(client.descriptor(), all.data(), all.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 && errno != EAGAIN;
  })) << "it is never cut off";
  EXPECT_TRUE(wait_until([&] { return running.metric("stsctl_connections") == 0; }));
  EXPECT_EQ(running.metric("stsctl_connections_timed_out_total"), 1U);
}

TEST(Server, BoundsIdleConnectionsAndStillServes) {
  constexpr std::size_t most = 50;
  RunningServer running({.connections = most});
  std::vector<Client> idle;
  for (int i = 0; i < 1000; ++i)
    idle.push_back(running.client());
  Client client = running.client();
  client.send(policy_request);
  EXPECT_EQ(client.status(), 200) << "an idle one makes room";
  EXPECT_TRUE(wait_until([&] { return running.metric("stsctl_connections_total") == 1001; }));
  EXPECT_TRUE(wait_until([&] { return running.metric("stsctl_connections") <= most; }));
  EXPECT_GE(running.metric("stsctl_connections_evicted_total"), 1001 - most - 2);
  EXPECT_TRUE(idle.front().ended()) << "the longest idle goes first";
}

TEST(Server, RefusesConnectionsWhenAllAreBusy) {
  RunningServer running({.connections = 4});
  std::vector<Client> busy;
  for (int i = 0; i < 4; ++i) {
    busy.push_back(running.client());
    busy.back().send("GET / HTTP/1.1\r\n");
  }
  ASSERT_TRUE(wait_until([&] { return running.metric("stsctl_connections") == 4; }));
  // The server sees their first bytes before or after it would take a fifth; both end it.
  ASSERT_TRUE(wait_until([&] {
    Client more = running.client();
    return more.answer().empty() && running.metric("stsctl_connections_refused_total") > 0;
  }));
  for (Client& client : busy) {
    client.send("Host: mta-sts.example.com\r\n\r\n");
  }
  EXPECT_EQ(busy.front().status(), 404) << "who was there first is served";
}

TEST(Server, ServesNewPoliciesOnOldConnections) {
  RunningServer running;
  Client client = running.client();
  client.send(policy_request);
  EXPECT_THAT(client.answer(), EndsWith(body_of_com));
  running.server().set_policies(policies_with("version: STSv1\r\nmode: none\r\n"));
  EXPECT_TRUE(wait_until([&] {
    client.send(policy_request);
    return client.answer().ends_with("mode: none\r\n");
  }));
  EXPECT_EQ(running.metric("stsctl_connections_total"), 1U);
}

TEST(Server, FinishesWhatIsUnderWayWhenItStops) {
  RunningServer running;
  Client idle = running.client();
  std::jthread stopping;
  Client busy = running.client();
  busy.send("GET /.well-known/mta-sts.txt HTTP/1.1\r\n");
  ASSERT_TRUE(wait_until([&] { return running.metric("stsctl_connections") == 2; }));
  stopping = std::jthread([&] { running.server().stop(); });
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(wait_until([&] { return !servers::accepts(running.port()); }));
  busy.send("Host: mta-sts.example.com\r\n\r\n");
  const std::string answer = busy.answer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
}

TEST(Server, StopsWithinItsGrace) {
  RunningServer running({.grace = milliseconds(300)});
  Client stalled = running.client();
  stalled.send("GET / HTTP/1.1\r\n");
  ASSERT_TRUE(wait_until([&] { return running.metric("stsctl_connections") == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  running.server().stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(Server, LogsEveryRequestAndWhoSentIt) {
  RunningServer running({}, {*parse_network("127.0.0.0/8")});
  Client client = running.client();
  client.send(request_for("/.well-known/mta-sts.txt",
                          "User-Agent: \xc2\x9b[31mred\r\nX-Forwarded-For: 198.51.100.1\r\n"
                          "X-Forwarded-For: 192.0.2.7\r\n"));
  EXPECT_EQ(client.status(), 200);
  Client broken = running.client();
  broken.send("x\r\n\r\n");
  EXPECT_EQ(broken.status(), 400);
  ASSERT_TRUE(wait_until([&] { return std::ranges::count(running.log(), '\n') >= 2; }));
  const std::string log = running.log();
  EXPECT_THAT(log,
              HasSubstr("\"client\":\"192.0.2.7\",\"method\":\"GET\","
                        "\"host\":\"mta-sts.example.com\","
                        "\"target\":\"/.well-known/mta-sts.txt\",\"status\":200,\"bytes\":69,"));
  EXPECT_THAT(log, HasSubstr("\"user_agent\":\"\\\\xC2\\\\x9B[31mred\""));
  EXPECT_THAT(log,
              HasSubstr("\"client\":\"127.0.0.1\",\"method\":\"\",\"host\":\"\",\"target\":\"\","
                        "\"status\":400,"));
}

TEST(Server, DoesNotBelieveXForwardedForFromAnybody) {
  RunningServer running;
  Client client = running.client();
  client.send(request_for("/healthz", "X-Forwarded-For: 192.0.2.7\r\n"));
  EXPECT_EQ(client.status(), 200);
  ASSERT_TRUE(wait_until([&] { return !running.log().empty(); }));
  EXPECT_THAT(running.log(), HasSubstr("\"client\":\"127.0.0.1\""));
}

TEST(Server, SaysWhatItCannotListenOn) {
  RunningServer running;
  const auto clock = io::real_clock();
  std::ostringstream text;
  io::Log log(text);
  for (const ListenAddress& address :
       {ListenAddress{.host = "127.0.0.1", .port = running.port()},
        ListenAddress{.host = "192.0.2.1", .port = 0}, ListenAddress{.descriptor = 999}}) {
    const auto opened = Server::open(
        {.listeners = {{.address = address}}, .clock = *clock, .log = log}, policies_with(""));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::unreachable);
    EXPECT_EQ(opened.error().where, to_string(address));
  }
}

TEST(Server, ServesManyClientsAtOnceWhilePoliciesChange) {
  RunningServer running;
  std::vector<std::jthread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      Client client = running.client();
      for (int n = 0; n < 100; ++n) {
        client.send(policy_request);
        good += client.status() == 200 ? 1 : 0;
      }
    });
  for (int i = 0; i < 50; ++i)
    running.server().set_policies(policies_with("version: " + std::to_string(i)));
  clients.clear();
  EXPECT_EQ(good, 800);
  EXPECT_EQ(running.metric("stsctl_requests_total", ",status=\"200\""), 800U);
}

}  // namespace
}  // namespace stsctl::serve
