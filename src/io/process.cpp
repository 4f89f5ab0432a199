#include "io/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stsctl::io {

namespace {

constexpr std::size_t most_output = std::size_t{1} << 20U;

class Pipe {
 public:
  Pipe() {
    open_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0 && above_standard(0) && above_standard(1);
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool is_open() const { return open_; }
  int end(std::size_t which) const { return ends_[which]; }
  void close(std::size_t which) {
    if (ends_[which] >= 0) ::close(std::exchange(ends_[which], -1));
  }

 private:
  // Where our own streams are closed an end may get their number, which spawn() would dup over.
  bool above_standard(std::size_t which) {
    if (ends_[which] > STDERR_FILENO) return true;
    const int moved = ::fcntl(ends_[which], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(which);
    ends_[which] = moved;
    return moved >= 0;
  }

  std::array<int, 2> ends_{-1, -1};
  bool open_ = false;
};

// A descriptor that becomes readable when the process ends (pidfd_open(2)).
class EndOf {
 public:
  explicit EndOf(pid_t child)
      // glibc 2.36 declares pidfd_open() for C alone.
      : descriptor_(static_cast<int>(::syscall(SYS_pidfd_open, child, 0))) {}
  ~EndOf() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  EndOf(const EndOf&) = delete;
  EndOf& operator=(const EndOf&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Starts argv with its three streams on the pipes, default signals, in a group of its own so that
// what it starts ends with it.
int spawn(pid_t& child, const std::vector<std::string>& argv, const Pipe& in, const Pipe& out,
          const Pipe& err) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.end(0), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.end(1), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.end(1), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t set{};
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  sigaddset(&set, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& argument : argv)
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): posix_spawn does not write there
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int status =
      posix_spawnp(&child, argv.front().c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

// Feeds and drains a running program until it ends or time is up. Its streams do not tell: it may
// close them and go on, or leave them to what it started.
class Exchange {
 public:
  Exchange(Pipe& in, Pipe& out, Pipe& err, const std::string& input)
      : in_(in), out_(out), err_(err), input_(input) {
    for (const int end : {in.end(1), out.end(0), err.end(0)})
      ::fcntl(end, F_SETFL, O_NONBLOCK);
    if (input_.empty()) in_.close(1);
  }

  bool run(Exit& exit, const EndOf& child, std::chrono::steady_clock::time_point end) {
    while (true) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      std::array<pollfd, 4> waiting{{{out_.end(0), POLLIN, 0},
                                     {err_.end(0), POLLIN, 0},
                                     {in_.end(1), POLLOUT, 0},
                                     {child.descriptor(), POLLIN, 0}}};
      const int wait = static_cast<int>(std::min<std::int64_t>(left.count(), INT32_MAX));
      if (::poll(waiting.data(), waiting.size(), wait) < 0) {
        if (errno == EINTR) continue;
        return false;
      }
      if (waiting[3].revents != 0) break;
      if (waiting[0].revents != 0) drain(out_, exit.output);
      if (waiting[1].revents != 0) drain(err_, exit.errors);
      if (waiting[2].revents != 0) feed();
    }
    // All it wrote is in the pipes by now; their other ends may still be open elsewhere.
    drain_all(out_, exit.output);
    drain_all(err_, exit.errors);
    return true;
  }

 private:
  static std::size_t drain(Pipe& pipe, std::string& text) {
    if (pipe.end(0) < 0) return 0;
    std::array<char, 65536> buffer{};
    const ssize_t count = ::read(pipe.end(0), buffer.data(), buffer.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (count <= 0) {
      pipe.close(0);
      return 0;
    }
    const std::size_t room = most_output - std::min(most_output, text.size());
    text.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
    return static_cast<std::size_t>(count);
  }

  // At most what a pipe holds (pipe(7): 1 MiB without privileges): another may go on writing.
  static void drain_all(Pipe& pipe, std::string& text) {
    std::size_t drained = 0;
    for (std::size_t count = drain(pipe, text); count > 0 && drained < most_output;
         count = drain(pipe, text))
      drained += count;
  }

  void feed() {
    const ssize_t count = ::write(in_.end(1), input_.data(), input_.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count > 0) input_.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 || input_.empty()) in_.close(1);  // it may end without reading all
  }

  Pipe& in_;
  Pipe& out_;
  Pipe& err_;
  std::string_view input_;
};

class RealProcess : public Process {
 public:
  Result<Exit> run(const std::vector<std::string>& argv, const std::string& input,
                   Duration deadline) override {
    const auto end = std::chrono::steady_clock::now() + deadline;
    Pipe in;
    Pipe out;
    Pipe err;
    if (!in.is_open() || !out.is_open() || !err.is_open())
      return fail(Code::internal, fmt::format("cannot start: {}", std::strerror(errno)),
                  argv.front());
    pid_t child = 0;
    if (const int status = spawn(child, argv, in, out, err); status != 0)
      return fail(status == ENOENT ? Code::not_found : Code::internal,
                  fmt::format("cannot start: {}", std::generic_category().message(status)),
                  argv.front());
    in.close(0);
    out.close(1);
    err.close(1);
    Exit exit;
    const EndOf ended(child);
    if (ended.descriptor() < 0) {
      const int number = errno;
      end_now(child);
      return fail(Code::internal, fmt::format("cannot watch it: {}", std::strerror(number)),
                  argv.front());
    }
    const bool finished = Exchange(in, out, err, input).run(exit, ended, end);
    const int status = finished ? reap(child) : end_now(child);
    if (!finished)
      return fail(Code::timeout, fmt::format("did not end within {}", describe_duration(deadline)),
                  argv.front());
    exit.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return exit;
  }

 private:
  static int reap(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  // With all it started; by its own number too, for it may have left its group.
  static int end_now(pid_t child) {
    ::kill(-child, SIGKILL);
    ::kill(child, SIGKILL);
    return reap(child);
  }
};

}  // namespace

std::unique_ptr<Process> real_process() {
  return std::make_unique<RealProcess>();
}

}  // namespace stsctl::io
