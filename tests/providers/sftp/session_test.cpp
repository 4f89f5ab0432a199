// What a session makes of servers that real ones seldom are: answers in any order, requests that
// are not known, nonsense.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_sftp.h"
#include "providers/sftp/sftp.h"
#include "servers/real_services.h"

namespace stsctl::providers::sftp {
namespace {

using fakes::FakeSftp;
using testing::HasSubstr;
using testing::Not;

using Body = std::optional<std::string>;
constexpr std::size_t requests_of_one = 9;  // the most that creating a file has under way at once

std::string file_of(const std::string& domain) {
  return "/www/mta-sts." + domain + "/.well-known/mta-sts.txt";
}

plan::PolicyEdit edit(const std::string& domain, const Body& before, const Body& after) {
  const auto file = [&](const Body& body) {
    return body ? std::optional(plan::PolicyFile{*dns::Name::parse(domain), *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

class SftpSession : public testing::Test {
 protected:
  std::unique_ptr<PolicyHost> open(const std::map<std::string, std::int64_t>& more = {},
                                   bool sync = false) {
    Settings settings;
    settings.set("host", std::string("web.example"), "");
    settings.set("root", std::string("/www"), "");
    settings.set("sync", sync, "");
    for (const auto& [name, value] : more)
      settings.set(name, value, "");
    const io::Services real = real_.services();
    return std::move(*kind().make(settings, {.files = real.files,
                                             .process = process_,
                                             .clock = real.clock,
                                             .dns = real.dns,
                                             .http = real.http,
                                             .log = real.log}));
  }

  void put(const std::string& domain, const std::string& body) {
    server_.folders.insert({"/www/mta-sts." + domain, "/www/mta-sts." + domain + "/.well-known"});
    server_.files[file_of(domain)] = body;
  }

  Result<Body> read(const std::string& domain) {
    return open()->read({*dns::Name::parse(domain)}, {}).front();
  }
  Result<Done> write(const plan::PolicyEdit& one) { return open()->write({one}, {}).front(); }

  FakeSftp server_;
  fakes::FakeSftpProcess process_{server_};
  servers::RealServices real_;
};

// A third each is created, replaced and removed.
std::vector<plan::PolicyEdit> many(int count, const std::function<void(const std::string&)>& put) {
  std::vector<plan::PolicyEdit> edits;
  for (int i = 0; i < count; ++i) {
    const std::string domain = fmt::format("d{}.example", i);
    if (i % 3 != 0) put(domain);
    edits.push_back(edit(domain, i % 3 != 0 ? Body("old " + domain) : std::nullopt,
                         i % 3 != 2 ? Body("new " + domain) : std::nullopt));
  }
  return edits;
}

TEST_F(SftpSession, AnswersMayComeInAnyOrderAndInPieces) {
  const auto edits = many(300, [&](const std::string& domain) { put(domain, "old " + domain); });
  for (const Result<Done>& done : open()->write(edits, {}))
    ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(server_.sessions, 1);
  std::map<std::string, std::string> wanted;
  std::vector<dns::Name> domains;
  for (int i = 0; i < 300; ++i) {
    const std::string domain = fmt::format("d{}.example", i);
    domains.push_back(*dns::Name::parse(domain));
    if (i % 3 != 2) wanted[file_of(domain)] = "new " + domain;
  }
  EXPECT_EQ(server_.files, wanted);  // and no temporary file
  const auto bodies = open()->read(domains, {});
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const Body stored = i % 3 != 2 ? Body(fmt::format("new d{}.example", i)) : std::nullopt;
    EXPECT_EQ(*bodies[i], stored) << i;
  }
}

TEST_F(SftpSession, RequestsUnderWayAreManyAndBounded) {
  const auto edits = many(300, [&](const std::string& domain) { put(domain, "old " + domain); });
  for (const Result<Done>& done : open({{"sessions", 8}})->write(edits, {}))
    ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_GT(server_.most_waiting, 8U);
  EXPECT_LE(server_.most_waiting, 8U * requests_of_one);
}

// One after the other, a policy takes 4 round trips: upload in two, look, rename.
TEST_F(SftpSession, AFileThatIsReplacedTakesNineRequests) {
  put("d.example", "old");
  ASSERT_TRUE(write(edit("d.example", "old", "new")));
  EXPECT_EQ(server_.requests, 1U + 9U);  // after the look at the root
}

TEST_F(SftpSession, ModesAreAsWanted) {
  ASSERT_TRUE(write(edit("d.example", {}, "new")));
  EXPECT_EQ(server_.modes["/www/mta-sts.d.example"], 0755U);
  EXPECT_EQ(server_.modes["/www/mta-sts.d.example/.well-known"], 0755U);
}

TEST_F(SftpSession, AServerThatOpensBeforeItMakesFoldersIsAskedAgain) {
  server_.opens_first = true;
  const Result<Done> done = write(edit("d.example", {}, "new"));
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(server_.files[file_of("d.example")], "new");
}

TEST_F(SftpSession, TheFolderThatCannotBeMadeIsTold) {
  server_.refused = "\x0e";
  const Result<Done> done = write(edit("d.example", {}, "new"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().where, "web.example:" + file_of("d.example"));
  EXPECT_TRUE(server_.files.empty());
}

TEST_F(SftpSession, AServerWithoutPosixRename) {
  server_.greeting = FakeSftp::packet("\x02" + FakeSftp::number(3));
  server_.replaces = false;
  ASSERT_TRUE(write(edit("new.example", {}, "new")));
  put("d.example", "old");
  const Result<Done> done = write(edit("d.example", "old", "new"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().hint, HasSubstr("posix-rename@openssh.com"));
  EXPECT_EQ(server_.files, (std::map<std::string, std::string>{{file_of("d.example"), "old"},
                                                               {file_of("new.example"), "new"}}));
}

TEST_F(SftpSession, AServerThatCannotFlushIsNotAskedToWrite) {
  const auto done = open({}, true)->write({edit("d.example", {}, "new")}, {});
  ASSERT_FALSE(done.front());
  EXPECT_EQ(done.front().error().code, Code::unsupported);
  EXPECT_TRUE(server_.files.empty());
}

TEST_F(SftpSession, AFailedWriteIsTakenAwayAndTheOldBodyStays) {
  put("d.example", "old");
  server_.refused = "\x06";
  for (const plan::PolicyEdit& one :
       {edit("d.example", "old", "new"), edit("new.example", {}, "new")}) {
    const Result<Done> done = write(one);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::internal);
    EXPECT_THAT(done.error().what, HasSubstr("cannot write beside the file"));
  }
  EXPECT_EQ(server_.files, (std::map<std::string, std::string>{{file_of("d.example"), "old"}}));
}

TEST_F(SftpSession, PermissionsThatCannotBeSetAreToldWithAWayOut) {
  server_.refused = "\x0a";
  const Result<Done> done = write(edit("d.example", {}, "new"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("cannot set the permissions"));
  EXPECT_THAT(done.error().hint, HasSubstr("mode: server"));
  EXPECT_TRUE(server_.files.empty());
}

TEST_F(SftpSession, ShortPiecesArePutTogether) {
  server_.longest_answer = 7;
  put("d.example", std::string(100, 'x'));
  put("empty.example", "");
  EXPECT_EQ(*read("d.example"), std::string(100, 'x'));
  EXPECT_EQ(*read("empty.example"), "");
  server_.shows_attributes = false;
  EXPECT_EQ(*read("d.example"), std::string(100, 'x'));
  EXPECT_EQ(*read("empty.example"), "");
}

TEST_F(SftpSession, LongBodiesGoInPieces) {
  const std::string body(100000, 'x');
  ASSERT_TRUE(write(edit("d.example", {}, body)));
  EXPECT_EQ(server_.files[file_of("d.example")], body);
  EXPECT_EQ(*read("d.example"), body);
}

TEST_F(SftpSession, TextInPlaceOfAGreeting) {
  server_.greeting = "Welcome to \x1b[2J this machine\r\n";
  const Result<Body> body = read("d.example");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::protocol);
  EXPECT_THAT(body.error().what, HasSubstr("prints text"));
  EXPECT_THAT(body.error().what, Not(HasSubstr("\x1b")));
  EXPECT_THAT(body.error().hint, HasSubstr("must print nothing"));
}

TEST_F(SftpSession, AnotherVersion) {
  server_.greeting = FakeSftp::packet("\x02" + FakeSftp::number(2));
  const Result<Body> body = read("d.example");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unsupported);
  EXPECT_THAT(body.error().what, HasSubstr("version 2"));
}

struct Broken {
  const char* why;
  std::string words;
  Code code;
};

// After 20 answers, in the middle of many files: what is told as done is there, and what was under
// way is looked up with a second session.
TEST_F(SftpSession, ASessionThatBreaksLosesNoTruth) {
  const std::string status = FakeSftp::number(0) + FakeSftp::text("") + FakeSftp::text("");
  for (const Broken& broken :
       {Broken{"it ends", "", Code::unreachable},
        Broken{"no packet", "\xff\xff\xff\xff", Code::protocol},
        Broken{"no answer", FakeSftp::packet("\x68" + FakeSftp::number(9)), Code::protocol},
        Broken{"nobody asked", FakeSftp::packet("\x65" + FakeSftp::number(99999) + status),
               Code::protocol}}) {
    server_ = FakeSftp{};
    server_.last_words = broken.words;
    server_.answers_until_last_words = 20;
    const auto edits = many(30, [&](const std::string& domain) { put(domain, "old " + domain); });
    const auto results = open({{"sessions", 4}})->write(edits, {});
    EXPECT_EQ(server_.sessions, 2);
    std::size_t failed = 0;
    for (std::size_t i = 0; i < edits.size(); ++i) {
      const auto stored = server_.files.find(file_of(fmt::format("d{}.example", i)));
      const Body now = stored == server_.files.end() ? std::nullopt : Body(stored->second);
      const Body wanted = edits[i].after ? Body(edits[i].after->body) : std::nullopt;
      EXPECT_EQ(results[i].has_value(), now == wanted) << broken.why << ' ' << i;
      if (results[i]) continue;
      ++failed;
      EXPECT_EQ(results[i].error().code, broken.code) << to_string(results[i].error());
      EXPECT_THAT(results[i].error().hint, HasSubstr("run apply again"));
    }
    EXPECT_GT(failed, 20U);
  }
}

// The look at the root is the first request.
TEST_F(SftpSession, AnAnswerOfAnotherKindIsNone) {
  server_.last_words = FakeSftp::packet("\x66" + FakeSftp::number(1) + FakeSftp::text("a handle"));
  server_.answers_until_last_words = 0;
  const Result<Body> body = read("d.example");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::protocol) << to_string(body.error());
}

TEST_F(SftpSession, RequestsAreTracedWithoutContent) {
  ASSERT_TRUE(write(edit("d.example", {}, "the content")));
  EXPECT_THAT(real_.log(), HasSubstr("sftp web.example: rename to the new " + file_of("d.example") +
                                     " -> done"));
  EXPECT_THAT(real_.log(), Not(HasSubstr("the content")));
}

}  // namespace
}  // namespace stsctl::providers::sftp
