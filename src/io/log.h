#pragma once
// Where diagnostics go, with every registered secret masked. Knows nothing of what is logged.

#include <atomic>
#include <iosfwd>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace stsctl::io {

enum class LogLevel { error, warn, info, debug };

/// "error", "warn", "info", "debug".
const char* to_string(LogLevel level);
/// Reads those words; anything else is `warn`.
LogLevel parse_log_level(std::string_view word);

/// A line-wise log. Calls may come from any thread; lines never mix.
class Log {
 public:
  /// `out` outlives the log.
  explicit Log(std::ostream& out, LogLevel level = LogLevel::warn) : out_(out), level_(level) {}

  void set_level(LogLevel level) { level_ = level; }
  bool enabled(LogLevel level) const { return level <= level_.load(); }

  /// Writes "debug: TEXT" and a line feed, if `level` is enabled: secrets masked, control
  /// characters escaped. Line feeds in `text` begin further lines, which stay together.
  void write(LogLevel level, std::string_view text);

  /// From now on `secret` is shown as "***", also percent-encoded, in JSON and in base64.
  void hide(const std::string& secret);
  /// `text` with every secret masked.
  std::string mask(std::string_view text) const;

 private:
  std::ostream& out_;
  std::atomic<LogLevel> level_;
  std::mutex writing_;
  mutable std::shared_mutex guard_;
  std::vector<std::string> secrets_;  ///< Every form of every secret, the longest first.
};

}  // namespace stsctl::io
