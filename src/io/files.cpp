#include "io/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stsctl::io {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> system_error(int number, const std::string& what, const std::string& path) {
  Code code = Code::internal;
  if (number == ENOENT || number == ENOTDIR) code = Code::not_found;
  return fail(code, fmt::format("{}: {}", what, std::generic_category().message(number)), path);
}

// An open file descriptor, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }
  // Closes now; some file systems report a failed write only here.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<Done> sync_folder(const std::string& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor || ::fsync(descriptor.get()) != 0)
    return system_error(errno, "cannot flush the folder", folder);
  return Done{};
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Where a chain of symbolic links ends, whether or not something stands there.
Result<std::string> link_target(const std::string& path) {
  constexpr int most_links = 40;  // as in Linux (path_resolution(7))
  fs::path at = path;
  for (int i = 0; i < most_links; ++i) {
    std::error_code failed;
    const fs::path next = fs::read_symlink(at, failed);
    if (failed) return at.string();
    at = at.parent_path() / next;
  }
  return system_error(ELOOP, "cannot follow the link", path);
}

// The umask can be read only by setting it, which other threads would see: once, and early.
mode_t process_umask() {
  static const mode_t mask = [] {
    const mode_t now = ::umask(077);
    ::umask(now);
    return now;
  }();
  return mask;
}

// The folder that glob(3) could not read.
thread_local Error unreadable;

int note_unreadable(const char* folder, int number) {
  if (number == ENOENT || number == ENOTDIR || number == ELOOP) return 0;
  unreadable = system_error(number, "cannot list the folder", folder).error();
  return 1;
}

class FolderLock : public Lock {
 public:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  bool take() {
    if (!descriptor_) return false;
    while (::flock(descriptor_.get(), LOCK_EX) != 0)
      if (errno != EINTR) return false;
    return true;
  }

 private:
  Descriptor descriptor_;
};

class FileInput : public Input {
 public:
  FileInput(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}
  Result<std::string> read(std::size_t most) override {
    std::string piece(most, '\0');
    ssize_t count = 0;
    do
      count = ::read(descriptor_.get(), piece.data(), piece.size());
    while (count < 0 && errno == EINTR);
    if (count < 0) return system_error(errno, "cannot read", path_);
    piece.resize(static_cast<std::size_t>(count));
    return piece;
  }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class RealFiles : public Files {
 public:
  Result<std::string> read(const std::string& path, std::size_t limit) override {
    // A pipe without a writer must not hold us up before it is seen to be one.
    return read_from(Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
                     is_regular, path, limit);
  }

  Result<std::unique_ptr<Input>> open(const std::string& path) override {
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (const auto good = check(descriptor, is_regular, path); !good) return fail(good);
    return std::make_unique<FileInput>(std::move(descriptor), path);
  }

  Result<std::string> read_stream(const std::string& path, std::size_t limit) override {
    return read_from(
        Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)),
        [](mode_t mode) { return S_ISREG(mode) || S_ISFIFO(mode) || S_ISCHR(mode); }, path, limit);
  }

  Result<Done> replace(const std::string& path, std::string_view content, bool make_folders,
                       unsigned mode) override {
    const Result<std::string> end = link_target(path);
    if (!end) return fail(end);
    const std::string& target = *end;
    const std::string folder = folder_of(target);
    if (make_folders) {
      std::error_code failed;
      fs::create_directories(folder, failed);
      if (failed) return system_error(failed.value(), "cannot make the folder", folder);
    }
    struct stat old{};
    const bool replaces = ::stat(target.c_str(), &old) == 0;
    if (replaces && !S_ISREG(old.st_mode))
      return fail(Code::invalid, "cannot replace: it is no regular file", target);
    std::string temporary = folder + "/." + fs::path(target).filename().string() + ".XXXXXX";
    Descriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!descriptor) return system_error(errno, "cannot write beside", target);
    if (replaces) keep_owner(descriptor.get(), old);
    const mode_t wanted = replaces ? old.st_mode & 07777U : mode & ~process_umask();
    Result<Done> written = fill(descriptor, content, target, wanted);
    if (written && ::rename(temporary.c_str(), target.c_str()) != 0)
      written = system_error(errno, "cannot replace", target);
    if (!written) {
      ::unlink(temporary.c_str());
      return written;
    }
    return sync_folder(folder);
  }

  Result<Done> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return Done{};
      return system_error(errno, "cannot remove", path);
    }
    return sync_folder(folder_of(path));
  }

  Result<Done> remove_empty_folder(const std::string& folder) override {
    if (::rmdir(folder.c_str()) == 0 || errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT ||
        errno == ENOTDIR)  // a link: not ours to remove
      return Done{};
    return system_error(errno, "cannot remove the folder", folder);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::vector<std::string> names;
    std::error_code failed;
    for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed))
      names.push_back(entry->path().filename().string());
    if (failed) return system_error(failed.value(), "cannot list the folder", folder);
    std::ranges::sort(names);
    return names;
  }

  Result<FileState> state(const std::string& path) override {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return system_error(errno, "cannot look at", path);
    constexpr std::int64_t nanoseconds = 1'000'000'000;
    return FileState{.is_folder = S_ISDIR(status.st_mode),
                     .size = static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size)),
                     .modified = status.st_mtim.tv_sec * nanoseconds + status.st_mtim.tv_nsec,
                     .identity = status.st_ino};
  }

  Result<std::vector<std::string>> glob(const std::string& pattern) override {
    glob_t found{};
    const int status = ::glob(pattern.c_str(), 0, note_unreadable, &found);
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (status == GLOB_ABORTED) return std::unexpected(unreadable);
    if (status != 0 && status != GLOB_NOMATCH)
      return fail(Code::internal, "cannot read the folders of the pattern", pattern);
    return paths;
  }

  Result<std::unique_ptr<Lock>> lock(const std::string& folder) override {
    auto lock =
        std::make_unique<FolderLock>(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock->take()) return system_error(errno, "cannot lock the folder", folder);
    return lock;
  }

 private:
  static std::unexpected<Error> too_long(const std::string& path, std::size_t limit) {
    return fail(Code::invalid, fmt::format("longer than {} bytes", limit), path);
  }

  static bool is_regular(mode_t mode) { return S_ISREG(mode); }

  // The size of a file that was opened, if it is of a kind that is accepted.
  static Result<std::size_t> check(const Descriptor& descriptor, bool (*accepted)(mode_t),
                                   const std::string& path) {
    if (!descriptor) return system_error(errno, "cannot read", path);
    struct stat status{};
    if (::fstat(descriptor.get(), &status) != 0) return system_error(errno, "cannot read", path);
    if (S_ISDIR(status.st_mode)) return fail(Code::invalid, "cannot read: it is a folder", path);
    if (!accepted(status.st_mode))
      return fail(Code::invalid, "cannot read: it is no regular file", path);
    return static_cast<std::size_t>(std::max<off_t>(0, status.st_size));
  }

  static Result<std::string> read_from(const Descriptor& descriptor, bool (*accepted)(mode_t),
                                       const std::string& path, std::size_t limit) {
    const Result<std::size_t> size = check(descriptor, accepted, path);
    if (!size) return fail(size);
    if (*size > limit) return too_long(path, limit);
    return read_all(descriptor.get(), *size, limit, path);
  }

  static Result<std::string> read_all(int descriptor, std::size_t expected, std::size_t limit,
                                      const std::string& path) {
    std::string content(expected + 1,
                        '\0');  // one more: a file of the expected size ends in one read
    std::size_t length = 0;
    while (true) {
      const ssize_t count = ::read(descriptor, content.data() + length, content.size() - length);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_error(errno, "cannot read", path);
      if (count == 0) break;
      length += static_cast<std::size_t>(count);
      if (length > limit) return too_long(path, limit);
      if (length == content.size()) content.resize(content.size() * 2 + 4096);
    }
    content.resize(length);
    return content;
  }

  // Another owner can be kept by root only; the group by its members too, so that a server which
  // reads by its group goes on reading.
  static void keep_owner(int descriptor, const struct stat& old) {
    if (::fchown(descriptor, old.st_uid, old.st_gid) != 0)
      static_cast<void>(::fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) == 0);
  }

  // Content and mode of the new file, safely on the disk.
  static Result<Done> fill(Descriptor& descriptor, std::string_view content,
                           const std::string& target, mode_t mode) {
    if (::fchmod(descriptor.get(), mode) != 0 || !write_all(descriptor.get(), content) ||
        ::fsync(descriptor.get()) != 0 || !descriptor.close())
      return system_error(errno, "cannot write", target);
    return Done{};
  }
};

}  // namespace

std::unique_ptr<Files> real_files() {
  return std::make_unique<RealFiles>();
}

}  // namespace stsctl::io
