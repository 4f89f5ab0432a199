#include "io/scratch.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"

namespace stsctl::io {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> system_error(int number, const std::string& what, const std::string& path) {
  return fail(Code::internal, fmt::format("{}: {}", what, std::generic_category().message(number)),
              path);
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

class RealScratch final : public Scratch {
 public:
  RealScratch(Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~RealScratch() override {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  RealScratch(const RealScratch&) = delete;
  RealScratch& operator=(const RealScratch&) = delete;

  const std::string& path() const override { return path_; }

  Result<Done> write(const std::string& name, std::string_view content, unsigned mode) override {
    const std::string file = path_ + "/" + name;
    // Cut to its size at the end: ext4 writes a file to the disk at once that was emptied before.
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) return system_error(errno, "cannot write", file);
    const bool written = ::fchmod(descriptor, mode) == 0 && write_all(descriptor, content) &&
                         ::ftruncate(descriptor, static_cast<off_t>(content.size())) == 0;
    const int number = errno;
    const bool closed = ::close(descriptor) == 0;
    if (written && closed) return Done{};
    return system_error(written ? errno : number, "cannot write", file);
  }

  Result<std::string> take(const std::string& name, std::size_t limit) override {
    const std::string file = path_ + "/" + name;
    Result<std::string> content = files_.read(file, limit);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
      return system_error(errno, "cannot remove", file);
    return content;
  }

 private:
  Files& files_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Scratch>> real_scratch(Files& files) {
  std::error_code failed;
  std::string path = (fs::temp_directory_path(failed) / "stsctl-XXXXXX").string();
  if (failed) return system_error(failed.value(), "no temporary folder", path);
  if (::mkdtemp(path.data()) == nullptr) return system_error(errno, "cannot make", path);
  return std::make_unique<RealScratch>(files, path);
}

}  // namespace stsctl::io
