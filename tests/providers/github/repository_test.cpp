// Many domains in one repository, at the emulator's real Git.

#include "tests/providers/github/world.h"

namespace stsctl::providers::github {
namespace {

using nlohmann::json;
using plan::PolicyEdit;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string repository = "octocat/policies";

std::string path_of(const std::string& domain) {
  return "mta-sts." + domain + "/.well-known/mta-sts.txt";
}

class RepositoryTest : public GitHubTest {
 protected:
  void start_with(const json& files, const json& more = json::object()) {
    json facts = more;
    facts["branches"] = {{"main", files}};
    start({{"repositories", {{repository, facts}}}});
  }
  void start_usual() {
    start_with({{"README.md", "Policies\n"},
                {path_of("a.example"), policy("testing")},
                {path_of("b.example"), policy("enforce")}});
  }
  std::unique_ptr<PolicyHost> host() { return open(settings("repository", repository)); }
  std::map<std::string, std::string> files() const { return server_->files(repository); }
  std::vector<servers::GitHub::Commit> commits() const { return server_->commits(repository); }
};

TEST_F(RepositoryTest, ReadsWhatIsThereByteForByte) {
  start_usual();
  const auto opened = host();
  const auto bodies =
      opened->read({name("a.example"), name("none.example"), name("b.example")}, {});
  EXPECT_EQ(bodies[0], policy("testing"));
  EXPECT_EQ(bodies[1], std::nullopt);
  EXPECT_EQ(bodies[2], policy("enforce"));
}

TEST_F(RepositoryTest, FetchesEqualPoliciesOnceAndKnownOnesNever) {
  start_with({{path_of("a.example"), policy("none")},
              {path_of("b.example"), policy("none")},
              {path_of("c.example"), policy("testing")}});
  const auto opened = host();
  const std::vector<dns::Name> all{name("a.example"), name("b.example"), name("c.example")};
  opened->read(all, {});
  EXPECT_EQ(server_->emulator().request_count(), 2 + 2) << "branch, listing and two policies";
  server_->emulator().forget();
  EXPECT_EQ(opened->read(all, {})[1], policy("none"));
  EXPECT_EQ(server_->emulator().request_count(), 2);
}

TEST_F(RepositoryTest, WritesAddsAndRemovesInOneCommit) {
  start_usual();
  const auto opened = host();
  const auto results = opened->write({edit("a.example", policy("testing"), policy("enforce")),
                                      edit("b.example", policy("enforce"), std::nullopt),
                                      edit("c.example", std::nullopt, policy("testing"))},
                                     {});
  for (const auto& result : results)
    EXPECT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(files(), ElementsAre(std::pair("README.md", "Policies\n"),
                                   std::pair(path_of("a.example"), policy("enforce")),
                                   std::pair(path_of("c.example"), policy("testing"))));
  ASSERT_THAT(commits(), SizeIs(2));
  EXPECT_EQ(commits()[0].message,
            "Change the MTA-STS policies of 3 domains\n\n- a.example: mode testing -> enforce\n"
            "- b.example: removed\n- c.example: first policy\n");
  EXPECT_EQ(commits()[0].author, "octocat <octocat@users.noreply.github.com>");
  server_->emulator().forget();
  EXPECT_EQ(read(*opened, "a.example"), policy("enforce"));
  EXPECT_EQ(server_->emulator().request_count(), 2) << "what was written is known";
}

TEST_F(RepositoryTest, NamesTheCommitterThatWasConfigured) {
  start_usual();
  Settings configured = settings("repository", repository);
  configured.set("committer", true, "");
  configured.set("committer.name", "Mail Team", "");
  configured.set("committer.email", "mail@example.net", "");
  ASSERT_TRUE(write(*open(configured), edit("c.example", std::nullopt, policy("testing"))));
  EXPECT_EQ(commits()[0].author, "Mail Team <mail@example.net>");
}

TEST_F(RepositoryTest, TheSameWriteTwiceIsOnce) {
  start_usual();
  const auto opened = host();
  const PolicyEdit once = edit("a.example", policy("testing"), policy("enforce"));
  ASSERT_TRUE(write(*opened, once));
  ASSERT_TRUE(write(*opened, once));
  EXPECT_THAT(commits(), SizeIs(2));
}

TEST_F(RepositoryTest, OneConflictStopsNoOtherDomain) {
  start_usual();
  const auto results = host()->write({edit("a.example", policy("none"), policy("enforce")),
                                      edit("b.example", policy("enforce"), policy("testing"))},
                                     {});
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code, Code::conflict);
  EXPECT_TRUE(results[1]);
  EXPECT_EQ(files().at(path_of("a.example")), policy("testing"));
  EXPECT_EQ(files().at(path_of("b.example")), policy("testing"));
}

TEST_F(RepositoryTest, KeepsModesAndEverythingElse) {
  start_usual();
  ASSERT_TRUE(write(*host(), edit("a.example", policy("testing"), policy("enforce"))));
  EXPECT_EQ(server_->mode(repository, path_of("a.example")), "100644");
  EXPECT_EQ(files().at("README.md"), "Policies\n");
}

TEST_F(RepositoryTest, PutsNoFolderWhereAFileIs) {
  start_with({{"mta-sts.a.example", "somebody's\n"}, {path_of("b.example") + "/x", "a folder\n"}});
  const auto opened = host();
  const auto results = opened->write({edit("a.example", std::nullopt, policy("testing")),
                                      edit("b.example", std::nullopt, policy("testing"))},
                                     {});
  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::refused);
  }
  EXPECT_THAT(commits(), SizeIs(1));
  const auto folder = read(*opened, "b.example");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Code::unsupported);
}

TEST_F(RepositoryTest, WalksWhereAListingIsCut) {
  json files{{"zzz", "after all\n"}};
  for (int i = 0; i < 20; ++i)
    files[path_of("d" + std::to_string(i) + ".example")] = policy("testing");
  start_with(files, {{"tree_limit", 30}});
  const auto opened = host();
  EXPECT_EQ(read(*opened, "d9.example"), policy("testing"));
  EXPECT_EQ(read(*opened, "none.example"), std::nullopt);
  EXPECT_TRUE(write(*opened, edit("d9.example", policy("testing"), policy("enforce"))));
  EXPECT_EQ(this->files().at(path_of("d9.example")), policy("enforce"));
  server_->emulator().load(
      json{{"repositories", {{repository, {{"tree_limit", 3}, {"branches", {{"main", files}}}}}}}}
          .dump());
  const auto cut = read(*opened, "d9.example");
  ASSERT_FALSE(cut) << "what is listed in part must not look absent";
  EXPECT_EQ(cut.error().code, Code::unsupported);
}

TEST_F(RepositoryTest, SeesWhatANeighbourDid) {
  start_usual();
  const auto opened = host();
  ASSERT_EQ(read(*opened, "a.example"), policy("testing"));
  server_->commit(repository,
                  {{path_of("a.example"), policy("none")}, {path_of("b.example"), std::nullopt}});
  EXPECT_EQ(read(*opened, "a.example"), policy("none"));
  EXPECT_EQ(read(*opened, "b.example"), std::nullopt);
  const auto done = write(*opened, edit("b.example", policy("enforce"), policy("testing")));
  ASSERT_FALSE(done) << "what was removed is not put back";
  EXPECT_EQ(done.error().code, Code::conflict);
}

// The neighbour commits between our look and our move of the branch.
TEST_F(RepositoryTest, LooksAgainWhenTheBranchMoved) {
  const auto neighbour = [&](const json& files) {
    start(
        {{"repositories",
          {{repository, {{"branches", {{"main", {{path_of("a.example"), policy("testing")}}}}}}}}},
         {"neighbours",
          {{{"method", "PATCH"},
            {"path", "/git/refs/"},
            {"repository", repository},
            {"files", files}}}}});
  };
  neighbour({{"other.txt", "theirs\n"}});
  const auto done = write(*host(), edit("a.example", policy("testing"), policy("enforce")));
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(files(), ElementsAre(std::pair(path_of("a.example"), policy("enforce")),
                                   std::pair("other.txt", "theirs\n")));
  EXPECT_THAT(commits(), SizeIs(3));

  neighbour({{path_of("a.example"), policy("none")}});
  const auto lost = write(*host(), edit("a.example", policy("testing"), policy("enforce")));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::conflict);
  EXPECT_EQ(files().at(path_of("a.example")), policy("none"));

  neighbour({{path_of("a.example"), policy("enforce")}});
  EXPECT_TRUE(write(*host(), edit("a.example", policy("testing"), policy("enforce"))));
  EXPECT_THAT(commits(), SizeIs(2)) << "the neighbour wrote the same";
}

TEST_F(RepositoryTest, ALostAnswerIsLookedUpNotRepeated) {
  struct Case {
    json fault;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {{{"reset", true}, {"done", true}}, "the connection broke after the commit"},
           {{{"cut", 20}, {"done", true}}, "the answer was cut off"},
           {{{"status", 502}, {"done", true}, {"body", "<html>"}}, "a proxy lost the answer"},
           {{{"status", 200}, {"done", true}, {"body", "{\"ref\":"}}, "malformed"},
           {{{"reset", true}}, "the connection broke before the commit"},
           {{{"status", 500}}, "it failed"},
       }) {
    start_usual();
    json broken = c.fault;
    broken["method"] = "PATCH";
    fault(broken);
    const auto done = write(*host(), edit("a.example", policy("testing"), policy("enforce")));
    EXPECT_TRUE(done) << c.why << ": " << to_string(done.error());
    EXPECT_EQ(files().at(path_of("a.example")), policy("enforce")) << c.why;
    EXPECT_THAT(commits(), SizeIs(2)) << c.why;
  }
}

TEST_F(RepositoryTest, SaysWhenItIsUnknownWhetherItWasWritten) {
  start_usual();
  fault({{"method", "PATCH"}, {"reset", true}, {"done", true}});
  fault({{"method", "GET"}, {"path", "/git/ref/"}, {"times", 1}});  // the first look
  fault({{"method", "GET"}, {"path", "/git/ref/"}, {"status", 500}, {"times", 99}});
  const auto done = write(*host(), edit("a.example", policy("testing"), policy("enforce")));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("the answer to the change was lost"));
  EXPECT_THAT(done.error().hint, HasSubstr("plan again"));
}

TEST_F(RepositoryTest, EndsWhenTheServiceKeepsFailing) {
  start_usual();
  fault({{"method", "PATCH"}, {"status", 500}, {"times", 99}});
  const auto done = write(*host(), edit("a.example", policy("testing"), policy("enforce")));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::internal);
  EXPECT_THAT(commits(), SizeIs(1));
}

TEST_F(RepositoryTest, WaitsOutRateLimits) {
  struct Case {
    json fault;
    int least;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {{{"status", 429}, {"headers", {{"Retry-After", "7"}}}}, 7, "said by 429"},
           {{{"status", 403}, {"headers", {{"Retry-After", "60"}}}}, 60, "said by 403"},
           {{{"status", 403},
             {"body", R"({"message":"You have exceeded a secondary rate limit."})"}},
            60,
            "not said: a minute, as GitHub documents"},
       }) {
    start_usual();
    json busy = c.fault;
    busy["method"] = "POST";
    busy["path"] = "/git/trees";
    fault(busy);
    const auto before = clock_.passed();
    const auto done = write(*host(), edit("a.example", policy("testing"), policy("enforce")));
    EXPECT_TRUE(done) << c.why << ": " << to_string(done.error());
    EXPECT_GE(clock_.passed() - before, std::chrono::seconds(c.least)) << c.why;
    EXPECT_THAT(commits(), SizeIs(2)) << c.why;
  }
}

TEST_F(RepositoryTest, GivesUpWhenTheHoursRequestsAreUsedUp) {
  start({{"repositories", {{repository, json::object()}}},
         {"remaining", 0},
         {"reset", clock_.now().time_since_epoch().count() + 3000}});
  const auto body = read(*host(), "a.example");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::rate_limited);
}

TEST_F(RepositoryTest, TellsApartWhyItMayNot) {
  struct Case {
    const char* repository;
    const char* token;
    const char* branch;
    bool writing;
    Code code;
    const char* words;
  };
  start({{"tokens",
          {{"token", {{"login", "octocat"}, {"scopes", {"repo"}}}},
           {"none", {{"login", "octocat"}, {"scopes", json::array()}}},
           {"reader", {{"login", "r"}, {"permissions", {{"contents", "read"}}}}},
           {"outsider",
            {{"login", "o"},
             {"permissions", {{"contents", "write"}}},
             {"repositories", json::array()}}}}},
         {"repositories",
          {{"octocat/open", json::object()},
           {"octocat/hidden", {{"private", true}}},
           {"octocat/old", {{"renamed_to", "octocat/new"}}},
           {"octocat/archive", {{"archived", true}}},
           {"octocat/guarded", {{"protected", {"main"}}}},
           {"octocat/empty", {{"branches", json::object()}}}}}});
  for (const Case& c : std::vector<Case>{
           {"octocat/open", "wrong", "main", false, Code::unauthorized, "does not accept"},
           {"octocat/none", "token", "main", false, Code::not_found, "may not see it"},
           {"octocat/hidden", "outsider", "main", false, Code::not_found, "may not see it"},
           {"octocat/old", "token", "main", false, Code::not_found, "new name"},
           {"octocat/open", "token", "gone", false, Code::not_found, "no branch 'gone'"},
           {"octocat/empty", "token", "main", false, Code::not_found, "no commit yet"},
           {"octocat/open", "reader", "main", true, Code::unauthorized, "contents=write"},
           {"octocat/open", "none", "main", true, Code::not_found, "scope 'repo'"},
           {"octocat/archive", "token", "main", true, Code::unauthorized, "unarchive"},
           {"octocat/guarded", "token", "main", true, Code::unauthorized, "bypass"},
       }) {
    Settings with = settings("repository", c.repository);
    with.set("token", std::string(c.token), "");
    with.set("branch", std::string(c.branch), "");
    const auto opened = open(with);
    const auto body = read(*opened, "a.example");
    const auto done = write(*opened, edit("a.example", std::nullopt, policy("testing")));
    EXPECT_EQ(body.has_value(), c.writing) << c.repository << " " << c.token;
    ASSERT_FALSE(done) << c.repository << " " << c.token;
    EXPECT_EQ(done.error().code, c.code) << to_string(done.error());
    EXPECT_THAT(to_string(done.error()), HasSubstr(c.words));
    EXPECT_THAT(to_string(done.error()), HasSubstr("octocat/"));
  }
}

TEST_F(RepositoryTest, ShowsNoSecretAnywhere) {
  start_usual();
  const std::string secret = "github_pat_11SECRETSECRET";
  Settings with = settings("repository", repository);
  with.set("token", secret, "");
  services_.services().log.hide(secret);
  const auto opened = open(with);
  const auto body = read(*opened, "a.example");
  ASSERT_FALSE(body);
  EXPECT_THAT(to_string(body.error()), Not(HasSubstr(secret)));
  for (const int status : {400, 403, 404, 422, 500}) {
    fault({{"status", status}, {"body", "you sent Bearer " + secret}});
    EXPECT_THAT(to_string(read(*opened, "a.example").error()), Not(HasSubstr("Bearer " + secret)))
        << status;
  }
  EXPECT_THAT(services_.log(), AllOf(HasSubstr("/repos/octocat/policies"), Not(HasSubstr(secret))));
}

TEST_F(RepositoryTest, SaysWhoItIsAndWhichVersionItSpeaks) {
  start_usual();
  read(*host(), "a.example");
  for (const servers::Journaled& one : server_->emulator().journal()) {
    EXPECT_EQ(io::find_header(one.headers, "X-GitHub-Api-Version"), "2022-11-28");
    EXPECT_EQ(io::find_header(one.headers, "Accept"), "application/vnd.github+json");
    EXPECT_THAT(io::find_header(one.headers, "User-Agent").value_or(""), StartsWith("stsctl"));
  }
}

TEST_F(RepositoryTest, PausesBetweenWrites) {
  start_usual();
  Settings slow = settings("repository", repository);
  slow.set("write_interval", std::int64_t{5}, "");
  const auto before = clock_.passed();
  ASSERT_TRUE(write(*open(slow), edit("c.example", std::nullopt, policy("testing"))));
  EXPECT_GE(clock_.passed() - before, std::chrono::seconds(10)) << "tree, commit, branch";
}

// The figures of docs/providers/github.md.
TEST_F(RepositoryTest, AFleetIsOneCommitOfSevenRequests) {
  start_with({{"README.md", "Policies\n"}});
  const auto opened = host();
  std::vector<PolicyEdit> first;
  std::vector<PolicyEdit> second;
  std::vector<dns::Name> domains;
  for (int i = 0; i < 1000; ++i) {
    const std::string domain = "z" + std::to_string(i) + ".example";
    first.push_back(edit(domain, std::nullopt, policy("testing", "mail." + domain)));
    second.push_back(
        edit(domain, policy("testing", "mail." + domain), policy("enforce", "mail." + domain)));
    domains.push_back(name(domain));
  }
  for (const auto& edits : {first, second}) {
    server_->emulator().forget();
    for (const auto& result : opened->write(edits, {}))
      ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_EQ(server_->requests().size(), 7U);
    EXPECT_EQ(opened->write_requests(1000), 7U);
  }
  EXPECT_THAT(commits(), SizeIs(3));
  server_->emulator().forget();
  const auto bodies = opened->read(domains, {});
  for (std::size_t i = 0; i < bodies.size(); ++i)
    ASSERT_EQ(bodies[i], second[i].after->body);
  EXPECT_THAT(server_->requests(), SizeIs(opened->read_requests(1000)));
}

TEST_F(RepositoryTest, StopsWhenAsked) {
  start_usual();
  std::stop_source stop;
  stop.request_stop();
  const auto opened = host();
  const auto done = opened->write({edit("c.example", std::nullopt, policy("testing"))},
                                  {.stop = stop.get_token(), .advance = {}});
  ASSERT_FALSE(done.front());
  EXPECT_EQ(done.front().error().code, Code::cancelled);
  EXPECT_THAT(server_->requests(), IsEmpty());
}

TEST_F(RepositoryTest, NeedsNoAddressButTakesOne) {
  start_usual();
  EXPECT_EQ(host()->address(name("a.example")), std::nullopt);
  Settings with = settings("repository", repository);
  with.set("address", true, "");
  with.set("address.cname", "web.example.net", "");
  EXPECT_EQ(open(with)->address(name("a.example"))->cname, name("web.example.net"));
  EXPECT_EQ(host()->edge_delay(), Duration(0));
}

}  // namespace
}  // namespace stsctl::providers::github
