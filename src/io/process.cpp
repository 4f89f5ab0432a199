#include "io/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/child.h"
#include "io/dialogue.h"

namespace stsctl::io {

namespace {

constexpr std::size_t most_output = std::size_t{1} << 20U;

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
    const Result<pid_t> started = spawn(argv, {in.end(0), out.end(1), err.end(1)});
    if (!started) return fail(started);
    const pid_t child = *started;
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
    exit.status = finished ? wait_for(child) : end_now(child);
    if (!finished)
      return fail(Code::timeout, fmt::format("did not end within {}", describe_duration(deadline)),
                  argv.front());
    return exit;
  }

  Result<std::unique_ptr<Dialogue>> start(const std::vector<std::string>& argv) override {
    return start_dialogue(argv);
  }

 private:
  // With all it started; by its own number too, for it may have left its group.
  static int end_now(pid_t child) {
    ::kill(-child, SIGKILL);
    ::kill(child, SIGKILL);
    return wait_for(child);
  }
};

}  // namespace

std::unique_ptr<Process> real_process() {
  return std::make_unique<RealProcess>();
}

}  // namespace stsctl::io
