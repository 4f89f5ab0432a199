#pragma once
// The machine as a World: its files, clock, network, terminal and signals.

#include <memory>

#include "cli/run.h"

namespace stsctl::cli {

/// Builds the real World. From then on SIGINT and SIGTERM request a stop, and a second one ends the
/// program at once; SIGPIPE is ignored, SIGHUP does what World::on_hangup says. One a process, made
/// before any other thread.
class RealWorld {
 public:
  RealWorld();
  ~RealWorld();
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  World& world();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace stsctl::cli
