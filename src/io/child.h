#pragma once
// Starting another program with its streams on pipes. Internal to io; knows no protocol.

#include <array>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace stsctl::io {

/// Two connected descriptors, closed at the end and not inherited by other programs.
class Pipe {
 public:
  enum class Kind {
    one_way,  ///< From end 1 to end 0.
    sockets,  ///< With MSG_NOSIGNAL, sending raises no signal when the other end is gone.
  };
  explicit Pipe(Kind kind = Kind::one_way);
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool is_open() const { return open_; }
  int end(std::size_t which) const { return ends_[which]; }
  void close(std::size_t which);

 private:
  // Where our own streams are closed an end may get their number, which spawn() would dup over.
  bool above_standard(std::size_t which);

  std::array<int, 2> ends_{-1, -1};
  bool open_ = false;
};

/// The descriptors that become a program's streams.
struct Streams {
  int in;
  int out;
  int err;
};

/// Starts argv[0] (looked up in PATH) with default signals, in a process group of its own so that
/// what it starts ends with it. Code::not_found when there is no such program.
Result<pid_t> spawn(const std::vector<std::string>& argv, const Streams& streams);

/// Waits for `child`: its exit code, 128 + n when signal n ended it.
int wait_for(pid_t child);
/// The same as waitpid reports it.
int exit_code(int status);

}  // namespace stsctl::io
