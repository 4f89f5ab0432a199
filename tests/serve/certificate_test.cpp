#include "serve/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "io/files.h"
#include "servers/faulty_http.h"

namespace stsctl::serve {
namespace {

using servers::TestCa;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const std::string& file) {
  return *io::real_files()->read(file, 1U << 20U);
}

TEST(ParseCertificate, ReadsNamesTimesAndChain) {
  const TestCa ca;
  const TestCa::Pair pair = ca.issue("DNS:MTA-STS.example.com,DNS:*.example.org,IP:127.0.0.1", 10);
  const auto certificate =
      parse_certificate(text_of(pair.certificate) + text_of(ca.file()), text_of(pair.key));
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  EXPECT_THAT(certificate->names, ElementsAre("mta-sts.example.com", "*.example.org"));
  EXPECT_EQ(certificate->not_after - certificate->not_before, std::chrono::days(10));
  EXPECT_EQ(sk_X509_num(certificate->chain.get()), 1);
}

TEST(ParseCertificate, SaysWhatIsWrong) {
  const TestCa ca;
  const TestCa::Pair pair = ca.issue("DNS:mta-sts.example.com");
  const TestCa::Pair other = ca.issue("DNS:mta-sts.example.org");
  const TestCa::Pair nameless = ca.issue("IP:127.0.0.1");
  const std::string chain = text_of(pair.certificate);
  const std::string key = text_of(pair.key);
  const std::string secret =
      servers::run({"openssl", "pkey", "-in", pair.key, "-aes128", "-passout", "pass:secret"});
  struct Case {
    std::string chain, key;
    const char* what;
  };
  for (const Case& c : {
           Case{"", key, "holds no certificate"},
           Case{"no PEM", key, "holds no certificate"},
           Case{key, key, "holds no certificate"},
           Case{chain.substr(0, chain.size() / 2), key, "holds no certificate"},
           Case{chain + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", key,
                "a certificate of its chain is broken"},
           Case{chain, "", "its key is no PEM key"},
           Case{chain, key.substr(0, key.size() / 2), "its key is no PEM key"},
           Case{chain, secret, "its key has a passphrase"},
           Case{chain, text_of(other.key), "its key is that of another certificate"},
           Case{text_of(nameless.certificate), text_of(nameless.key), "it is for no DNS name"},
       }) {
    const auto certificate = parse_certificate(c.chain, c.key);
    ASSERT_FALSE(certificate) << c.what;
    EXPECT_EQ(certificate.error().code, Code::invalid);
    EXPECT_THAT(certificate.error().what, HasSubstr(c.what));
    EXPECT_EQ(ERR_peek_error(), 0U) << "left for the next handshake to trip over";
  }
}

TEST(ParseCertificate, RefusesAKeyThatNoSenderAccepts) {
  const servers::Folder folder;
  servers::run({"openssl", "req", "-x509", "-newkey", "rsa:512", "-nodes", "-keyout",
                folder.file("key"), "-out", folder.file("pem"), "-subj", "/CN=weak", "-addext",
                "subjectAltName=DNS:mta-sts.example.com"});
  const auto weak = parse_certificate(text_of(folder.file("pem")), text_of(folder.file("key")));
  ASSERT_FALSE(weak);
  EXPECT_THAT(weak.error().what, HasSubstr("too small"));
}

}  // namespace
}  // namespace stsctl::serve
