#include "io/files.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "servers/running.h"

namespace {

std::mutex calls_lock;
std::vector<std::string> calls;

void note(const std::string& call) {
  const std::scoped_lock lock(calls_lock);
  calls.push_back(call);
}

std::vector<std::string> calls_since_last() {
  const std::scoped_lock lock(calls_lock);
  return std::exchange(calls, {});
}

}  // namespace

// In place of the C library's, to see in which order a file and its folder reach the disk.
extern "C" int fsync(int descriptor) {
  note("fsync " +
       std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor)).string());
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

extern "C" int rename(const char* from, const char* to) noexcept {
  note(std::string("rename ") + from + " " + to);
  return static_cast<int>(syscall(SYS_rename, from, to));
}

namespace stsctl::io {
namespace {

namespace fs = std::filesystem;
using servers::Folder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr uid_t nobody = 65534;
constexpr std::size_t no_limit = std::size_t{1} << 30U;

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct stat status_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

mode_t mode_of(const std::string& path) {
  return status_of(path).st_mode & 07777U;
}

// Runs `law` in a child process that is not root; true if it holds there.
bool holds_unprivileged(const std::function<bool()>& law, std::vector<gid_t> groups = {}) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped = ::geteuid() != 0 || (::setgroups(groups.size(), groups.data()) == 0 &&
                                              ::setgid(nobody) == 0 && ::setuid(nobody) == 0);
    ::_exit(dropped && law() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class RealFilesTest : public testing::Test {
 protected:
  RealFilesTest() { calls_since_last(); }

  std::vector<std::string> names() const { return *files_->list(folder_.path()); }

  Folder folder_;
  std::unique_ptr<Files> files_ = real_files();
};

TEST_F(RealFilesTest, ReadsWhatIsThere) {
  const std::string all("\0\r\n\xff text", 9);
  EXPECT_EQ(*files_->read(folder_.write("bytes", all), no_limit), all);
  EXPECT_EQ(*files_->read(folder_.write("empty", ""), no_limit), "");
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(*files_->read(folder_.write("large", large), no_limit), large);
  // Files that do not know their size.
  EXPECT_THAT(*files_->read("/proc/self/status", no_limit), StartsWith("Name:"));
}

TEST_F(RealFilesTest, ReadNamesWhatIsMissing) {
  for (const std::string& path : {folder_.file("none"), folder_.write("file", "") + "/below"}) {
    const auto read = files_->read(path, no_limit);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::not_found);
    EXPECT_EQ(read.error().where, path);
    EXPECT_EQ(files_->read_stream(path, no_limit).error(), read.error());
  }
}

TEST_F(RealFilesTest, ReadKeepsItsLimit) {
  const std::string path = folder_.write("file", "12345");
  EXPECT_EQ(*files_->read(path, 5), "12345");
  EXPECT_EQ(files_->read(path, 4).error().code, Code::invalid);
  EXPECT_EQ(files_->read("/proc/self/status", 10).error().what, "longer than 10 bytes");
  EXPECT_EQ(files_->read_stream("/dev/zero", 1'000'000).error().code, Code::invalid);
}

TEST_F(RealFilesTest, ReadTellsWhatTheSystemSays) {
  const auto read = files_->read("/proc/self/mem", no_limit);  // nothing is mapped at 0
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::internal);
  EXPECT_THAT(read.error().what, HasSubstr("Input/output error"));
  const std::string secret = folder_.write("secret", "x");
  ::chmod(secret.c_str(), 0);
  EXPECT_TRUE(holds_unprivileged([&] {
    const auto refused = files_->read(secret, no_limit);
    return !refused && refused.error().code == Code::internal &&
           refused.error().what == "cannot read: Permission denied";
  }));
}

// Pipes, devices, sockets and folders are no zone files and no policies.
class NoFile : public RealFilesTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string make(const std::string& kind) const {
    const std::string path = folder_.file(kind);
    if (kind == "device") {
      // Root could break the real one, were it replaced.
      if (::mknod(path.c_str(), S_IFCHR | 0666U, makedev(1, 3)) != 0) return "/dev/null";
    } else if (kind == "fifo") {
      EXPECT_EQ(::mkfifo(path.c_str(), 0666), 0);
    } else if (kind == "folder") {
      fs::create_directory(path);
    } else if (kind == "link") {
      EXPECT_EQ(::mkfifo(folder_.file("target").c_str(), 0666), 0);
      fs::create_symlink("target", path);
    } else {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
      const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
      EXPECT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      ::close(descriptor);
    }
    return path;
  }
};

TEST_P(NoFile, IsNeitherReadNorReplaced) {
  const std::string path = make(GetParam());
  struct stat before{};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  EXPECT_FALSE(files_->read(path, no_limit));
  const auto replaced = files_->replace(path, "new", false);
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().code, Code::invalid);
  struct stat after{};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mode, before.st_mode);
}

INSTANTIATE_TEST_SUITE_P(Kinds, NoFile,
                         testing::Values("fifo", "device", "socket", "folder", "link"));

TEST_F(RealFilesTest, OpenReadsPieceByPiece) {
  const auto input = files_->open(folder_.write("file", "12345"));
  ASSERT_TRUE(input);
  EXPECT_EQ((*input)->read(3), "123");
  EXPECT_EQ((*input)->read(3), "45");
  EXPECT_EQ((*input)->read(3), "");
  EXPECT_EQ(files_->open(folder_.file("none")).error().code, Code::not_found);
  EXPECT_EQ(files_->open(folder_.path()).error().code, Code::invalid);
}

TEST_F(RealFilesTest, StreamIsReadToItsEnd) {
  const std::string path = folder_.file("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0666), 0);
  const std::string all(1'000'000, 'y');  // many times what a pipe holds
  std::jthread writer([&] { std::ofstream(path) << all; });
  EXPECT_EQ(*files_->read_stream(path, no_limit), all);
  EXPECT_EQ(*files_->read_stream("/dev/null", no_limit), "");
  EXPECT_EQ(*files_->read_stream(folder_.write("file", "plain"), no_limit), "plain");
  EXPECT_FALSE(files_->read_stream(folder_.path(), no_limit));
}

TEST_F(RealFilesTest, ReplaceReachesTheDiskBeforeItIsSeen) {
  const std::string path = folder_.write("zone", "old");
  ASSERT_TRUE(files_->replace(path, "new", false));
  EXPECT_EQ(content_of(path), "new");
  const auto seen = calls_since_last();
  ASSERT_EQ(seen.size(), 3U);
  const std::string temporary = seen[0].substr(std::string("fsync ").size());
  EXPECT_THAT(temporary, StartsWith(folder_.file(".zone.")));
  EXPECT_THAT(seen, ElementsAre("fsync " + temporary, "rename " + temporary + " " + path,
                                "fsync " + folder_.path()));
  EXPECT_THAT(names(), ElementsAre("zone"));
  EXPECT_EQ(calls_since_last().size(), 0U);
  ASSERT_TRUE(files_->remove(path));
  EXPECT_THAT(calls_since_last(), ElementsAre("fsync " + folder_.path()));
}

TEST_F(RealFilesTest, ReaderSeesTheOldFileOrTheNewOne) {
  const std::string path = folder_.write("zone", std::string(100'000, 'a'));
  std::atomic<bool> torn = false;
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto text = files_->read(path, no_limit);
      if (!text || text->size() != 100'000 || text->find_first_not_of((*text)[0]) != text->npos)
        torn = true;
    }
  });
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(files_->replace(path, std::string(100'000, i % 2 == 0 ? 'b' : 'a'), false));
  reader.request_stop();
  reader.join();
  EXPECT_FALSE(torn);
}

TEST_F(RealFilesTest, ReplaceKeepsTheMode) {
  for (const mode_t mode : {0644U, 0600U, 0640U, 0664U, 0444U, 02664U}) {
    const std::string path = folder_.write("zone", "old");
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    ASSERT_TRUE(files_->replace(path, "new", false, 0777));
    EXPECT_EQ(mode_of(path), mode);
    ASSERT_TRUE(files_->remove(path));
  }
}

TEST_F(RealFilesTest, NewFileGetsTheModeLessTheUmask) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ASSERT_TRUE(files_->replace(folder_.file("a"), "x", false));
  EXPECT_EQ(mode_of(folder_.file("a")), 0644U & ~mask);
  ASSERT_TRUE(files_->replace(folder_.file("b"), "x", false, 0600));
  EXPECT_EQ(mode_of(folder_.file("b")), 0600U & ~mask);
}

TEST_F(RealFilesTest, ReplaceKeepsOwnerAndGroup) {
  const bool root = ::geteuid() == 0;
  const std::string path = folder_.write("zone", "old");
  if (root) {
    ASSERT_EQ(::chown(path.c_str(), 1234, 2345), 0);
  }
  const struct stat before = status_of(path);
  ASSERT_TRUE(files_->replace(path, "new", false));
  EXPECT_EQ(status_of(path).st_uid, before.st_uid);
  EXPECT_EQ(status_of(path).st_gid, before.st_gid);
  // Who may not give files away keeps the group that a server may read by.
  EXPECT_TRUE(holds_unprivileged([&] { return files_->replace(path, "newer", false).has_value(); },
                                 {2345}));
  EXPECT_EQ(content_of(path), "newer");
  EXPECT_EQ(status_of(path).st_uid, root ? nobody : before.st_uid);
  EXPECT_EQ(status_of(path).st_gid, before.st_gid);
  EXPECT_EQ(mode_of(path), before.st_mode & 07777U);
}

TEST_F(RealFilesTest, ReplaceFollowsAndKeepsLinks) {
  fs::create_directory(folder_.file("real"));
  const std::string target = folder_.write("real/zone", "old");
  fs::create_symlink("real/zone", folder_.file("relative"));
  fs::create_symlink(folder_.file("relative"), folder_.file("chain"));
  fs::create_symlink("real/new", folder_.file("dangling"));
  for (const char* link : {"relative", "chain"}) {
    ASSERT_TRUE(files_->replace(folder_.file(link), link, false));
    EXPECT_EQ(content_of(target), link);
    EXPECT_TRUE(fs::is_symlink(folder_.file(link)));
  }
  ASSERT_TRUE(files_->replace(folder_.file("dangling"), "made", false));
  EXPECT_EQ(content_of(folder_.file("real/new")), "made");
  EXPECT_TRUE(fs::is_symlink(folder_.file("dangling")));
  EXPECT_THAT(*files_->list(folder_.file("real")), ElementsAre("new", "zone"));
}

TEST_F(RealFilesTest, LinksInACircle) {
  fs::create_symlink("b", folder_.file("a"));
  fs::create_symlink("a", folder_.file("b"));
  const auto replaced = files_->replace(folder_.file("a"), "x", false);
  ASSERT_FALSE(replaced);
  EXPECT_THAT(replaced.error().what, HasSubstr("Too many levels of symbolic links"));
  EXPECT_FALSE(files_->read(folder_.file("a"), no_limit));
}

TEST_F(RealFilesTest, MissingFoldersAreMadeOnRequest) {
  const std::string path = folder_.file("a/b/file");
  const auto replaced = files_->replace(path, "x", false);
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().code, Code::not_found);
  EXPECT_THAT(names(), ElementsAre());
  ASSERT_TRUE(files_->replace(path, "x", true));
  EXPECT_EQ(content_of(path), "x");
  EXPECT_FALSE(files_->replace(path + "/below", "x", true));
}

TEST_F(RealFilesTest, FolderThatCannotBeWritten) {
  const std::string path = folder_.write("zone", "old");
  ::chmod(folder_.path().c_str(), 0555);
  EXPECT_TRUE(holds_unprivileged([&] {
    const auto replaced = files_->replace(path, "new", false);
    const auto removed = files_->remove(path);
    return !replaced && replaced.error().code == Code::internal && replaced.error().where == path &&
           replaced.error().what == "cannot write beside: Permission denied" && !removed &&
           removed.error().what == "cannot remove: Permission denied";
  }));
  EXPECT_EQ(content_of(path), "old");
  ::chmod(folder_.path().c_str(), 0777);
}

// What a full disk does: the write fails half way.
TEST_F(RealFilesTest, FailedWriteLeavesTheOldFileAlone) {
  const std::string path = folder_.write("zone", "old");
  ::chmod(path.c_str(), 0666);
  EXPECT_TRUE(holds_unprivileged([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto replaced = files_->replace(path, std::string(100'000, 'x'), false);
    return !replaced && replaced.error().code == Code::internal &&
           replaced.error().what == "cannot write: File too large" &&
           replaced.error().where == path;
  }));
  EXPECT_EQ(content_of(path), "old");
  EXPECT_THAT(names(), ElementsAre("zone"));
}

TEST_F(RealFilesTest, RemoveWhatIsThereAndWhatIsNot) {
  const std::string path = folder_.write("file", "x");
  EXPECT_TRUE(files_->remove(path));
  EXPECT_THAT(names(), ElementsAre());
  EXPECT_TRUE(files_->remove(path));
  EXPECT_TRUE(files_->remove(folder_.write("file", "x") + "/below"));
  EXPECT_FALSE(files_->remove(folder_.path()));
}

TEST_F(RealFilesTest, OnlyEmptyFoldersAreRemoved) {
  fs::create_directories(folder_.file("full/empty"));
  fs::create_directory_symlink("full", folder_.file("link"));
  for (const char* name : {"full", "full/empty", "none", "link"})
    EXPECT_TRUE(files_->remove_empty_folder(folder_.file(name))) << name;
  EXPECT_THAT(names(), ElementsAre("full", "link"));
  EXPECT_FALSE(fs::exists(folder_.file("full/empty")));
}

TEST_F(RealFilesTest, ListIsSorted) {
  for (const char* name : {"b", "a", ".hidden", "c"})
    folder_.write(name, "");
  EXPECT_THAT(names(), ElementsAre(".hidden", "a", "b", "c"));
  EXPECT_EQ(files_->list(folder_.file("none")).error().code, Code::not_found);
}

TEST_F(RealFilesTest, GlobIsSortedAndTakesQuotes) {
  for (const char* name : {"b.zone", "a.zone", "[x].zone", ".c.zone", "a.txt"})
    folder_.write(name, "");
  const auto glob = [&](const std::string& pattern) {
    std::vector<std::string> found;
    const auto paths = files_->glob(folder_.file(pattern));
    for (const std::string& path : *paths)
      found.push_back(fs::path(path).filename().string());
    return found;
  };
  EXPECT_THAT(glob("*.zone"), ElementsAre("[x].zone", "a.zone", "b.zone"));
  EXPECT_THAT(glob("\\[x\\].zone"), ElementsAre("[x].zone"));
  EXPECT_THAT(glob("[ab].zone"), ElementsAre("a.zone", "b.zone"));
  EXPECT_THAT(glob("a.t?t"), ElementsAre("a.txt"));
  EXPECT_THAT(glob("none*"), ElementsAre());
  EXPECT_THAT(glob("none/*.zone"), ElementsAre());
  EXPECT_THAT(glob("a.txt/*"), ElementsAre());
}

TEST_F(RealFilesTest, GlobOverAFolderThatCannotBeReadIsAnError) {
  fs::create_directory(folder_.file("closed"));
  folder_.write("closed/a.zone", "");
  ::chmod(folder_.file("closed").c_str(), 0);
  EXPECT_TRUE(holds_unprivileged([&] {
    const auto found = files_->glob(folder_.file("closed/*.zone"));
    return !found && found.error().code == Code::internal &&
           found.error().where == folder_.file("closed") &&
           found.error().what == "cannot list the folder: Permission denied";
  }));
  ::chmod(folder_.file("closed").c_str(), 0777);
}

TEST_F(RealFilesTest, LockKeepsOthersOut) {
  auto lock = files_->lock(folder_.path());
  ASSERT_TRUE(lock);
  std::atomic<bool> entered = false;
  std::jthread other([&] {
    const auto second = files_->lock(folder_.path());
    entered = second.has_value();
  });
  // Another process sees at once that it is held.
  EXPECT_TRUE(holds_unprivileged([&] {
    const int descriptor = ::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY);
    return ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  }));
  EXPECT_FALSE(entered);
  lock->reset();
  EXPECT_TRUE(servers::wait_until([&] { return entered.load(); }));
  EXPECT_THAT(names(), ElementsAre()) << "the lock leaves no file";
}

TEST_F(RealFilesTest, LockOfAFolderThatIsNotThere) {
  EXPECT_EQ(files_->lock(folder_.file("none")).error().code, Code::not_found);
  EXPECT_EQ(files_->lock(folder_.write("file", "")).error().code, Code::not_found);
}

}  // namespace
}  // namespace stsctl::io
