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

constexpr std::size_t most_text = std::size_t{1} << 20U;
constexpr milliseconds longest_nap{100};  // until a stop, or an end without closed streams, is seen
constexpr milliseconds shortest_nap{2};   // until the end of a program that closed its streams

class RealDialogue final : public Dialogue {
 public:
  RealDialogue() : in_(Pipe::Kind::sockets) {}
  ~RealDialogue() override { end(); }
  RealDialogue(const RealDialogue&) = delete;
  RealDialogue& operator=(const RealDialogue&) = delete;

  Result<Done> start(const std::vector<std::string>& argv) {
    if (!in_.is_open() || !out_.is_open())
      return fail(Code::internal, fmt::format("cannot start: {}", std::strerror(errno)),
                  argv.front());
    const Result<pid_t> child = spawn(argv, {in_.end(0), out_.end(1), out_.end(1)});
    if (!child) return fail(child);
    child_ = *child;
    in_.close(0);
    out_.close(1);
    return Done{};
  }

  Heard exchange(std::string_view input, std::string_view until, Duration silence,
                 const std::stop_token& stop) override {
    return listen(input, until, silence, stop);
  }

  Heard finish(Duration silence) override {
    in_.close(1);
    return listen({}, {}, silence, {});
  }

 private:
  Heard listen(std::string_view input, std::string_view until, Duration silence,
               const std::stop_token& stop) {
    Heard heard;
    auto last = steady_clock::now();
    while (!status_) {
      if (!until.empty() && heard.text.find(until) != std::string::npos) {
        heard.ending = Heard::Ending::said;
        return heard;
      }
      if (stop.stop_requested()) return killed(std::move(heard), Heard::Ending::cancelled);
      if (steady_clock::now() - last > silence || heard.text.size() > most_text)
        return killed(std::move(heard), Heard::Ending::silent);
      if (step(input, heard.text)) last = steady_clock::now();
    }
    heard.status = *status_;
    return heard;
  }

  // Feeds and drains once; has anything moved?
  bool step(std::string_view& input, std::string& text) {
    const bool closed = out_.end(0) < 0;
    std::array<pollfd, 2> waiting{
        {{out_.end(0), POLLIN, 0}, {input.empty() ? -1 : in_.end(1), POLLOUT, 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(),
                             static_cast<int>((closed ? shortest_nap : longest_nap).count()));
    if (ready <= 0 || closed) look_for_end(text);
    if (ready <= 0) return false;
    if (waiting[1].revents != 0) feed(input);
    if (waiting[0].revents != 0) drain(text);
    return true;
  }

  void feed(std::string_view& input) {
    const ssize_t count =
        ::send(in_.end(1), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count > 0)
      input.remove_prefix(static_cast<std::size_t>(count));
    else
      input = {};  // it has closed its stdin: what it says last tells why
  }

  // false: there is no more.
  bool drain(std::string& text) {
    std::array<char, 65536> buffer{};
    const ssize_t count = ::read(out_.end(0), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return true;
    if (count > 0)
      text.append(buffer.data(), static_cast<std::size_t>(count));
    else
      out_.close(0);
    return count > 0;
  }

  // The program may be gone while another that it started keeps the streams open.
  void look_for_end(std::string& text) {
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) != child_) return;
    status_ = exit_code(status);
    pollfd left{out_.end(0), POLLIN, 0};
    while (out_.end(0) >= 0 && ::poll(&left, 1, 0) > 0 && drain(text)) {
    }
  }

  Heard killed(Heard heard, Heard::Ending ending) {
    end();
    heard.ending = ending;
    heard.status = status_.value_or(0);
    return heard;
  }

  void end() {
    if (child_ <= 0) return;
    ::kill(-child_, SIGKILL);
    if (!status_) status_ = wait_for(child_);
    child_ = 0;
  }

  Pipe in_;
  Pipe out_;
  pid_t child_ = 0;
  std::optional<int> status_;  ///< Set once the program has ended.
};

}  // namespace

Result<std::unique_ptr<Dialogue>> start_dialogue(const std::vector<std::string>& argv) {
  auto dialogue = std::make_unique<RealDialogue>();
  if (const Result<Done> started = dialogue->start(argv); !started) return fail(started);
  return dialogue;
}

}  // namespace stsctl::io
