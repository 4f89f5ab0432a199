#pragma once
// One line on stderr that shows how far a long piece of work is; nothing where that is no terminal.

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "cli/run.h"
#include "providers/provider.h"

namespace stsctl::cli {

class Progress {
 public:
  /// `label` is what is done ("reading"), `total` how many items there are; 0: nobody knows.
  Progress(World& world, std::string label, std::size_t total);
  /// Clears the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// What to hand to the engine; valid as long as this lives. May advance from any thread.
  providers::Watch watch();

 private:
  void advance(std::size_t count);
  void draw(std::size_t done);

  World& world_;
  std::string label_;
  std::size_t total_;
  std::atomic<std::size_t> done_{0};
  std::mutex drawing_;
  std::chrono::steady_clock::time_point next_;
  bool drawn_ = false;
};

}  // namespace stsctl::cli
