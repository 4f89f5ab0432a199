#pragma once
// A Process that runs nothing: it counts, and calls the test instead.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/process.h"

namespace stsctl::fakes {

class FakeProcess : public io::Process {
 public:
  Result<io::Exit> run(const std::vector<std::string>& /*argv*/, const std::string& /*input*/,
                       Duration /*deadline*/) override {
    ++runs;
    if (work) work();
    return io::Exit{.status = status};
  }
  Result<std::unique_ptr<io::Dialogue>> start(const std::vector<std::string>& argv) override {
    return fail(Code::not_found, "nothing is started here", argv.front());
  }

  std::atomic<int> runs = 0;
  int status = 0;              ///< What run() ends with.
  std::function<void()> work;  ///< What it does.
};

}  // namespace stsctl::fakes
