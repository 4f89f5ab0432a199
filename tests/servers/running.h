#pragma once
// A server program that lives as long as the object: started in a fresh folder, awaited by a
// condition with a deadline, ended by its own process id.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace stsctl::servers {

/// A folder below the system's temporary folder, removed with all it holds.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file into it and returns its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

/// A port of 127.0.0.1 that is free for TCP and UDP right now.
std::uint16_t free_port();

/// Does something accept TCP connections at 127.0.0.1 `port`?
bool accepts(std::uint16_t port);

/// A UDP port of 127.0.0.1 at which nobody ever answers.
class SilentUdp {
 public:
  SilentUdp();
  SilentUdp(const SilentUdp&) = delete;
  SilentUdp& operator=(const SilentUdp&) = delete;
  ~SilentUdp();
  std::uint16_t port() const { return port_; }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

/// Asks `condition` again and again until it is true; false when `deadline` passes first.
bool wait_until(const std::function<bool()>& condition,
                std::chrono::seconds deadline = std::chrono::seconds(20));

/// Runs a program to its end and returns its stdout; throws std::runtime_error, with what it said,
/// when it fails.
std::string run(const std::vector<std::string>& argv, const std::string& input = {});

/// A child process. Ends with this object, or with the test program if that dies first.
class Running {
 public:
  /// Starts argv[0] with stdout and stderr in `log`. Throws std::runtime_error if it cannot.
  Running(const std::vector<std::string>& argv, const std::string& log);
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running();
  pid_t pid() const { return pid_; }
  bool alive() const;

 private:
  pid_t pid_ = -1;
};

}  // namespace stsctl::servers
