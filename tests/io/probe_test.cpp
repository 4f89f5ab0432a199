// What is seen of web and mail servers, good and bad, over the wire.

#include "io/probe.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "servers/faulty_http.h"

namespace stsctl::io {
namespace {

using servers::start_smtp;
using servers::TestCa;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class ProbeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ca = std::make_unique<TestCa>(); }
  static void TearDownTestSuite() { ca.reset(); }

  static std::unique_ptr<Prober> prober(milliseconds timeout = milliseconds(20000)) {
    return real_prober({.ca_file = ca->file(), .timeout = timeout});
  }

  static HttpsProbe fetch(const TestCa::Pair& pair, const std::string& host,
                          const std::vector<std::string>& arguments = {},
                          milliseconds timeout = milliseconds(20000)) {
    const servers::FaultyHttp server(pair, arguments);
    return prober(timeout)->fetch_policy({host, "127.0.0.1", server.port()});
  }

  static SmtpProbe look(const TestCa::Pair& pair, const std::string& behaviour,
                        const std::vector<std::string>& more = {},
                        milliseconds timeout = milliseconds(20000)) {
    const servers::PythonServer server = start_smtp(pair, behaviour, more);
    return prober(timeout)->look_at_mx({"mail.example.com", "127.0.0.1", server.port()});
  }

  static TestCa::Pair mail_pair() { return ca->issue("DNS:mail.example.com"); }
  static TestCa::Pair web_pair() { return ca->issue("DNS:*.example.com,DNS:example.net"); }

  static inline std::unique_ptr<TestCa> ca;
};

TEST_F(ProbeTest, FetchesAPolicyAndShowsTheCertificate) {
  const HttpsProbe seen = fetch(web_pair(), "mta-sts.example.com");
  ASSERT_TRUE(seen.reply) << to_string(seen.reply.error());
  EXPECT_EQ(seen.reply->status, 200);
  EXPECT_THAT(seen.reply->body, testing::StartsWith("version: STSv1\r\n"));
  EXPECT_EQ(seen.reply->header("content-type"), "text/plain");
  EXPECT_TRUE(seen.tls.shown && seen.tls.trusted && seen.tls.named);
  EXPECT_EQ(seen.tls.version, "TLSv1.3");
  EXPECT_THAT(seen.tls.names, ElementsAre("*.example.com", "example.net"));
  const Duration life = seen.tls.not_after - seen.tls.not_before;
  EXPECT_EQ(life, Duration(30 * 86400));
}

TEST_F(ProbeTest, FollowsNoRedirect) {
  const HttpsProbe seen = fetch(web_pair(), "redirect.example.com");
  ASSERT_TRUE(seen.reply);
  EXPECT_EQ(seen.reply->status, 301);
  EXPECT_EQ(seen.reply->header("Location"), "/echo");
}

TEST_F(ProbeTest, ReadsNoLongPolicy) {
  const HttpsProbe seen = fetch(web_pair(), "big.example.com");
  ASSERT_FALSE(seen.reply);
  EXPECT_EQ(seen.reply.error().code, Code::protocol);
  EXPECT_THAT(seen.reply.error().what, HasSubstr("65536 bytes"));
}

TEST_F(ProbeTest, EndsAnAnswerThatDrips) {
  const HttpsProbe seen = fetch(web_pair(), "drip.example.com", {}, milliseconds(700));
  ASSERT_FALSE(seen.reply);
  EXPECT_EQ(seen.reply.error().code, Code::timeout);
  EXPECT_TRUE(seen.tls.trusted);
}

TEST_F(ProbeTest, TellsWhyACertificateIsNotTrusted) {
  struct Case {
    const char* name;
    TestCa::Pair pair;
    const char* distrust;
  };
  for (const Case& one : std::vector<Case>{
           {"expired", ca->issue("DNS:mta-sts.example.com", -1), "expired"},
           {"self-signed", ca->self_signed("DNS:mta-sts.example.com"), "self-signed"}}) {
    const HttpsProbe seen = fetch(one.pair, "mta-sts.example.com");
    ASSERT_FALSE(seen.reply) << one.name;
    EXPECT_EQ(seen.reply.error().code, Code::unauthorized) << one.name;
    EXPECT_TRUE(seen.tls.shown) << one.name;
    EXPECT_FALSE(seen.tls.trusted) << one.name;
    EXPECT_TRUE(seen.tls.named) << one.name;
    EXPECT_THAT(seen.tls.distrust, HasSubstr(one.distrust)) << one.name;
    EXPECT_EQ(seen.tls.version, "") << one.name << ": the handshake must not be completed";
  }
}

TEST_F(ProbeTest, TellsTheNamesOfACertificateForAnotherName) {
  const HttpsProbe seen = fetch(ca->issue("DNS:www.example.com"), "mta-sts.example.com");
  ASSERT_FALSE(seen.reply);
  EXPECT_EQ(seen.reply.error().code, Code::unauthorized);
  EXPECT_TRUE(seen.tls.trusted);
  EXPECT_FALSE(seen.tls.named);
  EXPECT_THAT(seen.reply.error().what, HasSubstr("www.example.com"));
}

TEST_F(ProbeTest, AWildcardStandsForOneWholeLabel) {
  const HttpsProbe seen = fetch(ca->issue("DNS:*.example.com"), "mta-sts.mail.example.com");
  EXPECT_FALSE(seen.tls.named);
  EXPECT_FALSE(seen.reply);
}

TEST_F(ProbeTest, TakesNoOldTls) {
  const HttpsProbe seen = fetch(web_pair(), "mta-sts.example.com", {"--max-tls", "1.1"});
  ASSERT_FALSE(seen.reply);
  EXPECT_EQ(seen.reply.error().code, Code::protocol);
  EXPECT_FALSE(seen.tls.shown);
}

TEST_F(ProbeTest, NobodyListens) {
  const std::uint16_t port = servers::free_port();
  const HttpsProbe web = prober()->fetch_policy({"mta-sts.example.com", "127.0.0.1", port});
  ASSERT_FALSE(web.reply);
  EXPECT_EQ(web.reply.error().code, Code::unreachable);
  const SmtpProbe mail = prober()->look_at_mx({"mail.example.com", "127.0.0.1", port});
  ASSERT_FALSE(mail.verdict);
  EXPECT_EQ(mail.verdict.error().code, Code::unreachable);
  EXPECT_FALSE(mail.reached);
}

TEST_F(ProbeTest, AGoodMailServer) {
  const SmtpProbe seen = look(mail_pair(), "good");
  ASSERT_TRUE(seen.verdict) << to_string(seen.verdict.error());
  EXPECT_TRUE(seen.reached && seen.greeted && seen.starttls);
  EXPECT_TRUE(seen.tls.trusted && seen.tls.named);
  EXPECT_EQ(seen.tls.version, "TLSv1.3");
  EXPECT_THAT(seen.tls.names, ElementsAre("mail.example.com"));
}

// The certificate of a PEM file, as it goes over the wire.
std::string der_of(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string begin = "-----BEGIN CERTIFICATE-----";
  const std::size_t from = text.find(begin) + begin.size();
  return decode_base64(text.substr(from, text.find("-----END") - from)).value();
}

TEST_F(ProbeTest, KeepsTheCertificatesThatAreShownTrustedOrNot) {
  for (const TestCa::Pair& pair : {mail_pair(), ca->self_signed("DNS:mail.example.com")}) {
    const SmtpProbe seen = look(pair, "good");
    ASSERT_THAT(seen.tls.chain, testing::SizeIs(1));
    const ShownCertificate& leaf = seen.tls.chain.front();
    EXPECT_EQ(hex(leaf.der), hex(der_of(pair.certificate)));
    EXPECT_GT(leaf.key.size(), 60U);
    EXPECT_EQ(leaf.key.front(), '0') << "a SEQUENCE";
    EXPECT_THAT(leaf.der, testing::HasSubstr(leaf.key));
  }
}

TEST_F(ProbeTest, MailServersThatASenderDoesNotTake) {
  struct Case {
    std::string behaviour;
    TestCa::Pair pair;
    std::vector<std::string> more;
    Code code;
    bool greeted;
    bool starttls;
  };
  const TestCa::Pair pair = mail_pair();
  for (const Case& one : std::vector<Case>{
           {"no-starttls", pair, {}, Code::unsupported, true, false},
           {"refuses", pair, {}, Code::protocol, true, true},
           {"injects", pair, {}, Code::protocol, true, true},
           {"garbage", pair, {}, Code::unreachable, false, false},
           {"busy", pair, {}, Code::unreachable, false, false},
           {"good", pair, {"--max-tls", "1.1"}, Code::protocol, true, true},
           {"good", ca->issue("DNS:mail.example.com", -1), {}, Code::unauthorized, true, true},
           {"good", ca->self_signed("DNS:mail.example.com"), {}, Code::unauthorized, true, true},
           {"good", ca->issue("DNS:mail.example.net"), {}, Code::unauthorized, true, true}}) {
    const SmtpProbe seen = look(one.pair, one.behaviour, one.more);
    ASSERT_FALSE(seen.verdict) << one.behaviour;
    EXPECT_EQ(seen.verdict.error().code, one.code)
        << one.behaviour << ": " << to_string(seen.verdict.error());
    EXPECT_TRUE(seen.reached) << one.behaviour;
    EXPECT_EQ(seen.greeted, one.greeted) << one.behaviour;
    EXPECT_EQ(seen.starttls, one.starttls) << one.behaviour;
  }
}

TEST_F(ProbeTest, AMailServerThatNeverGreets) {
  const SmtpProbe seen = look(mail_pair(), "silent", {}, milliseconds(700));
  ASSERT_FALSE(seen.verdict);
  EXPECT_EQ(seen.verdict.error().code, Code::timeout);
  EXPECT_TRUE(seen.reached);
  EXPECT_FALSE(seen.greeted);
}

// RFC 5321 §4.5.3.2.1: a greeting may take minutes; only TCP must stand soon.
TEST_F(ProbeTest, AMailServerThatGreetsLate) {
  const servers::PythonServer server = start_smtp(mail_pair(), "late", {});
  const auto hasty = real_prober({.ca_file = ca->file(), .connect = milliseconds(200)});
  const SmtpProbe seen = hasty->look_at_mx({"mail.example.com", "127.0.0.1", server.port()});
  EXPECT_TRUE(seen.verdict) << to_string(seen.verdict.error());
}

// A listener that accepts nobody: what is beyond its backlog gets no answer at all.
TEST_F(ProbeTest, AnAddressThatDoesNotAnswerIsGivenUpSoon) {
  const auto socket_at = [](std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  };
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = socket_at(0);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener, general, size), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  ASSERT_EQ(getsockname(listener, general, &size), 0);
  const int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(first, general, size), 0);
  const auto hasty = real_prober({.ca_file = ca->file(), .connect = milliseconds(300)});
  const SmtpProbe seen =
      hasty->look_at_mx({"mail.example.com", "127.0.0.1", ntohs(address.sin_port)});
  ASSERT_FALSE(seen.verdict);
  EXPECT_EQ(seen.verdict.error().code, Code::timeout);
  EXPECT_THAT(seen.verdict.error().what, testing::HasSubstr("no connection"));
  EXPECT_FALSE(seen.reached);
  close(first);
  close(listener);
}

}  // namespace
}  // namespace stsctl::io
