#include "serve/certificate_folder.h"

#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/clock.h"
#include "servers/faulty_http.h"

namespace stsctl::serve {
namespace {

namespace fs = std::filesystem;
using servers::TestCa;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(FindPairs, KnowsTheLayouts) {
  struct Case {
    std::vector<std::string> names;
    std::vector<CertificateFiles> pairs;
  };
  for (const Case& c : {
           Case{{"README", "cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"},  // certbot
                {{"fullchain.pem", "privkey.pem"}}},
           Case{{"a.example.crt", "a.example.issuer.crt", "a.example.json",
                 "a.example.key"},  // lego
                {{"a.example.crt", "a.example.key"}}},
           Case{{"a.key", "a.pem", "b.cer", "b.key"}, {{"a.pem", "a.key"}, {"b.cer", "b.key"}}},
           Case{{"_.example.com.crt", "_.example.com.key"},
                {{"_.example.com.crt", "_.example.com.key"}}},
           Case{{"a.pem", "b.key", "c.txt", "fullchain.pem"}, {}},
           Case{{}, {}},
       })
    EXPECT_EQ(find_pairs(c.names), c.pairs);
}

class CertificateFolderTest : public testing::Test {
 protected:
  void put(const TestCa::Pair& pair, const std::string& chain, const std::string& key) const {
    for (const auto& [from, to] : {std::pair(pair.certificate, chain), std::pair(pair.key, key)}) {
      fs::create_directories(fs::path(folder.file(to)).parent_path());
      fs::copy_file(from, folder.file(to), fs::copy_options::overwrite_existing);
    }
  }

  // The number of days until the certificate for `name` ends; -1: there is none.
  int days(const std::string& name) const {
    const auto found = certificates.choose(name);
    if (!found) return -1;
    return static_cast<int>((found->not_after - clock->now() + Duration{3600}) / Duration{86400});
  }

  void refresh() {
    const auto done = certificates.refresh(clock->now());
    ASSERT_TRUE(done) << to_string(done.error());
  }

  TestCa ca;
  servers::Folder folder;
  std::unique_ptr<io::Files> files = io::real_files();
  std::unique_ptr<io::Clock> clock = io::real_clock();
  std::ostringstream text;
  io::Log log{text, io::LogLevel::info};
  CertificateFolder certificates{*files, log, folder.path(), ""};
};

TEST_F(CertificateFolderTest, FindsCertificatesInEveryLayout) {
  put(ca.issue("DNS:mta-sts.a.example", 11), "a.pem", "a.key");
  put(ca.issue("DNS:mta-sts.b.example", 12), "live/b/fullchain.pem", "live/b/privkey.pem");
  put(ca.issue("DNS:*.c.example", 13), "lego/_.c.example.crt", "lego/_.c.example.key");
  put(ca.issue("DNS:mta-sts.d.example", 14), "too/deep/to/d.pem", "too/deep/to/d.key");
  refresh();
  EXPECT_EQ(days("mta-sts.a.example"), 11);
  EXPECT_EQ(days("mta-sts.b.example"), 12);
  EXPECT_EQ(days("mta-sts.c.example"), 13);
  EXPECT_EQ(days("mta-sts.d.example"), -1);
  EXPECT_EQ(days(""), -1);
  EXPECT_EQ(certificates.size(), 3U);
}

TEST_F(CertificateFolderTest, FollowsLinksAndTakesARenewal) {
  put(ca.issue("DNS:mta-sts.a.example", 5), "archive/chain1.pem", "archive/key1.pem");
  fs::create_directories(folder.file("live"));
  fs::create_symlink("../archive/chain1.pem", folder.file("live/fullchain.pem"));
  fs::create_symlink("../archive/key1.pem", folder.file("live/privkey.pem"));
  refresh();
  EXPECT_EQ(days("mta-sts.a.example"), 5);
  // As certbot renews: new files, then one link after the other.
  put(ca.issue("DNS:mta-sts.a.example", 50), "archive/chain2.pem", "archive/key2.pem");
  fs::remove(folder.file("live/fullchain.pem"));
  fs::create_symlink("../archive/chain2.pem", folder.file("live/fullchain.pem"));
  refresh();
  EXPECT_EQ(days("mta-sts.a.example"), 5) << "half a renewal changes nothing";
  EXPECT_THAT(text.str(), HasSubstr("its key is that of another certificate; the one read before "
                                    "stays in use"));
  text.str("");
  refresh();
  EXPECT_THAT(text.str(), IsEmpty()) << "the same is not said again";
  fs::remove(folder.file("live/privkey.pem"));
  fs::create_symlink("../archive/key2.pem", folder.file("live/privkey.pem"));
  refresh();
  EXPECT_EQ(days("mta-sts.a.example"), 50);
}

TEST_F(CertificateFolderTest, ForgetsWhatIsGone) {
  put(ca.issue("DNS:mta-sts.a.example"), "a.pem", "a.key");
  refresh();
  ASSERT_EQ(certificates.size(), 1U);
  fs::remove(folder.file("a.key"));
  refresh();
  EXPECT_EQ(certificates.size(), 0U);
}

TEST_F(CertificateFolderTest, PrefersTheValidOneThatExpiresLast) {
  put(ca.issue("DNS:mta-sts.a.example", -1), "1.pem", "1.key");
  put(ca.issue("DNS:mta-sts.a.example", 30), "2.pem", "2.key");
  put(ca.issue("DNS:mta-sts.a.example", 20), "3.pem", "3.key");
  refresh();
  EXPECT_EQ(days("mta-sts.a.example"), 30);
  const auto expiry = certificates.expiry();
  ASSERT_EQ(expiry.size(), 1U);
  EXPECT_EQ(expiry.begin()->second, certificates.choose("mta-sts.a.example")->not_after);
}

TEST_F(CertificateFolderTest, ChoosesAnewWhenOneExpires) {
  put(ca.issue("DNS:mta-sts.a.example", 20), "a.pem", "a.key");
  put(ca.issue("DNS:mta-sts.a.example", 10), "b.pem", "b.key");
  refresh();
  ASSERT_EQ(days("mta-sts.a.example"), 20);
  fs::remove(folder.file("a.pem"));
  refresh();
  ASSERT_EQ(days("mta-sts.a.example"), 10);
  text.str("");
  ASSERT_TRUE(certificates.refresh(clock->now() + std::chrono::days(11)));
  EXPECT_THAT(text.str(), HasSubstr("b.pem: for mta-sts.a.example, expired at "));
}

TEST_F(CertificateFolderTest, LogsAnExpiredOneOnceAndServesItAllTheSame) {
  put(ca.issue("DNS:mta-sts.a.example", -1), "a.pem", "a.key");
  refresh();
  EXPECT_THAT(text.str(), HasSubstr("expired at"));
  EXPECT_TRUE(certificates.choose("mta-sts.a.example"));
  text.str("");
  refresh();
  EXPECT_THAT(text.str(), IsEmpty());
}

TEST_F(CertificateFolderTest, LogsABrokenPairAndServesTheOthers) {
  put(ca.issue("DNS:mta-sts.a.example"), "a.pem", "a.key");
  static_cast<void>(folder.write("b.pem", "no certificate"));
  static_cast<void>(folder.write("b.key", "no key"));
  refresh();
  EXPECT_THAT(text.str(), HasSubstr("b.pem: holds no certificate in PEM"));
  EXPECT_TRUE(certificates.choose("mta-sts.a.example"));
}

TEST_F(CertificateFolderTest, FallsBackOnlyIfToldTo) {
  put(ca.issue("DNS:mta-sts.a.example"), "a.pem", "a.key");
  refresh();
  EXPECT_FALSE(certificates.choose("other.example"));
  CertificateFolder lenient(*files, log, folder.path(), "mta-sts.a.example");
  ASSERT_TRUE(lenient.refresh(clock->now()));
  EXPECT_TRUE(lenient.choose("other.example"));
  EXPECT_TRUE(lenient.choose(""));
  EXPECT_FALSE(lenient.covers("other.example"));
}

TEST_F(CertificateFolderTest, KeepsEverythingWhileTheFolderCannotBeRead) {
  put(ca.issue("DNS:mta-sts.a.example"), "a.pem", "a.key");
  refresh();
  fs::rename(folder.path(), folder.path() + ".away");
  const auto done = certificates.refresh(clock->now());
  fs::rename(folder.path() + ".away", folder.path());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::not_found);
  EXPECT_TRUE(certificates.choose("mta-sts.a.example"));
}

}  // namespace
}  // namespace stsctl::serve
