#pragma once
// The whole program as a function over its world: what main calls, and what a test calls with
// fakes.

#include <atomic>
#include <functional>
#include <iosfwd>
#include <memory>
#include <stop_token>
#include <string>

#include "io/probe.h"
#include "io/resolver.h"
#include "io/services.h"

namespace stsctl::cli {

/// Everything the program touches.
struct World {
  io::Services services;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::size_t columns = 80;                  ///< Width of the terminal.
  std::stop_token stop;                      ///< Requested by the first SIGINT or SIGTERM.
  const std::atomic<int>* signal = nullptr;  ///< Which signal that was; 0: none.
  /// Opens a way to ask DNS; none: nobody is asked.
  std::function<std::unique_ptr<io::Resolver>(io::ResolverOptions)> open_resolver;
  /// Opens eyes for web and mail servers.
  std::function<std::unique_ptr<io::Prober>(io::ProbeOptions)> open_prober;
  /// From now on SIGHUP calls this, from a thread of its own, and does not end the program; empty:
  /// it ends it again.
  std::function<void(std::function<void()>)> on_hangup = {};
};

/// Exit codes (docs/commands.md).
enum Exit : int {
  exit_done = 0,     ///< Done, nothing more to do.
  exit_failed = 1,   ///< Failed.
  exit_changes = 2,  ///< With --detailed-exitcode: there are changes.
  exit_refused = 3,  ///< Refused as unsafe.
  exit_stale = 4,    ///< The saved plan is stale.
  exit_partial = 5,  ///< Some domains were applied and some failed.
  exit_usage = 64,   ///< Bad usage or configuration.
  exit_interrupt = 130,
  exit_terminate = 143,
};

/// Runs the command that argv names and returns the exit code. Throws nothing but std::bad_alloc.
int run(int argc, const char* const* argv, World& world);

}  // namespace stsctl::cli
