#include "providers/serve/serve.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/fake_http.h"
#include "fakes/fake_process.h"
#include "servers/real_services.h"
#include "servers/running.h"

namespace stsctl::providers::serve {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const dns::Name com = *dns::Name::parse("example.com");
const dns::Name org = *dns::Name::parse("example.org");

plan::PolicyEdit edit(const dns::Name& domain, const char* before, const char* after) {
  plan::PolicyEdit result;
  if (before != nullptr) result.before = plan::PolicyFile{domain, before};
  if (after != nullptr) result.after = plan::PolicyFile{domain, after};
  return result;
}

class ServeHostTest : public testing::Test {
 protected:
  ServeHostTest() {
    settings.set("endpoint", "http://127.0.0.1:8080/", "here");
    http.always([this](const io::Request& request) -> Result<io::Reply> {
      const auto host = request.headers.empty() ? "" : request.headers.front().value;
      const auto found = served.find(host);
      if (found == served.end()) return io::Reply{.status = 404};
      return io::Reply{.status = 200, .body = found->second};
    });
  }

  std::unique_ptr<PolicyHost> open() {
    const io::Services services = real.services();
    return std::move(*kind().make(settings, {.files = services.files,
                                             .process = process,
                                             .clock = clock,
                                             .dns = services.dns,
                                             .http = http,
                                             .log = services.log}));
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits) {
    return open()->write(edits, {});
  }

  Settings settings;
  servers::RealServices real;
  fakes::FakeHttp http;
  fakes::FakeClock clock;
  fakes::FakeProcess process;
  std::map<std::string, std::string> served;  // by Host
};

TEST_F(ServeHostTest, AsksTheServerForTheNameOfThePolicyHost) {
  served["mta-sts.example.com"] = "body\r\n";
  const auto bodies = open()->read({com, org}, {});
  ASSERT_TRUE(bodies[0] && bodies[1]);
  EXPECT_EQ(**bodies[0], "body\r\n");
  EXPECT_FALSE(*bodies[1]);
  for (const io::Request& request : http.requests())
    EXPECT_EQ(request.url, "http://127.0.0.1:8080/.well-known/mta-sts.txt");
}

TEST_F(ServeHostTest, NeverTakesTroubleForAbsence) {
  for (const int status : {301, 403, 500, 503}) {
    http.always(
        [&](const io::Request&) -> Result<io::Reply> { return io::Reply{.status = status}; });
    const auto bodies = open()->read({com}, {});
    ASSERT_FALSE(bodies[0]) << status;
    EXPECT_THAT(bodies[0].error().what, HasSubstr("the server ")) << status;
  }
  http.always(
      [](const io::Request&) -> Result<io::Reply> { return fail(Code::invalid, "no connection"); });
  EXPECT_EQ(open()->read({com}, {})[0].error().what, "no connection");
}

TEST_F(ServeHostTest, ReloadsOnceAndWaitsUntilAllIsServed) {
  settings.set("reload", Settings::List{"reload"}, "here");
  served["mta-sts.example.com"] = "old";
  process.work = [&] { served["mta-sts.example.com"] = "new"; };
  // The second comes later than the reload's end.
  int asked = 0;
  const auto answer = [&](const io::Request& request) -> Result<io::Reply> {
    if (request.headers.front().value == "mta-sts.example.org")
      return ++asked < 5 ? io::Reply{.status = 404} : io::Reply{.status = 200, .body = "new"};
    return io::Reply{.status = 200, .body = served["mta-sts.example.com"]};
  };
  settings.set("concurrency", std::int64_t{1}, "here");
  http.always(answer);
  const auto results = write({edit(com, "old", "new"), edit(org, nullptr, "new")});
  EXPECT_TRUE(results[0]) << to_string(results[0].error());
  EXPECT_TRUE(results[1]) << to_string(results[1].error());
  EXPECT_EQ(process.runs, 1);
  EXPECT_GT(clock.passed().count(), 0);
}

TEST_F(ServeHostTest, LeavesTheServerAloneWhereNothingIsToDo) {
  settings.set("reload", Settings::List{"reload"}, "here");
  served["mta-sts.example.com"] = "new";
  EXPECT_TRUE(write({edit(com, "old", "new"), edit(org, "old", nullptr)})[0]);
  EXPECT_EQ(process.runs, 0);
}

TEST_F(ServeHostTest, RefusesToReplaceWhatThePlanDidNotSee) {
  settings.set("reload", Settings::List{"reload"}, "here");
  served["mta-sts.example.com"] = "third";
  const auto results = write({edit(com, "old", "new")});
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code, Code::conflict);
  EXPECT_EQ(process.runs, 0);
}

TEST_F(ServeHostTest, GivesUpAtItsDeadlineAndSaysWhatToDo) {
  settings.set("wait", std::int64_t{30}, "here");
  served["mta-sts.example.com"] = "old";
  const auto results = write({edit(com, "old", "new")});
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code, Code::timeout);
  EXPECT_THAT(results[0].error().hint, HasSubstr("SIGHUP"));
  EXPECT_GE(clock.passed(), std::chrono::seconds(30));
  EXPECT_LT(clock.passed(), std::chrono::seconds(40));
}

TEST_F(ServeHostTest, TellsAReloadThatFailed) {
  settings.set("reload", Settings::List{"reload"}, "here");
  process.status = 5;
  const auto results = write({edit(com, nullptr, "new"), edit(org, nullptr, "new")});
  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().what, HasSubstr("'reload' ended with status 5"));
  }
}

TEST_F(ServeHostTest, WaitsForARemovalToo) {
  served["mta-sts.example.com"] = "old";
  settings.set("reload", Settings::List{"reload"}, "here");
  process.work = [&] { served.clear(); };
  EXPECT_TRUE(write({edit(com, "old", nullptr)})[0]);
}

TEST_F(ServeHostTest, StoresTheFileThatTheServerReads) {
  const servers::Folder folder;
  settings.set("root", folder.path(), "here");
  settings.set("path", "{domain}.txt", "here");
  settings.set("reload", Settings::List{"reload"}, "here");
  const auto file = stored_file(settings, com);
  ASSERT_TRUE(file && *file);
  EXPECT_EQ(**file, folder.file("example.com.txt"));
  process.work = [&] { served["mta-sts.example.com"] = *real.services().files.read(**file, 1000); };
  const auto results = write({edit(com, nullptr, "new\r\n")});
  EXPECT_TRUE(results[0]) << to_string(results[0].error());
  EXPECT_EQ(served["mta-sts.example.com"], "new\r\n");
  EXPECT_EQ(process.runs, 1);
}

TEST_F(ServeHostTest, StoresNothingWithoutARoot) {
  const auto file = stored_file(settings, com);
  ASSERT_TRUE(file);
  EXPECT_FALSE(*file);
}

}  // namespace
}  // namespace stsctl::providers::serve
