#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/curl_http.h"
#include "servers/faulty_http.h"

namespace stsctl::io {
namespace {

using servers::FaultyHttp;
using servers::TestCa;
using testing::HasSubstr;

constexpr const char* here = "DNS:localhost,IP:127.0.0.1";

class CurlTlsTest : public testing::Test {
 protected:
  Result<Reply> ask(const std::string& server, const std::string& ca_file) {
    Request request = get(server + "/echo?token=s3cret");
    request.ca_file = ca_file;
    return http->send(request);
  }

  TestCa ca;
  std::unique_ptr<Http> http = real_http();
};

TEST_F(CurlTlsTest, TrustsTheGivenCaForTheRequestThatNamesIt) {
  const FaultyHttp server(ca.issue(here));
  const auto reply = ask(server.url(), ca.file());
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->status, 200);
  const auto other = ask(server.url(), "");
  ASSERT_FALSE(other) << "an open connection must not serve who does not trust it";
  EXPECT_EQ(other.error().code, Code::unauthorized);
}

TEST_F(CurlTlsTest, SaysWhyACertificateIsNotAccepted) {
  struct Case {
    TestCa::Pair pair;
    std::string ca_file;
    const char* what;
  };
  const TestCa another;
  for (const Case& c : std::vector<Case>{
           {ca.issue("DNS:mail.example,DNS:www.example"), ca.file(),
            "the certificate of localhost is only for DNS:mail.example, DNS:www.example"},
           {ca.issue(here, -1), ca.file(), "the certificate of localhost has expired"},
           {ca.self_signed(here), ca.file(),
            "the certificate of localhost is self-signed and not trusted here"},
           {ca.issue(here), another.file(),
            "the certificate of localhost is issued by no CA trusted here"},
           {ca.issue(here), "", "the certificate of localhost is issued by no CA trusted here"},
       }) {
    const FaultyHttp server(c.pair);
    const auto reply = ask(server.url(), c.ca_file);
    ASSERT_FALSE(reply) << c.what;
    EXPECT_EQ(reply.error().code, Code::unauthorized) << to_string(reply.error());
    EXPECT_THAT(reply.error().what, HasSubstr(c.what));
    EXPECT_EQ(reply.error().where, "GET " + server.url() + "/echo");
  }
}

TEST_F(CurlTlsTest, TrustsACertificateThatIsItselfInTheFile) {
  const TestCa::Pair pair = ca.self_signed(here);
  const FaultyHttp server(pair);
  const auto reply = ask(server.url(), pair.certificate);
  EXPECT_TRUE(reply) << to_string(reply.error());
}

TEST_F(CurlTlsTest, RefusesTlsBelow12) {
  const FaultyHttp old(ca.issue(here), {"--max-tls", "1.1"});
  const auto reply = ask(old.url(), ca.file());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::protocol) << to_string(reply.error());
  EXPECT_EQ(reply.error().hint, "TLS 1.2 or later is needed");
  const FaultyHttp enough(ca.issue(here), {"--max-tls", "1.2"});
  const auto good = ask(enough.url(), ca.file());
  EXPECT_TRUE(good) << to_string(good.error());
}

TEST_F(CurlTlsTest, SaysThatAPortDoesNotSpeakTls) {
  const servers::Folder folder;
  const auto port = servers::free_port();
  folder.write("index.html", "x");
  const servers::Running plain({"/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1",
                                "--directory", folder.path(), std::to_string(port)},
                               folder.file("log"));
  ASSERT_TRUE(servers::wait_until([&] { return servers::accepts(port); }));
  const auto reply = ask("https://localhost:" + std::to_string(port), "");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::protocol);
  EXPECT_THAT(reply.error().what, HasSubstr("does not speak TLS"));
}

TEST_F(CurlTlsTest, SaysWhatIsWrongWithACaFile) {
  const servers::Folder folder;
  for (const std::string& file : {folder.file("missing.pem"), folder.write("empty.pem", ""),
                                  folder.write("text.pem", "no certificate")}) {
    const auto reply = ask("https://localhost:1", file);
    ASSERT_FALSE(reply) << file;
    EXPECT_EQ(reply.error().code, Code::invalid);
    EXPECT_THAT(to_string(reply.error()), HasSubstr(file));
    EXPECT_EQ(reply.error().hint, "ca_file must name a PEM file");
  }
}

TEST_F(CurlTlsTest, TakesTheSystemsCasFromWhereTheEnvironmentSays) {
  const FaultyHttp server(ca.issue(here));
  setenv("SSL_CERT_FILE", ca.file().c_str(), 1);
  const auto by_file = ask(server.url(), "");
  setenv("SSL_CERT_FILE", "/nonexistent.pem", 1);
  const auto broken = real_http()->send(get(server.url()));
  unsetenv("SSL_CERT_FILE");
  EXPECT_TRUE(by_file) << to_string(by_file.error());
  ASSERT_FALSE(broken);
  EXPECT_THAT(to_string(broken.error()), HasSubstr("/nonexistent.pem"));
  const servers::Folder folder;
  servers::run({"cp", ca.file(), folder.file("ca.pem")});
  servers::run({"openssl", "rehash", folder.path()});
  setenv("SSL_CERT_DIR", folder.path().c_str(), 1);
  http = real_http();
  const auto by_folder = ask(server.url(), "");
  unsetenv("SSL_CERT_DIR");
  EXPECT_TRUE(by_folder) << to_string(by_folder.error());
}

TEST_F(CurlTlsTest, SpeaksHttp2WhereItIsOffered) {
  const servers::Folder folder;
  const TestCa::Pair pair = ca.issue(here);
  const auto port = servers::free_port();
  const std::string config = folder.write(
      "nginx.conf",
      "daemon off; pid " + folder.file("pid") + "; error_log " + folder.file("error") +
          ";\nevents {}\nhttp { access_log off; client_body_temp_path " + folder.path() +
          "; server { listen 127.0.0.1:" + std::to_string(port) + " ssl http2; ssl_certificate " +
          pair.certificate + "; ssl_certificate_key " + pair.key +
          "; location /echo { return 200 \"$server_protocol $connection_requests\"; "
          "} } }\n");
  const servers::Running nginx({"nginx", "-c", config, "-p", folder.path()}, folder.file("log"));
  ASSERT_TRUE(servers::wait_until([&] { return servers::accepts(port); }));
  for (const char* wanted : {"HTTP/2.0 1", "HTTP/2.0 2", "HTTP/2.0 3"}) {
    const auto reply = ask("https://localhost:" + std::to_string(port), ca.file());
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_EQ(reply->body, wanted) << "on one connection";
  }
}

}  // namespace
}  // namespace stsctl::io
