#pragma once
// The access log's file or stream, written by a thread of its own so that a slow disk or reader
// holds no request up. Knows no format.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"

namespace stsctl::serve {

/// Calls may come from any thread; batches of lines never mix.
class AccessLog {
 public:
  /// Writes a batch; an empty one asks for the file to be opened anew. False when it could not.
  using Sink = std::function<bool(std::string_view)>;

  explicit AccessLog(Sink sink);
  /// Appends to a file, which is made where it is missing. Code::internal when it cannot be opened.
  static Result<std::unique_ptr<AccessLog>> open(const std::string& path);
  /// Writes what is waiting.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// Takes whole lines and returns at once. They are lost, and counted, while a mebibyte waits.
  void append(std::string_view lines);
  /// From the next batch on writes to a file opened anew: the old one has been moved away.
  void reopen() { reopen_ = true; }
  std::uint64_t lost() const { return lost_; }

 private:
  void run(const std::stop_token& stop);

  Sink sink_;
  std::mutex guard_;
  std::condition_variable_any more_;
  std::string waiting_;
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> reopen_{false};
  std::jthread writer_;
};

}  // namespace stsctl::serve
