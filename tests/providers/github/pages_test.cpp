// One repository a domain, served by Pages, at the emulator's real Git.

#include "tests/providers/github/world.h"

namespace stsctl::providers::github {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

const std::string repository = "Octocat/mta-sts-example.com";
const std::string file = ".well-known/mta-sts.txt";

const json ready{{"README.md", "A site\n"},
                 {".nojekyll", ""},
                 {"CNAME", "mta-sts.example.com\n"},
                 {file, policy("testing")}};

class PagesTest : public GitHubTest {
 protected:
  void start_with(const json& files, const json& pages = json::object(),
                  const json& more = json::object()) {
    json state = more;
    state["repositories"][repository] = {{"branches", {{"main", files}}}, {"pages", pages}};
    start(state);
  }
  std::unique_ptr<PolicyHost> host() { return open(settings("pages", "Octocat/mta-sts-{domain}")); }
  std::map<std::string, std::string> files() const { return server_->files(repository); }
  std::vector<std::string> messages() const {
    std::vector<std::string> subjects;
    for (const auto& commit : server_->commits(repository))
      subjects.push_back(commit.message.substr(0, commit.message.find('\n')));
    return subjects;
  }
};

TEST_F(PagesTest, IsACnameToTheOwnersSite) {
  start_with(ready);
  const auto opened = host();
  EXPECT_EQ(opened->address(name("example.com"))->cname, name("octocat.github.io"));
  EXPECT_EQ(opened->edge_delay(), Duration(600));
  Settings with = settings("pages", "Octocat/mta-sts-{domain}");
  with.set("address", true, "");
  with.set("address.cname", "pages.example.net", "");
  with.set("edge_delay", std::int64_t{30}, "");
  EXPECT_EQ(open(with)->address(name("example.com"))->cname, name("pages.example.net"));
  EXPECT_EQ(open(with)->edge_delay(), Duration(30));
}

TEST_F(PagesTest, ReadsInOneRequest) {
  start_with(ready);
  EXPECT_EQ(read(*host(), "example.com"), policy("testing"));
  EXPECT_THAT(server_->requests(), ElementsAre("GET /repos/" + repository + "/contents/" + file));
}

TEST_F(PagesTest, TellsAMissingFileFromAMissingRepository) {
  start_with({{"README.md", "A site\n"}});
  EXPECT_EQ(read(*host(), "example.com"), std::nullopt);
  const auto other = read(*host(), "example.org");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::not_found);
  EXPECT_THAT(to_string(other.error()), HasSubstr("mta-sts-example.org"));
  Settings with = settings("pages", "Octocat/mta-sts-{domain}");
  with.set("branch", "gone", "");
  const auto branch = read(*open(with), "example.com");
  ASSERT_FALSE(branch);
  EXPECT_THAT(branch.error().what, HasSubstr("branch"));
}

TEST_F(PagesTest, MakesANewSiteComplete) {
  start_with({{"README.md", "A site\n"}});
  const auto opened = host();
  const auto done = write(*opened, edit("example.com", std::nullopt, policy("testing")));
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(files(), testing::AllOf(Contains(Pair(".nojekyll", "")),
                                      Contains(Pair("CNAME", "mta-sts.example.com\n")),
                                      Contains(Pair(file, policy("testing")))));
  EXPECT_THAT(messages(), ElementsAre("Add the MTA-STS policy of example.com",
                                      "Serve the site as mta-sts.example.com",
                                      "Serve files as they are", "First commit"));
  EXPECT_LE(server_->requests().size(), opened->write_requests(1));
}

TEST_F(PagesTest, ChangesAPolicyInThreeRequestsAndOneCommit) {
  start_with(ready);
  ASSERT_TRUE(write(*host(), edit("example.com", policy("testing"), policy("enforce"))));
  EXPECT_THAT(server_->requests(), ElementsAre("GET /repos/" + repository + "/pages",
                                               "GET /repos/" + repository + "/git/trees/main",
                                               "PUT /repos/" + repository + "/contents/" + file));
  EXPECT_EQ(files().at(file), policy("enforce"));
  EXPECT_THAT(messages(), SizeIs(2));
}

TEST_F(PagesTest, RemovesThePolicyAlone) {
  start_with(ready);
  ASSERT_TRUE(write(*host(), edit("example.com", policy("testing"), std::nullopt)));
  EXPECT_THAT(files(), Not(Contains(Pair(file, testing::_))));
  EXPECT_THAT(files(), Contains(Pair("CNAME", "mta-sts.example.com\n")));
  EXPECT_EQ(read(*host(), "example.com"), std::nullopt);
}

TEST_F(PagesTest, TakesAnyFormOfItsOwnNameAndMendsNonsense) {
  for (const std::string same : {"mta-sts.example.com", "MTA-STS.Example.COM\r\n"}) {
    json files = ready;
    files["CNAME"] = same;
    start_with(files);
    ASSERT_TRUE(write(*host(), edit("example.com", policy("testing"), policy("enforce"))));
    EXPECT_EQ(this->files().at("CNAME"), same) << "left as it is";
  }
  json files = ready;
  files["CNAME"] = "https://mta-sts.example.com/\n";
  start_with(files);
  ASSERT_TRUE(write(*host(), edit("example.com", policy("testing"), policy("enforce"))));
  EXPECT_EQ(this->files().at("CNAME"), "mta-sts.example.com\n");
}

TEST_F(PagesTest, NeverMovesAnotherSite) {
  json files = ready;
  files["CNAME"] = "www.example.net\n";
  start_with(files);
  const auto done = write(*host(), edit("example.com", policy("testing"), policy("enforce")));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::refused);
  EXPECT_THAT(done.error().what, HasSubstr("www.example.net"));
  EXPECT_THAT(messages(), SizeIs(1));
}

TEST_F(PagesTest, WritesNothingThatNobodyWouldSee) {
  struct Case {
    json pages;
    const char* words;
  };
  for (const Case& c : std::vector<Case>{
           {nullptr, "Pages is off"},
           {{{"public", false}}, "private"},
           {{{"branch", "gh-pages"}}, "gh-pages"},
           {{{"folder", "/docs"}}, "/docs"},
           {{{"build_type", "workflow"}, {"cname", "www.example.net"}}, "www.example.net"},
           {{{"build_type", "workflow"}}, "custom domain"},
       }) {
    start_with(ready, c.pages);
    const auto done = write(*host(), edit("example.com", policy("testing"), policy("enforce")));
    ASSERT_FALSE(done) << c.words;
    EXPECT_EQ(done.error().code, Code::refused) << c.words;
    EXPECT_THAT(to_string(done.error()), HasSubstr(c.words));
    EXPECT_NE(done.error().hint, "");
    EXPECT_THAT(messages(), SizeIs(1)) << c.words;
  }
}

TEST_F(PagesTest, ServesTheFolderDocs) {
  start_with({{"docs/index.html", "A site\n"}}, {{"folder", "/docs"}});
  Settings with = settings("pages", "Octocat/mta-sts-{domain}");
  with.set("path", "docs/" + file, "");
  ASSERT_TRUE(write(*open(with), edit("example.com", std::nullopt, policy("testing"))));
  EXPECT_THAT(files(), testing::AllOf(Contains(Pair("docs/.nojekyll", "")),
                                      Contains(Pair("docs/CNAME", "mta-sts.example.com\n")),
                                      Contains(Pair("docs/" + file, policy("testing")))));
}

TEST_F(PagesTest, LeavesTheFilesOfAWorkflowAlone) {
  start_with({{"README.md", "A site\n"}},
             {{"build_type", "workflow"}, {"cname", "mta-sts.example.com"}});
  const auto opened = host();
  ASSERT_TRUE(write(*opened, edit("example.com", std::nullopt, policy("testing"))));
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_EQ(read(*opened, "example.com"), policy("testing")) << "its builds are not told";
}

TEST_F(PagesTest, WarnsOfAMissingCertificateOnly) {
  start_with(ready, {{"cname", "mta-sts.example.com"}, {"certificate", "approved"}});
  ASSERT_TRUE(write(*host(), edit("example.com", policy("testing"), policy("enforce"))));
  EXPECT_THAT(services_.log(), Not(HasSubstr("warn:")));
  start_with(ready, {{"cname", "mta-sts.example.com"},
                     {"certificate", "authorization_pending"},
                     {"description", "GitHub is asking for it."}});
  ASSERT_TRUE(write(*host(), edit("example.com", policy("testing"), policy("enforce"))));
  EXPECT_THAT(services_.log(), HasSubstr("warn: github: mta-sts.example.com has no certificate yet "
                                         "(authorization_pending: GitHub is asking for it.)"));
}

TEST_F(PagesTest, GoesOnWithoutThePermissionToReadPages) {
  start_with(ready, json::object(),
             {{"tokens", {{"token", {{"login", "o"}, {"permissions", {{"contents", "write"}}}}}}}});
  const auto opened = host();
  ASSERT_TRUE(write(*opened, edit("example.com", policy("testing"), policy("enforce"))));
  EXPECT_THAT(services_.log(), HasSubstr("Pages: read"));
  EXPECT_EQ(read(*opened, "example.com"), policy("enforce"));
}

// What the engine asks again and again before it announces an id.
TEST_F(PagesTest, IsNotServedBeforePagesHasBuiltIt) {
  start_with(ready, json::object(), {{"builds", 3}});
  const auto opened = host();
  ASSERT_TRUE(write(*opened, edit("example.com", policy("testing"), policy("enforce"))));
  server_->emulator().forget();
  auto body = read(*opened, "example.com");
  int reads = 1;
  for (; !body; body = read(*opened, "example.com"), ++reads) {
    ASSERT_EQ(body.error().code, Code::timeout) << to_string(body.error());
    ASSERT_LT(reads, 100);
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(body, policy("enforce"));
  EXPECT_GT(reads, 5);
  EXPECT_THAT(server_->requests(), SizeIs(3)) << "it asks less often than it is asked";
}

TEST_F(PagesTest, ReportsABuildThatFailed) {
  start_with(ready, json::object(), {{"builds", -1}});
  const auto opened = host();
  ASSERT_TRUE(write(*opened, edit("example.com", policy("testing"), policy("enforce"))));
  const auto body = read(*opened, "example.com");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::internal);
  EXPECT_THAT(body.error().what, HasSubstr("Page build failed."));
}

TEST_F(PagesTest, BelievesALaterBuildThatStillHasThePolicy) {
  const json neighbour{{"method", "GET"},
                       {"path", "/pages/builds/latest"},
                       {"repository", repository},
                       {"files", {{"index.html", "theirs\n"}}}};
  start_with(ready, json::object(), {{"neighbours", {neighbour}}});
  auto opened = host();
  ASSERT_TRUE(write(*opened, edit("example.com", policy("testing"), policy("enforce"))));
  EXPECT_EQ(read(*opened, "example.com"), policy("enforce"));

  json other = neighbour;
  other["files"] = {{file, policy("none")}};
  start_with(ready, json::object(), {{"neighbours", {other}}});
  opened = host();
  ASSERT_TRUE(write(*opened, edit("example.com", policy("testing"), policy("enforce"))));
  const auto body = read(*opened, "example.com");
  ASSERT_FALSE(body) << "what is built is another policy";
  EXPECT_EQ(body.error().code, Code::timeout);
}

TEST_F(PagesTest, ALostAnswerIsLookedUpNotRepeated) {
  struct Case {
    json fault;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {{{"reset", true}, {"done", true}}, "the connection broke after the commit"},
           {{{"cut", 20}, {"done", true}}, "the answer was cut off"},
           {{{"status", 502}, {"done", true}, {"body", "<html>"}}, "a proxy lost the answer"},
           {{{"status", 200}, {"done", true}, {"body", "[]"}}, "malformed"},
           {{{"reset", true}}, "the connection broke before the commit"},
           {{{"status", 500}}, "it failed"},
       }) {
    start_with(ready);
    json broken = c.fault;
    broken["method"] = "PUT";
    fault(broken);
    const auto opened = host();
    const auto done = write(*opened, edit("example.com", policy("testing"), policy("enforce")));
    EXPECT_TRUE(done) << c.why << ": " << to_string(done.error());
    EXPECT_EQ(files().at(file), policy("enforce")) << c.why;
    EXPECT_THAT(messages(), SizeIs(2)) << c.why;
    EXPECT_EQ(read(*opened, "example.com"), policy("enforce")) << c.why;
  }
}

TEST_F(PagesTest, WaitsForTheBuildAfterALostAnswerToo) {
  start_with(ready, json::object(), {{"builds", 2}});
  fault({{"method", "PUT"}, {"reset", true}, {"done", true}});
  const auto opened = host();
  ASSERT_TRUE(write(*opened, edit("example.com", policy("testing"), policy("enforce"))));
  const auto body = read(*opened, "example.com");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::timeout);
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(read(*opened, "example.com"), policy("enforce"));
}

// The neighbour commits between our look and our write.
TEST_F(PagesTest, NeverOverwritesWhatIsNotExpected) {
  const auto neighbour = [&](const json& files) {
    start_with(ready, json::object(),
               {{"neighbours",
                 {{{"method", "PUT"},
                   {"path", "/contents/"},
                   {"repository", repository},
                   {"files", files}}}}});
  };
  neighbour({{file, policy("none")}});
  const auto lost = write(*host(), edit("example.com", policy("testing"), policy("enforce")));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::conflict);
  EXPECT_EQ(files().at(file), policy("none"));

  neighbour({{"index.html", "theirs\n"}});
  EXPECT_TRUE(write(*host(), edit("example.com", policy("testing"), policy("enforce"))));
  EXPECT_EQ(files().at("index.html"), "theirs\n");

  start_with({{"README.md", "A site\n"}, {".nojekyll", ""}, {"CNAME", "mta-sts.example.com"}},
             json::object(),
             {{"neighbours",
               {{{"method", "PUT"},
                 {"path", "/contents/"},
                 {"repository", repository},
                 {"files", {{file, policy("none")}}}}}}});
  const auto created = write(*host(), edit("example.com", std::nullopt, policy("enforce")));
  ASSERT_FALSE(created) << "a file that was not there when we looked";
  EXPECT_EQ(created.error().code, Code::conflict);
  EXPECT_EQ(files().at(file), policy("none"));
}

TEST_F(PagesTest, ABranchWithRulesIsReportedAtOnce) {
  start({{"repositories",
          {{repository,
            {{"branches", {{"main", ready}}},
             {"pages", json::object()},
             {"protected", {"main"}}}}}}});
  const auto done = write(*host(), edit("example.com", policy("testing"), policy("enforce")));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unauthorized);
  EXPECT_THAT(done.error().hint, HasSubstr("rules"));
  EXPECT_THAT(server_->requests(), SizeIs(3)) << "not tried again";
}

TEST_F(PagesTest, OneFailureStopsNoOtherDomain) {
  json state;
  for (const std::string domain : {"a.example", "b.example", "c.example"})
    state["repositories"]["octocat/" + domain] = {{"pages", json::object()}};
  start(state);
  fault({{"method", "PUT"}, {"path", "/octocat/b.example/"}, {"status", 403}, {"times", 9}});
  const auto opened = open(settings("pages", "octocat/{domain}"));
  std::vector<plan::PolicyEdit> edits;
  for (const std::string domain : {"a.example", "b.example", "c.example"})
    edits.push_back(edit(domain, std::nullopt, policy("testing")));
  const auto results = opened->write(edits, {});
  EXPECT_TRUE(results[0]);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().code, Code::unauthorized);
  EXPECT_TRUE(results[2]);
}

TEST(GitHubSettings, AreCheckedBeforeAnyRequest) {
  struct Case {
    const char* layout;
    const char* repository;
    const char* path;
    const char* words;
  };
  servers::RealServices services;
  for (const Case& c : std::vector<Case>{
           {"pages", "octocat", "", "OWNER/NAME"},
           {"pages", "octocat/a/b", "", "OWNER/NAME"},
           {"pages", "octocat/..", "", "OWNER/NAME"},
           {"pages", "octocat/a b", "", "OWNER/NAME"},
           {"pages", "{domain}/a", "", "NAME only"},
           {"pages", "-x/a", "", "address"},
           {"pages", "octocat/a", "x/mta-sts.txt", "docs/.well-known/mta-sts.txt"},
           {"repository", "octocat/{domain}", "", "'path' does"},
           {"repository", "octocat/a", "mta-sts.txt", "{domain}"},
           {"repository", "octocat/a", "../{domain}", ".."},
       }) {
    Settings settings;
    settings.set("token", "token", "");
    settings.set("layout", std::string(c.layout), "");
    settings.set("repository", std::string(c.repository), "stsctl.yaml:7:3");
    if (*c.path != '\0') settings.set("path", std::string(c.path), "stsctl.yaml:7:3");
    const auto host = kind().make(settings, services.services());
    ASSERT_FALSE(host) << c.repository << " " << c.path;
    EXPECT_EQ(host.error().code, Code::invalid);
    EXPECT_EQ(host.error().where, "stsctl.yaml:7:3");
    EXPECT_THAT(to_string(host.error()), HasSubstr(c.words));
  }
}

}  // namespace
}  // namespace stsctl::providers::github
