#pragma once
// Running another program. Knows no shell: arguments are passed as they are.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/dialogue.h"

namespace stsctl::io {

/// What a finished program left behind.
struct Exit {
  int status = 0;      ///< Exit code; 128 + n when signal n ended it.
  std::string output;  ///< stdout, at most 1 MiB.
  std::string errors;  ///< stderr, at most 1 MiB.
};

class Process {
 public:
  virtual ~Process() = default;
  /// Runs argv[0] (looked up in PATH) with `input` on its stdin and waits for its end; what it left
  /// running goes on. It inherits no descriptor but its three streams. Code::not_found when there
  /// is no such program; Code::timeout past `deadline`, the program and its process group then
  /// being killed. Any exit code is an Exit. Needs SIGPIPE ignored: a program need not read its
  /// input.
  virtual Result<Exit> run(const std::vector<std::string>& argv, const std::string& input,
                           Duration deadline) = 0;

  /// Starts argv[0] (looked up in PATH) to talk to it. Code::not_found when there is no such
  /// program.
  virtual Result<std::unique_ptr<Dialogue>> start(const std::vector<std::string>& argv) = 0;
};

std::unique_ptr<Process> real_process();

}  // namespace stsctl::io
