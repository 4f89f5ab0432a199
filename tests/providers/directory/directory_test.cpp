// The directory host on a real file system: what a web server beside it would see.

#include "providers/directory/directory.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "servers/real_services.h"
#include "servers/running.h"

namespace stsctl::providers::directory {
namespace {

namespace fs = std::filesystem;
using plan::PolicyEdit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string one = "version: STSv1\r\nmode: testing\r\nmx: a.example\r\nmax_age: 86400\r\n";
const std::string two = "version: STSv1\r\nmode: enforce\r\nmx: b.example\r\nmax_age: 86400\r\n";

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

PolicyEdit edit(const std::string& domain, std::optional<std::string> before,
                std::optional<std::string> after) {
  const auto file = [&](const std::optional<std::string>& body) {
    return body ? std::optional(plan::PolicyFile{name(domain), *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return {names.begin(), names.end()};
}

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

// While it lives the process has no more rights than user "nobody".
class WithoutRoot {
 public:
  WithoutRoot() {
    if (root_ && ::seteuid(65534) != 0) throw std::runtime_error("cannot become nobody");
  }
  ~WithoutRoot() {
    if (root_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool root_ = ::geteuid() == 0;
};

class Web : public testing::Test {
 protected:
  Web() { fs::create_directory(root_); }

  static Settings settings(const std::string& root) {
    Settings settings;
    settings.set("root", root, "stsctl.yaml:1:1");
    return settings;
  }

  std::unique_ptr<PolicyHost> open(const std::string& path = {},
                                   const Settings::List& reload = {}) {
    Settings all = settings(root_.string());
    if (!path.empty()) all.set("path", path, "stsctl.yaml:2:2");
    if (!reload.empty()) all.set("reload", reload, "stsctl.yaml:3:3");
    auto made = kind().make(all, services_.services());
    return made ? std::move(*made) : throw std::runtime_error(to_string(made.error()));
  }

  fs::path file(const std::string& domain = "example.com") const {
    return root_ / ("mta-sts." + domain) / ".well-known" / "mta-sts.txt";
  }
  void put(const std::string& body, const std::string& domain = "example.com") const {
    fs::create_directories(file(domain).parent_path());
    std::ofstream(file(domain), std::ios::binary) << body;
  }

  // User "nobody" may do everything in the folder.
  void open_to_all() const {
    fs::permissions(folder_.path(), fs::perms(0777));
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path()))
      fs::permissions(entry.path(), fs::perms(entry.is_directory() ? 0777 : 0666));
  }

  // The body that the host says is there, "absent", or "error: " and why it does not know.
  static std::string read(PolicyHost& host, const std::string& domain = "example.com") {
    const auto body = host.read({name(domain)}, {}).front();
    return body ? body->value_or("absent") : "error: " + to_string(body.error());
  }
  static Result<Done> write(PolicyHost& host, const PolicyEdit& change) {
    return host.write({change}, {}).front();
  }

  servers::Folder folder_;
  servers::RealServices services_;
  fs::path root_ = folder_.file("www");
};

TEST_F(Web, AbsentAndPresentAreTold) {
  const auto host = open();
  put(one, "example.org");
  EXPECT_EQ(read(*host), "absent");
  EXPECT_EQ(read(*host, "example.org"), one);
}

TEST_F(Web, NoRootIsNoAbsentPolicy) {
  fs::remove(root_);
  const auto host = open();
  EXPECT_EQ(read(*host), "error: " + root_.string() +
                             ": cannot look at: No such file or directory\n"
                             "  hint: make the folder, or mend 'root'");
  EXPECT_FALSE(write(*host, edit("example.com", std::nullopt, one)));
  EXPECT_FALSE(fs::exists(root_));
}

TEST_F(Web, WhatIsNoReadableFileIsNoAbsentPolicy) {
  fs::create_directories(file("folder.example"));
  put(one, "secret.example");
  put(std::string((1U << 20U) + 1, 'x'), "large.example");
  open_to_all();
  fs::permissions(file("secret.example"), fs::perms::none);
  const WithoutRoot nobody;
  const auto host = open();
  EXPECT_THAT(read(*host, "folder.example"), HasSubstr("it is a folder"));
  EXPECT_THAT(read(*host, "secret.example"), HasSubstr("Permission denied"));
  EXPECT_THAT(read(*host, "large.example"), HasSubstr("longer than 1048576"));
}

TEST_F(Web, MakesFileAndFolders) {
  const mode_t mask = ::umask(022);
  ::umask(mask);
  const auto host = open();
  EXPECT_TRUE(write(*host, edit("example.com", std::nullopt, one)));
  EXPECT_EQ(content(file()), one);
  EXPECT_EQ(mode_of(file()), 0644U & ~mask);
  EXPECT_EQ(mode_of(file().parent_path()), 0777U & ~mask);
  EXPECT_THAT(names_in(file().parent_path()), ElementsAre("mta-sts.txt"));
}

TEST_F(Web, LineEndingsAreBytes) {
  const auto host = open();
  const std::string lf = "version: STSv1\nmode: none\nmax_age: 86400\n";
  put(lf);
  EXPECT_EQ(read(*host), lf);
  EXPECT_TRUE(write(*host, edit("example.com", lf, one)));
  EXPECT_EQ(content(file()), one);
  EXPECT_TRUE(write(*host, edit("example.com", one, lf)));
  EXPECT_EQ(content(file()), lf);
}

TEST_F(Web, KeepsTheModeOfWhatItReplaces) {
  const auto host = open();
  for (const mode_t mode : {0600U, 0640U, 0664U, 0644U}) {
    put(one);
    ASSERT_EQ(::chmod(file().c_str(), mode), 0);
    EXPECT_TRUE(write(*host, edit("example.com", one, two)));
    EXPECT_EQ(mode_of(file()), mode);
  }
}

TEST_F(Web, AReaderSeesTheOldBodyOrTheNew) {
  const auto host = open();
  put(one);
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  std::set<std::string> seen;
  std::thread reader([&] {
    for (; !done; ++reads)
      seen.insert(content(file()));
  });
  for (int i = 0; i < 50 || reads < 50; ++i) {
    EXPECT_TRUE(write(*host, edit("example.com", one, two)));
    EXPECT_TRUE(write(*host, edit("example.com", two, one)));
  }
  done = true;
  reader.join();
  EXPECT_THAT(seen, testing::IsSubsetOf({one, two}));
  EXPECT_THAT(names_in(file().parent_path()), ElementsAre("mta-sts.txt"));
}

TEST_F(Web, RemovesTheFileAndTheFoldersItLeavesEmpty) {
  const auto host = open();
  put(one, "a.example");
  put(one, "b.example");
  std::ofstream(root_ / "mta-sts.b.example" / "robots.txt") << "kept";
  EXPECT_TRUE(write(*host, edit("a.example", one, std::nullopt)));
  EXPECT_TRUE(write(*host, edit("b.example", one, std::nullopt)));
  EXPECT_THAT(names_in(root_), ElementsAre("mta-sts.b.example"));
  EXPECT_THAT(names_in(root_ / "mta-sts.b.example"), ElementsAre("robots.txt"));
  EXPECT_TRUE(write(*host, edit("a.example", one, std::nullopt))) << "gone already is done";
}

TEST_F(Web, TheRootStaysWhenItIsEmpty) {
  const auto host = open("{domain}.txt");
  ASSERT_TRUE(write(*host, edit("example.com", std::nullopt, one)));
  ASSERT_TRUE(write(*host, edit("example.com", one, std::nullopt)));
  EXPECT_THAT(names_in(root_), IsEmpty());
}

TEST_F(Web, ConflictWhereTheLiveBodyIsNeitherBeforeNorAfter) {
  const auto host = open();
  const std::string other = "by hand";
  struct Case {
    std::optional<std::string> live, before, after;
  };
  for (const Case& c : {Case{other, one, two}, Case{other, one, std::nullopt},
                        Case{other, std::nullopt, one}, Case{std::nullopt, one, two}}) {
    fs::remove(file());
    if (c.live) put(*c.live);
    const auto done = write(*host, edit("example.com", c.before, c.after));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::conflict);
    EXPECT_EQ(done.error().where, file().string());
    EXPECT_EQ(read(*host), c.live.value_or("absent")) << "stays as it is";
  }
}

TEST_F(Web, WhatIsThereAlreadyIsDoneAndNotWrittenAgain) {
  const auto host = open();
  put(two);
  const auto before = fs::last_write_time(file().parent_path());
  EXPECT_TRUE(write(*host, edit("example.com", one, two)));
  EXPECT_EQ(fs::last_write_time(file().parent_path()), before);
}

TEST_F(Web, PathTemplate) {
  const auto host = open("{domain}/x/{domain}.txt");
  EXPECT_TRUE(write(*host, edit("example.com", std::nullopt, one)));
  EXPECT_EQ(content(root_ / "example.com" / "x" / "example.com.txt"), one);
  EXPECT_EQ(read(*host), one);
}

TEST_F(Web, PathTemplateThatCannotBe) {
  for (const auto& [path, fault] :
       std::vector<std::pair<std::string, std::string>>{{"mta-sts.txt", "must hold {domain}"},
                                                        {"/{domain}", "cannot begin with '/'"},
                                                        {"../{domain}", "not lead upwards"},
                                                        {"{domain}/../../x", "not lead upwards"}}) {
    Settings all = settings(root_.string());
    all.set("path", path, "stsctl.yaml:2:2");
    const auto host = kind().make(all, services_.services());
    ASSERT_FALSE(host) << path;
    EXPECT_THAT(to_string(host.error()), HasSubstr(fault));
    EXPECT_THAT(to_string(host.error()), HasSubstr("stsctl.yaml:2:2"));
  }
}

TEST_F(Web, LinksAreFollowedAndKept) {
  const auto host = open();
  const fs::path real = folder_.file("elsewhere");
  fs::create_directories(real);
  // One domain's folder is a link, another's file is one, both beyond the root.
  fs::create_directory_symlink(real, root_ / "mta-sts.a.example");
  fs::create_directories(file("b.example").parent_path());
  std::ofstream(real / "b.txt") << one;
  fs::create_symlink(real / "b.txt", file("b.example"));
  EXPECT_TRUE(write(*host, edit("a.example", std::nullopt, one)));
  EXPECT_TRUE(write(*host, edit("b.example", one, two)));
  EXPECT_TRUE(fs::is_symlink(root_ / "mta-sts.a.example"));
  EXPECT_TRUE(fs::is_symlink(file("b.example")));
  EXPECT_EQ(content(real / ".well-known" / "mta-sts.txt"), one);
  EXPECT_EQ(content(real / "b.txt"), two);
  EXPECT_TRUE(write(*host, edit("a.example", one, std::nullopt)));
  EXPECT_TRUE(fs::is_symlink(root_ / "mta-sts.a.example")) << "not ours to remove";
  EXPECT_THAT(names_in(real), ElementsAre("b.txt"));
}

TEST_F(Web, AnUnwritableFolderIsThatDomainsFailure) {
  put(one, "a.example");
  put(one, "b.example");
  open_to_all();
  fs::permissions(file("a.example").parent_path(), fs::perms(0555));
  const WithoutRoot nobody;
  const auto host = open();
  const auto done = host->write({edit("a.example", one, two), edit("b.example", one, two)}, {});
  ASSERT_FALSE(done[0]);
  EXPECT_THAT(to_string(done[0].error()), HasSubstr("Permission denied"));
  EXPECT_THAT(to_string(done[0].error()), HasSubstr(file("a.example").string()));
  EXPECT_TRUE(done[1]);
  EXPECT_EQ(content(file("a.example")), one);
  EXPECT_EQ(content(file("b.example")), two);
}

// A disk of 64 KiB; where the system lets nobody mount one, no file may grow past that.
class FullDisk {
 public:
  explicit FullDisk(const fs::path& at)
      : at_(at), mounted_(::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=64k") == 0) {
    if (mounted_) return;
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit small{size_t{64} << 10U, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    if (mounted_)
      ::umount2(at_.c_str(), MNT_DETACH);
    else
      ::setrlimit(RLIMIT_FSIZE, &limit_);
  }

 private:
  fs::path at_;
  bool mounted_;
  rlimit limit_{};
};

TEST_F(Web, AFullDiskLeavesTheOldBody) {
  const FullDisk disk(root_);
  const auto host = open();
  put(one);
  const auto done = write(*host, edit("example.com", one, std::string(size_t{100} << 10U, 'x')));
  ASSERT_FALSE(done);
  EXPECT_THAT(to_string(done.error()), HasSubstr("cannot write"));
  EXPECT_EQ(content(file()), one);
  EXPECT_THAT(names_in(file().parent_path()), ElementsAre("mta-sts.txt"));
  EXPECT_TRUE(write(*host, edit("example.com", one, two))) << "what fits is still written";
}

TEST_F(Web, ManyDomainsInOneCall) {
  constexpr std::size_t count = 1000;
  const auto host = open();
  std::vector<dns::Name> domains;
  std::vector<PolicyEdit> edits;
  for (std::size_t i = 0; i < count; ++i) {
    domains.push_back(name("d" + std::to_string(i) + ".example"));
    edits.push_back(edit(domains.back().text(), std::nullopt, one + std::to_string(i)));
  }
  std::atomic<std::size_t> advanced = 0;
  const Watch watch{.stop = {}, .advance = [&](std::size_t more) { advanced += more; }};
  for (const Result<Done>& done : host->write(edits, watch))
    EXPECT_TRUE(done);
  const auto bodies = host->read(domains, watch);
  ASSERT_EQ(bodies.size(), count);
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(**bodies[i], one + std::to_string(i));
  EXPECT_EQ(advanced, 2 * count);
}

TEST_F(Web, StopsBetweenFiles) {
  const auto host = open();
  std::stop_source stop;
  stop.request_stop();
  const Watch watch{.stop = stop.get_token(), .advance = {}};
  const auto done = host->write({edit("example.com", std::nullopt, one)}, watch);
  ASSERT_FALSE(done[0]);
  EXPECT_EQ(done[0].error().code, Code::cancelled);
  EXPECT_EQ(host->read({name("example.com")}, watch)[0].error().code, Code::cancelled);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(Web, ReloadsOnceAfterPoliciesChanged) {
  const std::string log = folder_.file("reloads");
  const auto host = open({}, {"/bin/sh", "-c", "echo reloaded >> \"$0\"", log});
  put("by hand", "c.example");
  const auto done =
      host->write({edit("a.example", std::nullopt, one), edit("b.example", std::nullopt, one),
                   edit("c.example", std::nullopt, one)},
                  {});
  EXPECT_TRUE(done[0] && done[1]);
  EXPECT_EQ(done[2].error().code, Code::conflict);
  EXPECT_EQ(content(log), "reloaded\n");
}

// The next plan must see that the web server was not told.
TEST_F(Web, AReloadThatFailsIsSaidAndMadeUpForByTheNextApply) {
  const std::string log = folder_.file("reloads");
  const auto host =
      open({}, {"/bin/sh", "-c", "test -e \"$0\" && exit; echo no such unit >&2; exit 3", log});
  put(one, "old.example");
  const std::vector<plan::PolicyEdit> edits = {edit("example.com", std::nullopt, one),
                                               edit("old.example", one, two),
                                               edit("done.example", one, two)};
  put(two, "done.example");
  const auto failed = host->write(edits, {});
  for (const auto& done : failed) {
    ASSERT_FALSE(done);
    EXPECT_THAT(to_string(done.error()), HasSubstr("status 3: no such unit"));
  }
  EXPECT_THAT(failed[0].error().hint, HasSubstr("as it was before"));
  EXPECT_EQ(read(*host), "absent");
  EXPECT_EQ(read(*host, "old.example"), one);
  EXPECT_EQ(read(*host, "done.example"), two);
  std::ofstream(log) << "now it works";
  for (const auto& done : host->write(edits, {}))
    EXPECT_TRUE(done);
  EXPECT_EQ(read(*host), one);
  EXPECT_EQ(read(*host, "old.example"), two);
}

TEST_F(Web, WhatAnotherWroteMeanwhileIsNotTakenBack) {
  const auto host = open({}, {"/bin/sh", "-c", "printf theirs > \"$0\"; exit 1", file().string()});
  const auto done = write(*host, edit("example.com", std::nullopt, one));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().hint, HasSubstr("run the command by hand"));
  EXPECT_EQ(read(*host), "theirs");
}

}  // namespace
}  // namespace stsctl::providers::directory
