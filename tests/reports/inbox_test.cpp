#include "reports/inbox.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "reports/mails.h"
#include "reports/samples.h"
#include "servers/running.h"

namespace stsctl::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class InboxTest : public ::testing::Test {
 protected:
  // What is found at a path of the folder.
  std::vector<Arrival> read(const std::string& path, InboxOptions options = {}) {
    std::vector<Arrival> found;
    Inbox inbox(*files_, std::move(options), [&](Arrival arrival) {
      found.push_back(std::move(arrival));
      return found.size() < enough_;
    });
    const auto done = inbox.read(path);
    EXPECT_TRUE(done) << to_string(done.error());
    counts_ = inbox.counts();
    return found;
  }

  std::vector<Arrival> read_one(const std::string& content) {
    return read(folder_.write("one", content));
  }

  servers::Folder folder_;
  std::unique_ptr<io::Files> files_ = io::real_files();
  InboxCounts counts_;
  std::size_t enough_ = 1000;
};

MATCHER_P(Holds, json, "") {
  return arg.json.has_value() && *arg.json == json;
}
MATCHER_P(Fails, why, "") {
  return !arg.json.has_value() && arg.json.error().what.find(why) != std::string::npos;
}

TEST_F(InboxTest, PlainAndZippedReports) {
  EXPECT_THAT(read_one(google_report), ElementsAre(Holds(google_report)));
  EXPECT_THAT(read_one(gzip(google_report)), ElementsAre(Holds(google_report)));
  EXPECT_FALSE(read_one(google_report)[0].signer);
}

TEST_F(InboxTest, MailsOfTheFormsInUse) {
  const MailShape shapes[] = {
      {},
      {.media_type = "application/tlsrpt+json", .file_name = "a.json", .zipped = false},
      {.media_type = "application/tlsrpt", .file_name = "", .zipped = false},
      {.media_type = "application/tlsrpt", .file_name = ""},
      {.media_type = "application/gzip", .file_name = ""},
      {.media_type = "application/x-gzip"},
      {.media_type = "application/json", .file_name = "", .zipped = false},
      {.media_type = "application/octet-stream", .file_name = ""},
      {.media_type = "text/plain", .file_name = "report.JSON", .zipped = false},
      {.media_type = "application/tlsrpt+json"},  // zipped all the same
  };
  for (const MailShape& shape : shapes) {
    const auto found = read_one(mail_of(google_report, shape));
    ASSERT_THAT(found, ElementsAre(Holds(google_report))) << shape.media_type;
    EXPECT_EQ(found[0].domain->text(), "example.com");
    EXPECT_EQ(counts_.mails, 1U);
  }
  // The report as the mail's only content.
  EXPECT_THAT(read_one("From: a@google.com\r\nContent-Type: application/tlsrpt+gzip\r\n"
                       "Content-Transfer-Encoding: base64\r\n\r\n" +
                       base64_lines(gzip(google_report))),
              ElementsAre(Holds(google_report)));
}

TEST_F(InboxTest, OtherMailIsCountedAndLeftAlone) {
  EXPECT_THAT(read_one(plain_mail), IsEmpty());
  EXPECT_EQ(counts_.without_report, 1U);
  EXPECT_THAT(
      read_one(mail_of(
          "%PDF", {.media_type = "application/octet-stream", .file_name = "", .zipped = false})),
      IsEmpty());
  // A mail within a mail: nobody vouches for it.
  EXPECT_THAT(read_one("From: a@example.net\r\nContent-Type: message/rfc822\r\n\r\n" +
                       mail_of(google_report)),
              IsEmpty());
}

TEST_F(InboxTest, AReportIsVerifiedByATrustedServerOnly) {
  const std::string mail =
      "Authentication-Results: mx.example.com; dkim=pass header.d=google.com\r\n" +
      mail_of(google_report);
  const std::string path = folder_.write("mail", mail);
  EXPECT_FALSE(read(path)[0].signer);
  EXPECT_EQ(read(path, {.authserv_ids = {"mx.example.com"}})[0].signer->text(), "google.com");
  EXPECT_FALSE(read(path, {.authserv_ids = {"mx.example.net"}})[0].signer);
  for (const char* from : {"From: a@evil.example\r\n", "From: \r\n"}) {
    const std::string two_authors = folder_.write("two", from + mail);
    EXPECT_FALSE(read(two_authors, {.authserv_ids = {"mx.example.com"}})[0].signer);
  }
}

TEST_F(InboxTest, WhatIsNoReportSaysWhy) {
  EXPECT_THAT(read_one(""), ElementsAre(Fails("it is empty")));
  EXPECT_THAT(read_one("\x7f"
                       "ELF"),
              ElementsAre(Fails("neither JSON nor gzip")));
  const std::string cut = gzip(google_report).substr(0, 100);
  EXPECT_THAT(read_one(cut), ElementsAre(Fails("cut off")));
  EXPECT_EQ(read_one(cut)[0].raw, cut);
  EXPECT_THAT(read_one(mail_of("nothing", {.zipped = false})), ElementsAre(Holds("nothing")));
}

TEST_F(InboxTest, LimitsHold) {
  const InboxOptions small{.longest_mail = 10'000, .longest_report = 10'000};
  EXPECT_THAT(read(folder_.write("bomb", gzip(std::string(20'000, ' '))), small),
              ElementsAre(Fails("inflates to more than 10000")));
  const std::string huge = "{" + std::string(100'000, ' ');
  EXPECT_THAT(read(folder_.write("huge", huge), small), ElementsAre(Fails("longer than 10000")));
  const std::string mbox =
      "From a\n" + std::string(100'000, 'x') + "\n\nFrom b\n" + mail_of(google_report) + "\n";
  EXPECT_THAT(read(folder_.write("mbox", mbox), small),
              ElementsAre(Fails("longer than 10000"), Holds(google_report)));
}

TEST_F(InboxTest, AnMboxMailByMail) {
  const std::string path = folder_.write(
      "inbox.mbox", "From a\r\n" + mail_of(google_report) + "\r\nFrom b\r\n" + plain_mail +
                        "\r\nFrom c\r\n" + mail_of(microsoft_report) + "\r\n");
  const auto found = read(path);
  ASSERT_THAT(found, ElementsAre(Holds(google_report), Holds(microsoft_report)));
  EXPECT_EQ(found[1].source, path + ", mail 3");
  EXPECT_EQ(counts_.mails, 3U);
  EXPECT_EQ(counts_.without_report, 1U);
}

TEST_F(InboxTest, FoldersAndMaildirsWithAllBelow) {
  for (const char* name : {"Mail/cur", "Mail/new", "Mail/tmp", "Mail/.Archive/cur"})
    std::filesystem::create_directories(folder_.file(name));
  folder_.write("Mail/cur/1:2,S", mail_of(google_report));
  folder_.write("Mail/new/2", mail_of(microsoft_report));
  folder_.write("Mail/tmp/3", mail_of(google_report).substr(0, 700));
  folder_.write("Mail/.Archive/cur/4", gzip(google_report));
  folder_.write("Mail/dovecot.index", std::string("\0\1\2", 3));
  folder_.write("Mail/broken.json", "");
  std::filesystem::create_directory_symlink("..", folder_.file("Mail/cur/loop"));
  ASSERT_EQ(::mkfifo(folder_.file("Mail/new/fifo").c_str(), 0666), 0);
  EXPECT_THAT(read(folder_.file("Mail")),
              ElementsAre(Holds(google_report), Fails("it is empty"), Holds(google_report),
                          Holds(microsoft_report)));
  EXPECT_EQ(counts_.left_out, 2U);
}

TEST_F(InboxTest, StopsWhenItIsEnough) {
  for (const char* name : {"a.json", "b.json", "c.json"})
    folder_.write(name, google_report);
  enough_ = 2;
  EXPECT_THAT(read(folder_.path()), SizeIs(2));
}

TEST_F(InboxTest, APathThatIsNotThereIsAnError) {
  Inbox inbox(*files_, {}, [](const Arrival&) { return true; });
  const auto done = inbox.read(folder_.file("none"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::not_found);
}

}  // namespace
}  // namespace stsctl::reports
