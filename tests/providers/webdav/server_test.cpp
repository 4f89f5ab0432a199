// What the contract suite does not ask: the exact moment of a neighbour's change, what a write
// costs, and how servers are told apart.

#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/webdav/webdav.h"
#include "servers/real_services.h"
#include "servers/sshd.h"
#include "servers/web_server.h"

namespace stsctl::providers::webdav {
namespace {

namespace fs = std::filesystem;
using servers::NginxRole;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Body = std::optional<std::string>;

plan::PolicyEdit edit(const std::string& domain, const Body& before, const Body& after) {
  const dns::Name name = *dns::Name::parse(domain);
  const auto file = [&](const Body& body) {
    return body ? std::optional(plan::PolicyFile{name, *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

// Notes what is sent, and lets the neighbour act just before a request is.
class WatchedHttp : public io::Http {
 public:
  explicit WatchedHttp(io::Http& next) : next_(next) {}

  Result<io::Reply> send(const io::Request& request) override {
    std::function<void()> act;
    {
      const std::lock_guard lock(guard_);
      if (request.method == method_) act = std::exchange(act_, {});
      requests_.push_back(request);
    }
    if (act) act();
    return next_.send(request);
  }

  void before(const std::string& method, std::function<void()> act) {
    method_ = method;
    act_ = std::move(act);
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> all;
    for (const io::Request& request : requests_)
      all.push_back(request.method);
    return all;
  }
  const std::vector<io::Request>& requests() const { return requests_; }
  void forget() { requests_.clear(); }

 private:
  io::Http& next_;
  std::mutex guard_;
  std::string method_;
  std::function<void()> act_;
  std::vector<io::Request> requests_;
};

class WebDavServer : public testing::Test {
 protected:
  WebDavServer() {
    fs::create_directory(root());
    servers::give_to_plain_user(root());
  }

  std::string root() const { return folder_.file("www"); }
  std::string file(const std::string& domain) const {
    return root() + "/" + domain + "/mta-sts.txt";
  }

  void put(const std::string& domain, const std::string& body) const {
    if (fs::create_directory(root() + "/" + domain))
      servers::give_to_plain_user(root() + "/" + domain);
    std::ofstream(file(domain), std::ios::binary) << body;
    servers::give_to_plain_user(file(domain));
  }
  // The same, and as if it had stood there for a while: Apache's ETag is strong.
  void put_long_ago(const std::string& domain, const std::string& body) const {
    put(domain, body);
    fs::last_write_time(file(domain), fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  std::string stored(const std::string& domain) const {
    std::ifstream in(file(domain), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return in ? text.str() : "nothing";
  }

  Settings settings(const servers::WebServer& server) const {
    Settings settings;
    settings.set("url", fmt::format("https://localhost:{}/{{domain}}/mta-sts.txt", server.port()),
                 "");
    settings.set("user", servers::dav_user(), "");
    settings.set("password", servers::dav_password(), "");
    settings.set("ca_file", ca_.file(), "");
    return settings;
  }

  io::Services services() {
    const io::Services real = services_.services();
    return {.files = real.files,
            .process = real.process,
            .clock = real.clock,
            .dns = real.dns,
            .http = http_,
            .log = real.log};
  }

  std::unique_ptr<PolicyHost> open(const Settings& settings, const HostKind& host = kind()) {
    auto opened = host.make(settings, services());
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    return std::move(*opened);
  }
  std::unique_ptr<PolicyHost> open(const servers::WebServer& server) {
    return open(settings(server));
  }

  Result<Done> write(PolicyHost& host, const plan::PolicyEdit& one) {
    return host.write({one}, {}).front();
  }

  servers::Folder folder_;
  servers::TestCa ca_;
  servers::RealServices services_;
  WatchedHttp http_{services_.services().http};
};

// --- Apache: the server compares, at the very moment.

TEST_F(WebDavServer, ApacheRefusesWhatANeighbourChangedAfterTheLook) {
  const auto server = servers::start_apache_dav(root(), ca_);
  put_long_ago("example.com", "old");
  const auto host = open(*server);
  http_.before("PUT", [&] { put("example.com", "neighbour"); });
  const Result<Done> done = write(*host, edit("example.com", "old", "new"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_EQ(stored("example.com"), "neighbour");
}

TEST_F(WebDavServer, ApacheRefusesWhatANeighbourCreatedAfterTheLook) {
  const auto server = servers::start_apache_dav(root(), ca_);
  const auto host = open(*server);
  http_.before("PUT", [&] { put("example.com", "neighbour"); });
  const Result<Done> done = write(*host, edit("example.com", {}, "new"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_EQ(stored("example.com"), "neighbour");
}

TEST_F(WebDavServer, ApacheRefusesToRemoveWhatANeighbourChangedAfterTheLook) {
  const auto server = servers::start_apache_dav(root(), ca_);
  put_long_ago("example.com", "old");
  const auto host = open(*server);
  http_.before("DELETE", [&] { put("example.com", "neighbour"); });
  const Result<Done> done = write(*host, edit("example.com", "old", {}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_EQ(stored("example.com"), "neighbour");
}

TEST_F(WebDavServer, ApacheSeesThroughARewriteOfTheSame) {
  const auto server = servers::start_apache_dav(root(), ca_);
  put_long_ago("example.com", "old");
  const auto host = open(*server);
  http_.before("PUT", [&] { put("example.com", "old"); });  // another ETag, the same body
  EXPECT_TRUE(write(*host, edit("example.com", "old", "new")));
  EXPECT_EQ(stored("example.com"), "new");
}

// The very first second of a file: its ETag is weak, and a weak one is refused by If-Match.
TEST_F(WebDavServer, ApacheIsWaitedForUntilItCanCompare) {
  const auto server = servers::start_apache_dav(root(), ca_);
  const auto host = open(*server);
  put("example.com", "old");
  ASSERT_TRUE(write(*host, edit("example.com", "old", "new")));
  EXPECT_EQ(stored("example.com"), "new");
  std::vector<std::string> tags;
  for (const io::Request& request : http_.requests())
    if (const auto tag = io::find_header(request.headers, "If-Match")) tags.push_back(*tag);
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_THAT(tags.front(), testing::StartsWith("\""));
}

TEST_F(WebDavServer, ApacheIsAskedOnceAndSentNoMoreThanNeeded) {
  const auto server = servers::start_apache_dav(root(), ca_);
  put_long_ago("example.com", "old");
  put_long_ago("example.org", "same");
  const auto host = open(*server);
  ASSERT_TRUE(write(*host, edit("example.org", {}, "same")));
  EXPECT_THAT(http_.methods(), ElementsAre("GET"));
  http_.forget();
  ASSERT_TRUE(write(*host, edit("example.com", "old", "new")));
  EXPECT_THAT(http_.methods(), ElementsAre("GET", "OPTIONS", "PUT"));
  http_.forget();
  ASSERT_TRUE(write(*host, edit("new.example", {}, "new")));
  EXPECT_THAT(http_.methods(), ElementsAre("GET", "MKCOL", "PUT"));
  EXPECT_EQ(host->write_requests(10), 1U + 10U * 4U);
  EXPECT_EQ(host->read_requests(10), 10U);
}

TEST_F(WebDavServer, ApacheByMoveComparesToo) {
  const auto server = servers::start_apache_dav(root(), ca_);
  put_long_ago("example.com", "old");
  Settings by_move = settings(*server);
  by_move.set("replace", std::string("move"), "");
  const auto host = open(by_move);
  http_.before("MOVE", [&] { put("example.com", "neighbour"); });
  const Result<Done> refused = write(*host, edit("example.com", "old", "new"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(stored("example.com"), "neighbour");
  put_long_ago("example.com", "old");
  http_.forget();
  EXPECT_TRUE(write(*host, edit("example.com", "old", "new")));
  EXPECT_THAT(http_.methods(), ElementsAre("GET", "PUT", "MOVE"));
  EXPECT_EQ(stored("example.com"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(root() + "/example.com"), {}), 1);
}

// --- nginx: it compares nothing but whether something is there.

TEST_F(WebDavServer, NginxRefusesWhatANeighbourCreatedAfterTheLook) {
  const auto server = servers::start_nginx(NginxRole::dav, root(), ca_);
  const auto host = open(*server);
  http_.before("MOVE", [&] { put("example.com", "neighbour"); });
  const Result<Done> done = write(*host, edit("example.com", {}, "new"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_EQ(stored("example.com"), "neighbour");
  EXPECT_EQ(std::distance(fs::directory_iterator(root() + "/example.com"), {}), 1);
}

TEST_F(WebDavServer, NginxIsComparedByReading) {
  const auto server = servers::start_nginx(NginxRole::dav, root(), ca_);
  put("example.com", "old");
  const auto host = open(*server);
  http_.forget();
  ASSERT_TRUE(write(*host, edit("example.com", "old", "new")));
  EXPECT_THAT(http_.methods(), ElementsAre("GET", "OPTIONS", "PUT", "MOVE"));
  EXPECT_EQ(stored("example.com"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(root() + "/example.com"), {}), 1);
  put("example.com", "neighbour");
  const Result<Done> refused = write(*host, edit("example.com", "old", "newer"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
}

// --- The rest.

TEST_F(WebDavServer, TokensOpenToo) {
  for (const bool apache : {true, false}) {
    const auto server = apache ? servers::start_apache_dav(root(), ca_)
                               : servers::start_nginx(NginxRole::dav, root(), ca_);
    Settings token;
    token.set("url", settings(*server).text("url"), "");
    token.set("ca_file", ca_.file(), "");
    token.set("token", servers::dav_token(), "");
    services_.services().log.hide(servers::dav_token());
    put("example.com", "body");
    const auto body = open(token)->read({*dns::Name::parse("example.com")}, {}).front();
    ASSERT_TRUE(body) << to_string(body.error());
    EXPECT_EQ(*body, "body");
    EXPECT_THAT(services_.log(), Not(HasSubstr(servers::dav_token())));
  }
}

TEST_F(WebDavServer, ACollectionThatIsNotOursIsNotMade) {
  for (const bool apache : {true, false}) {
    const auto server = apache ? servers::start_apache_dav(root(), ca_)
                               : servers::start_nginx(NginxRole::dav, root(), ca_);
    Settings deep = settings(*server);
    deep.set("url",
             fmt::format("https://localhost:{}/missing/{{domain}}/mta-sts.txt", server->port()),
             "");
    const Result<Done> done = write(*open(deep), edit("example.com", {}, "body"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::not_found) << to_string(done.error());
    EXPECT_THAT(done.error().hint, HasSubstr("before {domain}"));
    EXPECT_FALSE(fs::exists(root() + "/missing"));
  }
}

TEST_F(WebDavServer, AnUntrustedServerGetsNoPassword) {
  const auto server = servers::start_nginx(NginxRole::dav, root(), ca_);
  const servers::TestCa other;
  Settings untrusted = settings(*server);
  untrusted.set("ca_file", other.file(), "");
  const auto body = open(untrusted)->read({*dns::Name::parse("example.com")}, {}).front();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unauthorized);
  EXPECT_THAT(server->requests(), IsEmpty());
}

TEST_F(WebDavServer, PlainPutIsOneRequestAndNoCollections) {
  const auto server = servers::start_nginx(NginxRole::put, root(), ca_);
  const auto host = open(settings(*server), put_kind());
  ASSERT_TRUE(write(*host, edit("example.com", {}, "old")));
  EXPECT_THAT(http_.methods(), ElementsAre("GET", "PUT"));
  EXPECT_EQ(host->write_requests(10), 20U);
  http_.forget();
  ASSERT_TRUE(write(*host, edit("example.com", "old", {})));
  EXPECT_THAT(http_.methods(), ElementsAre("GET", "DELETE"));
  EXPECT_EQ(stored("example.com"), "nothing");
}

TEST_F(WebDavServer, WebDavWhereThereIsNoneSaysSo) {
  const auto server = servers::start_nginx(NginxRole::put, root(), ca_);
  const Result<Done> done = write(*open(*server), edit("example.com", {}, "body"));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().hint, "");
  EXPECT_EQ(stored("example.com"), "nothing");
}

struct Setting {
  const char* name;
  const char* value;
};

TEST_F(WebDavServer, SettingsThatCannotWorkAreRefused) {
  const std::vector<std::vector<Setting>> all{
      {{"user", "a"}},
      {{"password", "secret-word"}},
      {{"user", "a:b"}, {"password", "secret-word"}},
      {{"user", "a"}, {"password", "secret-word"}, {"token", "secret-word"}},
      {{"rate", "often"}},
  };
  for (const std::vector<Setting>& list : all) {
    Settings bad;
    bad.set("url", std::string("https://h/{domain}"), "here");
    for (const Setting& one : list)
      bad.set(one.name, std::string(one.value), "here");
    const auto host = kind().make(bad, services());
    ASSERT_FALSE(host) << list.front().name;
    EXPECT_EQ(host.error().code, Code::invalid);
    EXPECT_EQ(host.error().where, "here");
    EXPECT_THAT(to_string(host.error()), Not(HasSubstr("secret-word")));
  }
}

}  // namespace
}  // namespace stsctl::providers::webdav
