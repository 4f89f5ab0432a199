#include "serve/access_log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace stsctl::serve {

namespace {

constexpr std::size_t most_waiting = std::size_t{1} << 20U;

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

// An append-only file that can be opened anew under its name.
class LogFile {
 public:
  explicit LogFile(std::string path) : path_(std::move(path)) {}
  ~LogFile() { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // On failure the one that is open stays.
  bool open() {
    constexpr mode_t mode = 0640;
    const int next = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode);
    if (next < 0) return false;
    close();
    descriptor_ = next;
    return true;
  }

  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(descriptor_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

 private:
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace

AccessLog::AccessLog(Sink sink)
    : sink_(std::move(sink)), writer_([this](const std::stop_token& stop) { run(stop); }) {}

AccessLog::~AccessLog() = default;

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& path) {
  const auto file = std::make_shared<LogFile>(path);
  if (!file->open())
    return fail(Code::internal, std::string("cannot write the access log: ") + std::strerror(errno),
                path);
  return std::make_unique<AccessLog>(
      [file](std::string_view text) { return text.empty() ? file->open() : file->write(text); });
}

void AccessLog::append(std::string_view lines) {
  {
    const std::scoped_lock lock(guard_);
    if (waiting_.size() + lines.size() > most_waiting) {
      lost_ += lines_in(lines);
      return;
    }
    waiting_ += lines;
  }
  more_.notify_one();
}

void AccessLog::run(const std::stop_token& stop) {
  while (true) {
    std::string batch;
    {
      std::unique_lock lock(guard_);
      more_.wait(lock, stop, [this] { return !waiting_.empty(); });
      batch.swap(waiting_);
    }
    if (batch.empty()) return;  // stopped, and all is written
    if (reopen_.exchange(false)) sink_({});
    if (!sink_(batch)) lost_ += lines_in(batch);
  }
}

}  // namespace stsctl::serve
