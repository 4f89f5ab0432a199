#pragma once
// Talking to a running program over its streams. Knows no language that programs speak.

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stsctl::io {

/// How an exchange with a program ended.
enum class Turn {
  heard,     ///< It said something.
  ended,     ///< The program ended, and all it said has been heard.
  silent,    ///< Nothing moved for too long; it has been killed.
  cancelled  ///< Stopped; it has been killed.
};

/// A running program; it is killed, with what it started, when this object goes. One thread at a
/// time.
class Dialogue {
 public:
  virtual ~Dialogue() = default;

  /// Writes `outgoing` to its stdin, as far as it takes that, and returns as soon as it has said
  /// something on stdout: that is appended to `incoming`, and what was written is gone from
  /// `outgoing`. Never waits for the one while the other can go on. `silence` is the longest time
  /// in which nothing moves.
  virtual Turn exchange(std::string& outgoing, std::string& incoming, Duration silence,
                        const std::stop_token& stop) = 0;

  /// What it wrote to stderr until now, at most 64 KiB.
  virtual const std::string& errors() const = 0;
  /// Its exit code once it has ended, 128 + n when signal n ended it.
  virtual int status() const = 0;
};

/// For Process::start.
Result<std::unique_ptr<Dialogue>> start_dialogue(const std::vector<std::string>& argv);

}  // namespace stsctl::io
