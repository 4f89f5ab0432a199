#pragma once
// Talking to a running program in turns. Knows no language that programs speak.

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stsctl::io {

/// What a program said in one turn, and why listening ended.
struct Heard {
  enum class Ending {
    said,      ///< What was waited for came.
    ended,     ///< The program ended; `status` holds its exit code.
    silent,    ///< It said nothing for too long, or more than 1 MiB; it has been killed.
    cancelled  ///< Stopped; it has been killed.
  };
  Ending ending = Ending::ended;
  std::string text;  ///< stdout and stderr as one, in the order they were written.
  int status = 0;    ///< 128 + n when signal n ended it.
};

/// A running program; it is killed, with what it started, when this object goes. One thread at a
/// time.
class Dialogue {
 public:
  virtual ~Dialogue() = default;

  /// Writes `input` to its stdin and listens until it has said `until`, for at most `silence`
  /// between two pieces of what it says.
  virtual Heard exchange(std::string_view input, std::string_view until, Duration silence,
                         const std::stop_token& stop) = 0;

  /// Closes its stdin and listens until it ends.
  virtual Heard finish(Duration silence) = 0;
};

/// For Process::start.
Result<std::unique_ptr<Dialogue>> start_dialogue(const std::vector<std::string>& argv);

}  // namespace stsctl::io
