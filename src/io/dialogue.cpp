#include "io/dialogue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/child.h"

namespace stsctl::io {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t most_errors = std::size_t{1} << 16U;
constexpr std::size_t most_reads = 64;    // of 64 KiB or less each
constexpr milliseconds longest_nap{100};  // until a stop, or an end without closed streams, is seen
constexpr milliseconds shortest_nap{2};   // until the end of a program that closed its streams

class RealDialogue final : public Dialogue {
 public:
  RealDialogue() : in_(Pipe::Kind::sockets) {}
  ~RealDialogue() override { end(); }
  RealDialogue(const RealDialogue&) = delete;
  RealDialogue& operator=(const RealDialogue&) = delete;

  Result<Done> start(const std::vector<std::string>& argv) {
    if (!in_.is_open() || !out_.is_open() || !err_.is_open())
      return fail(Code::internal, fmt::format("cannot start: {}", std::strerror(errno)),
                  argv.front());
    const Result<pid_t> child = spawn(argv, {in_.end(0), out_.end(1), err_.end(1)});
    if (!child) return fail(child);
    child_ = *child;
    in_.close(0);
    out_.close(1);
    err_.close(1);
    return Done{};
  }

  Turn exchange(std::string& outgoing, std::string& incoming, Duration silence,
                const std::stop_token& stop) override {
    const std::size_t heard = incoming.size();
    std::size_t written = 0;
    const Turn turn = talk({outgoing, written, incoming}, heard, silence, stop);
    outgoing.erase(0, written);
    return turn;
  }

  const std::string& errors() const override { return errors_; }
  int status() const override { return status_.value_or(0); }

 private:
  // What an exchange moves.
  struct Freight {
    const std::string& outgoing;
    std::size_t& written;
    std::string& incoming;
  };

  Turn talk(const Freight& freight, std::size_t heard, Duration silence,
            const std::stop_token& stop) {
    auto last = steady_clock::now();
    while (freight.incoming.size() == heard) {
      if (status_) return Turn::ended;
      if (stop.stop_requested()) return killed(Turn::cancelled);
      if (steady_clock::now() - last > silence) return killed(Turn::silent);
      if (step(freight)) last = steady_clock::now();
    }
    return Turn::heard;
  }

  // Feeds and drains once; has anything moved?
  bool step(const Freight& freight) {
    const bool closed = out_.end(0) < 0;
    const bool more = freight.written < freight.outgoing.size();
    std::array<pollfd, 3> waiting{
        {{out_.end(0), POLLIN, 0}, {err_.end(0), POLLIN, 0}, {more ? in_.end(1) : -1, POLLOUT, 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(),
                             static_cast<int>((closed ? shortest_nap : longest_nap).count()));
    if (ready <= 0 || closed) look_for_end(freight.incoming);
    if (ready <= 0) return false;
    if (waiting[1].revents != 0) drain_errors();
    const bool fed = waiting[2].revents != 0 && feed(freight);
    const bool drained = waiting[0].revents != 0 && drain(freight.incoming);
    return fed || drained;
  }

  bool feed(const Freight& freight) {
    const ssize_t count =
        ::send(in_.end(1), freight.outgoing.data() + freight.written,
               freight.outgoing.size() - freight.written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count > 0)
      freight.written += static_cast<std::size_t>(count);
    else
      freight.written = freight.outgoing.size();  // it has closed its stdin: it will tell why
    return count > 0;
  }

  // Is there, or may there be, more?
  bool drain(std::string& text) {
    const ssize_t count = read(out_);
    if (count > 0) text.append(buffer_.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  bool drain_errors() {
    const ssize_t count = read(err_);
    if (count > 0)
      errors_.append(buffer_.data(),
                     std::min(most_errors - errors_.size(), static_cast<std::size_t>(count)));
    return count > 0;
  }

  // Of a pipe that is ready; closes one that has ended.
  ssize_t read(Pipe& pipe) {
    while (true) {
      const ssize_t count = ::read(pipe.end(0), buffer_.data(), buffer_.size());
      if (count > 0) return count;
      if (count < 0 && errno == EINTR) continue;
      pipe.close(0);
      return 0;
    }
  }

  // The program may be gone while another that it started keeps the streams open.
  void look_for_end(std::string& text) {
    if (status_) return;
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) != child_) return;
    status_ = exit_code(status);
    // At most what pipes hold (pipe(7)): another may go on writing.
    for (std::size_t i = 0; i < most_reads && is_ready(out_) && drain(text); ++i) {
    }
    for (std::size_t i = 0; i < most_reads && is_ready(err_) && drain_errors(); ++i) {
    }
  }

  static bool is_ready(const Pipe& pipe) {
    pollfd left{pipe.end(0), POLLIN, 0};
    return pipe.end(0) >= 0 && ::poll(&left, 1, 0) > 0;
  }

  Turn killed(Turn turn) {
    end();
    return turn;
  }

  void end() {
    if (child_ <= 0) return;
    ::kill(-child_, SIGKILL);
    if (!status_) status_ = wait_for(child_);
    child_ = 0;
  }

  Pipe in_;
  Pipe out_;
  Pipe err_;
  pid_t child_ = 0;
  std::optional<int> status_;  ///< Set once the program has ended.
  std::string errors_;
  std::array<char, 65536> buffer_{};
};

}  // namespace

Result<std::unique_ptr<Dialogue>> start_dialogue(const std::vector<std::string>& argv) {
  auto dialogue = std::make_unique<RealDialogue>();
  if (const Result<Done> started = dialogue->start(argv); !started) return fail(started);
  return dialogue;
}

}  // namespace stsctl::io
