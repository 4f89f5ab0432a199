// What the contract suite does not ask: how sftp logs in at a real sshd, what it costs, and what it
// says when it is not let in.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/sftp/sftp.h"
#include "servers/disk.h"
#include "servers/real_services.h"
#include "servers/sshd.h"

namespace stsctl::providers::sftp {
namespace {

namespace fs = std::filesystem;
using servers::Sshd;
using testing::HasSubstr;

using Body = std::optional<std::string>;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

plan::PolicyEdit edit(const std::string& domain, const Body& before, const Body& after) {
  const auto file = [&](const Body& body) {
    return body ? std::optional(plan::PolicyFile{name(domain), *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

// An environment variable, as long as the object lives.
class Variable {
 public:
  Variable(const char* variable, const std::string& value) : name_(variable) {
    setenv(name_, value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

class SftpServer : public testing::Test {
 protected:
  SftpServer() { fs::create_directory(root()), servers::give_to_plain_user(root()); }

  std::string root() const { return folder_.file("www"); }

  Settings settings(const Sshd& sshd) const {
    Settings settings;
    settings.set("host", std::string("127.0.0.1"), "");
    settings.set("port", std::int64_t{sshd.port()}, "");
    settings.set("user", servers::plain_user(), "");
    settings.set("identity", sshd.key(), "");
    settings.set("known_hosts", sshd.known_hosts(), "");
    settings.set("root", root(), "");
    return settings;
  }

  std::unique_ptr<PolicyHost> open(const Settings& settings) {
    auto host = kind().make(settings, services_.services());
    if (!host) throw std::runtime_error(to_string(host.error()));
    return std::move(*host);
  }

  Result<Body> read(const Settings& settings, const std::string& domain = "example.com") {
    return open(settings)->read({name(domain)}, {}).front();
  }
  Result<Done> write(const Settings& settings, const plan::PolicyEdit& one) {
    return open(settings)->write({one}, {}).front();
  }

  std::string put(const std::string& domain, const std::string& body) const {
    const std::string file = root() + "/mta-sts." + domain + "/.well-known/mta-sts.txt";
    fs::create_directories(fs::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << body;
    return file;
  }

  std::string stored(const std::string& file) const {
    std::ifstream in(root() + "/" + file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  unsigned mode(const std::string& file) const {
    return static_cast<unsigned>(fs::status(root() + "/" + file).permissions());
  }

  servers::Folder folder_;
  servers::RealServices services_;
};

TEST_F(SftpServer, AThousandPoliciesTakeOneConnectionEachWay) {
  const Sshd sshd;
  const auto host = open(settings(sshd));
  std::vector<dns::Name> domains;
  std::vector<plan::PolicyEdit> edits;
  for (int i = 0; i < 1000; ++i) {
    domains.push_back(name(fmt::format("d{}.example", i)));
    edits.push_back(edit(domains.back().text(), {}, fmt::format("body {}\r\n", i)));
  }
  for (const Result<Done>& done : host->write(edits, {}))
    ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(sshd.logins(), 1U);
  const auto bodies = host->read(domains, {});
  EXPECT_EQ(sshd.logins(), 2U);
  for (std::size_t i = 0; i < bodies.size(); ++i)
    ASSERT_EQ(*bodies[i], fmt::format("body {}\r\n", i));
}

TEST_F(SftpServer, AServerThatGrantsOneSessionIsEnough) {
  const Sshd sshd({.more = "MaxSessions 1\n"});
  for (const std::int64_t at_once : {1, 2, 256}) {
    Settings few = settings(sshd);
    few.set("sessions", at_once, "");
    std::vector<plan::PolicyEdit> edits;
    for (int i = 0; i < 60; ++i)
      edits.push_back(edit(fmt::format("m{}-{}.example", at_once, i), {}, "body"));
    for (const Result<Done>& done : open(few)->write(edits, {}))
      ASSERT_TRUE(done) << to_string(done.error());
  }
  EXPECT_EQ(sshd.logins(), 3U);
}

TEST_F(SftpServer, RsaKeysAreGoodEnough) {
  const Sshd sshd;
  Settings rsa = settings(sshd);
  rsa.set("identity", sshd.make_login_key("rsa"), "");
  const auto body = read(rsa);
  ASSERT_TRUE(body) << to_string(body.error());
}

TEST_F(SftpServer, TheAgentIsAsked) {
  const Sshd sshd;
  const std::string socket = folder_.file("agent");
  const servers::Running agent({"ssh-agent", "-D", "-a", socket}, folder_.file("agent.log"));
  ASSERT_TRUE(servers::wait_until([&] { return fs::exists(socket); }));
  const Variable variable("SSH_AUTH_SOCK", socket);
  servers::run({"ssh-add", "-q", sshd.key()});
  Settings by_agent;
  for (const char* const same : {"host", "user", "known_hosts", "root"})
    by_agent.set(same, settings(sshd).text(same), "");
  by_agent.set("port", std::int64_t{sshd.port()}, "");
  const auto body = read(by_agent);
  EXPECT_TRUE(body) << to_string(body.error());
}

TEST_F(SftpServer, SshsConfigurationIsHonouredWithAliasesAndJumps) {
  const Sshd sshd;
  const Sshd jump({.more = "AllowTcpForwarding yes\n"});
  const std::string config = folder_.write(
      "config", fmt::format("Host web\n  HostName 127.0.0.1\n  Port {}\n  User {}\n"
                            "  IdentityFile {}\n  UserKnownHostsFile {}\n  ProxyJump hop\n"
                            "Host hop\n  HostName 127.0.0.1\n  Port {}\n  User {}\n"
                            "  IdentityFile {}\n  UserKnownHostsFile {}\n",
                            sshd.port(), servers::plain_user(), sshd.key(), sshd.known_hosts(),
                            jump.port(), servers::plain_user(), jump.key(), jump.known_hosts()));
  put("example.com", "body");
  Settings alias;
  alias.set("host", std::string("web"), "");
  alias.set("ssh_config", config, "");
  alias.set("root", root(), "");
  const auto body = read(alias);
  ASSERT_TRUE(body) << to_string(body.error());
  EXPECT_EQ(*body, "body");
  EXPECT_EQ(jump.logins(), 1U);
  EXPECT_EQ(sshd.logins(), 1U);
}

// The least permissions that docs/providers/sftp.md advises: a user who can do nothing but SFTP, in
// a folder that is not his.
TEST_F(SftpServer, LockedInAsTheDocumentationAdvises) {
  if (!servers::why_no_disk().empty()) GTEST_SKIP() << servers::why_no_disk();
  // All that leads there must be root's alone, as /tmp is not.
  const servers::Disk disk("/srv", "1m");
  fs::create_directory("/srv/www");
  servers::give_to_plain_user("/srv/www");
  const Sshd sshd({.chroot = "/srv"});
  Settings locked = settings(sshd);
  for (const char* const inside : {"/www", "www", "www/", "./www"}) {
    locked.set("root", std::string(inside), "");
    const Result<Done> done = write(locked, edit("example.com", {}, "body\r\n"));
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_TRUE(fs::exists("/srv/www/mta-sts.example.com/.well-known/mta-sts.txt"));
    EXPECT_EQ(*read(locked), "body\r\n");
    EXPECT_EQ(*read(locked, "absent.example"), std::nullopt);
    ASSERT_TRUE(write(locked, edit("example.com", "body\r\n", {})));
    EXPECT_TRUE(fs::is_empty("/srv/www"));
  }
}

TEST_F(SftpServer, PathsStandForThemselves) {
  const Sshd sshd;
  const std::string odd = R"(a b  "q" 'r' \n #x * ? [y] {z} $HOME ~ -w)";
  const std::string other = R"(a b  "q" 'r' \n #x STAR ? [y] {z} $HOME ~ -w)";
  for (const std::string& folder : {odd, other}) {
    fs::create_directory(root() + "/" + folder);
    servers::give_to_plain_user(root() + "/" + folder);
  }
  Settings at_odds = settings(sshd);
  at_odds.set("root", root() + "/" + odd, "");
  at_odds.set("path", R"(*\[{domain}]"/p?.txt)", "");
  ASSERT_TRUE(write(at_odds, edit("example.com", {}, "one")));
  EXPECT_EQ(stored(odd + R"(/*\[example.com]"/p?.txt)"), "one");
  EXPECT_EQ(*read(at_odds), "one");
  // A glob would find this one too.
  std::ofstream(root() + "/" + odd + R"(/*\[example.com]"/pX.txt)") << "neighbour";
  ASSERT_TRUE(write(at_odds, edit("example.com", "one", {})));
  EXPECT_EQ(stored(odd + R"(/*\[example.com]"/pX.txt)"), "neighbour");
  EXPECT_TRUE(fs::is_empty(root() + "/" + other));
}

TEST_F(SftpServer, ModesDoNotHangOnTheServersUmask) {
  const Sshd sshd({.more = "ForceCommand internal-sftp -u 077\n"});
  Settings usual = settings(sshd);
  ASSERT_TRUE(write(usual, edit("example.com", {}, "body")));
  EXPECT_EQ(mode("mta-sts.example.com/.well-known/mta-sts.txt"), 0644U);
  EXPECT_EQ(mode("mta-sts.example.com/.well-known"), 0755U);
  EXPECT_EQ(mode("mta-sts.example.com"), 0755U);
  Settings group = usual;
  group.set("mode", std::string("0640"), "");
  ASSERT_TRUE(write(group, edit("example.org", {}, "body")));
  EXPECT_EQ(mode("mta-sts.example.org/.well-known/mta-sts.txt"), 0640U);
  EXPECT_EQ(mode("mta-sts.example.org"), 0750U);
  Settings servers = usual;
  servers.set("mode", std::string("server"), "");
  ASSERT_TRUE(write(servers, edit("example.net", {}, "body")));
  EXPECT_EQ(mode("mta-sts.example.net/.well-known/mta-sts.txt"), 0600U);
  EXPECT_EQ(mode("mta-sts.example.net"), 0700U);
}

TEST_F(SftpServer, ModesHoldForEveryFileOfASession) {
  for (const char* const umask : {"022", "027", "077", "000"}) {
    const Sshd sshd({.more = fmt::format("ForceCommand internal-sftp -u {}\n", umask)});
    for (const unsigned wanted : {0644U, 0640U, 0664U}) {
      Settings one = settings(sshd);
      one.set("sessions", std::int64_t{1}, "");
      one.set("mode", fmt::format("{:o}", wanted), "");
      const auto host = open(one);
      const auto domain = [&](int i) {
        return fmt::format("d{}-{}-{:o}.example", i, umask, wanted);
      };
      for (const Result<Done>& done : host->write(
               {edit(domain(1), {}, "a"), edit(domain(2), {}, "b"), edit(domain(3), {}, "c")}, {}))
        ASSERT_TRUE(done) << to_string(done.error());
      ASSERT_TRUE(host->write({edit(domain(1), "a", "A"), edit(domain(2), "b", "B")}, {})[1]);
      const unsigned folder = wanted == 0644U ? 0755U : wanted == 0640U ? 0750U : 0775U;
      for (int i = 1; i <= 3; ++i) {
        const std::string at = "mta-sts." + domain(i);
        EXPECT_EQ(mode(at + "/.well-known/mta-sts.txt"), wanted) << at;
        EXPECT_EQ(mode(at + "/.well-known"), folder) << at;
        EXPECT_EQ(mode(at), folder) << at;
      }
    }
  }
}

TEST_F(SftpServer, FoldersThatWereThereKeepTheirMode) {
  const Sshd sshd;
  fs::create_directory(root() + "/mta-sts.example.com");
  fs::permissions(root() + "/mta-sts.example.com", fs::perms(0711));
  servers::give_to_plain_user(root() + "/mta-sts.example.com");
  ASSERT_TRUE(write(settings(sshd), edit("example.com", {}, "body")));
  EXPECT_EQ(mode("mta-sts.example.com"), 0711U);
}

TEST_F(SftpServer, SyncAsksTheServerToFlush) {
  const Sshd sshd({.more = "ForceCommand internal-sftp -l DEBUG3\n"});
  Settings flushed = settings(sshd);
  flushed.set("sync", true, "");
  ASSERT_TRUE(write(flushed, edit("example.com", {}, "body")));
  EXPECT_EQ(stored("mta-sts.example.com/.well-known/mta-sts.txt"), "body");
  EXPECT_THAT(services_.log(), HasSubstr("flush "));
}

TEST_F(SftpServer, UnknownHostKey) {
  const Sshd sshd;
  Settings unknown = settings(sshd);
  unknown.set("known_hosts", folder_.write("empty", {}), "");
  const auto body = read(unknown);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unauthorized);
  EXPECT_THAT(body.error().what, HasSubstr("host key is not known"));
  EXPECT_THAT(body.error().hint, HasSubstr("known_hosts"));
  EXPECT_EQ(sshd.logins(), 0U);
}

TEST_F(SftpServer, ChangedHostKey) {
  const Sshd sshd;
  Settings changed = settings(sshd);
  changed.set("known_hosts", sshd.wrong_known_hosts(), "");
  const Result<Done> done = write(changed, edit("example.com", {}, "body"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unauthorized);
  EXPECT_THAT(done.error().what, HasSubstr("another host key"));
  EXPECT_EQ(sshd.logins(), 0U);
}

TEST_F(SftpServer, KeyRefused) {
  const Sshd sshd;
  Settings refused = settings(sshd);
  refused.set("identity", sshd.other_key(), "");
  const auto body = read(refused);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unauthorized);
  EXPECT_THAT(body.error().what, HasSubstr("none of the keys"));
}

TEST_F(SftpServer, KeyThatOthersMayRead) {
  const Sshd sshd;
  fs::permissions(sshd.key(), fs::perms(0644));
  const auto body = read(settings(sshd));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unauthorized);
  EXPECT_THAT(body.error().what, HasSubstr("others may read it"));
}

TEST_F(SftpServer, MissingRootIsNoAbsence) {
  const Sshd sshd;
  Settings missing = settings(sshd);
  missing.set("root", root() + "/nowhere", "");
  const auto body = read(missing);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::not_found);
  EXPECT_THAT(body.error().what, HasSubstr("'root' does not exist"));
  const Result<Done> done = write(missing, edit("example.com", {}, "body"));
  ASSERT_FALSE(done);
  EXPECT_FALSE(fs::exists(root() + "/nowhere"));
}

TEST_F(SftpServer, RootThatIsAFile) {
  const Sshd sshd;
  Settings file = settings(sshd);
  file.set("root", put("example.com", "body"), "");
  const auto body = read(file);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::invalid);
}

TEST_F(SftpServer, RootOutOfReach) {
  if (servers::plain_user() == "root") GTEST_SKIP() << "nothing is out of root's reach";
  const Sshd sshd;
  const std::string shut = folder_.file("shut");
  fs::create_directories(shut + "/www");
  fs::permissions(shut, fs::perms(0700));
  if (!servers::is_root()) fs::permissions(shut, fs::perms(0));
  Settings out = settings(sshd);
  out.set("root", shut + "/www", "");
  const auto body = read(out);
  fs::permissions(shut, fs::perms(0700));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unauthorized) << to_string(body.error());
}

TEST_F(SftpServer, NobodyListens) {
  Settings nobody;
  nobody.set("host", std::string("127.0.0.1"), "");
  nobody.set("port", std::int64_t{servers::free_port()}, "");
  nobody.set("root", root(), "");
  const auto body = read(nobody);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unreachable);
  EXPECT_THAT(body.error().what, HasSubstr("refuses the connection"));
}

TEST_F(SftpServer, NoSftpThere) {
  const Sshd sshd({.more = "ForceCommand echo welcome to this machine; exit\n"});
  const auto body = read(settings(sshd));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::protocol) << to_string(body.error());
  EXPECT_THAT(body.error().hint, HasSubstr("must print nothing"));
}

TEST_F(SftpServer, ALinkIsReplacedAndWhatItPointsToStays) {
  const Sshd sshd;
  const std::string file = put("example.com", "");
  const std::string target = folder_.write("target", "linked");
  fs::permissions(fs::path(file).parent_path(), fs::perms(0777));
  fs::remove(file);
  fs::create_symlink(target, file);
  EXPECT_EQ(*read(settings(sshd)), "linked");
  ASSERT_TRUE(write(settings(sshd), edit("example.com", "linked", "body")));
  EXPECT_EQ(stored("mta-sts.example.com/.well-known/mta-sts.txt"), "body");
  EXPECT_FALSE(fs::is_symlink(file));
  // One that points nowhere stores nothing.
  fs::remove(file);
  fs::create_symlink(folder_.file("nowhere"), file);
  EXPECT_EQ(*read(settings(sshd)), std::nullopt);
}

struct Setting {
  const char* name;
  const char* value;
};

TEST_F(SftpServer, SettingsThatCannotWorkAreRefusedBeforeAnyConnection) {
  for (const Setting& bad :
       {Setting{"mode", "644x"}, Setting{"mode", "0888"}, Setting{"mode", "7777"},
        Setting{"mode", "0444"}, Setting{"mode", ""}, Setting{"root", ""}, Setting{"root", "~/www"},
        Setting{"root", "a\nb"}, Setting{"path", "fixed.txt"}, Setting{"path", "{domain}\nrm x"},
        Setting{"host", "-oProxyCommand=x"}}) {
    Settings settings;
    settings.set("host", std::string("127.0.0.1"), "");
    settings.set("root", std::string("/srv"), "here");
    settings.set(bad.name, std::string(bad.value), "here");
    const auto host = kind().make(settings, services_.services());
    ASSERT_FALSE(host) << bad.name << ' ' << bad.value;
    EXPECT_EQ(host.error().code, Code::invalid);
    EXPECT_NE(host.error().where, "");
  }
}

}  // namespace
}  // namespace stsctl::providers::sftp
