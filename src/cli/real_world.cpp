#include "cli/real_world.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/curl_http.h"
#include "io/local_trace.h"

namespace stsctl::cli {

namespace {

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// Hundreds of connections at once need more descriptors than the usual soft limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Turns signals into a stop request or a call, in a thread that waits for them: no handler, no
// race.
class Signals {
 public:
  Signals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGHUP);
    struct sigaction hangup{};
    ignores_hangup_ = sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::thread([this] { wait(); }).detach();
  }

  std::stop_token token() const { return stop_.get_token(); }
  const std::atomic<int>* number() const { return &number_; }

  void on_hangup(std::function<void()> call) {
    const std::scoped_lock lock(guard_);
    hangup_ = std::move(call);
  }

 private:
  void wait() {
    int signal = 0;
    while (sigwait(&set_, &signal) == 0) {
      if (signal == SIGHUP) {
        hang_up();
      } else if (number_ == 0) {
        number_ = signal;
        stop_.request_stop();
      } else {
        _exit(128 + signal);
      }
    }
  }

  // Who asked for it is called; else the program ends as by default, unless started with nohup.
  void hang_up() {
    const std::scoped_lock lock(guard_);
    if (hangup_) return hangup_();
    if (ignores_hangup_) return;
    sigset_t only{};
    sigemptyset(&only);
    sigaddset(&only, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    raise(SIGHUP);
  }

  sigset_t set_{};
  bool ignores_hangup_ = false;
  std::mutex guard_;
  std::function<void()> hangup_;
  std::atomic<int> number_{0};
  std::stop_source stop_;
};

// Lives as long as the process: the waiting thread is never joined.
Signals& signals() {
  static Signals& instance = *new Signals;
  return instance;
}

}  // namespace

struct RealWorld::Parts {
  Parts() { raise_descriptor_limit(); }

  Signals& on_signal = signals();
  io::Log log{std::cerr};
  std::unique_ptr<io::Clock> clock = io::real_clock();
  std::unique_ptr<io::Files> disk = io::real_files();
  io::FilesTrace files{*disk, *clock, log};
  std::unique_ptr<io::Process> system = io::real_process();
  io::ProcessTrace process{*system, *clock, log};
  std::unique_ptr<io::DnsExchange> dns = io::real_dns_exchange();
  std::unique_ptr<io::Http> http = io::real_http({.stop = on_signal.token()});
  World world{
      .services = {.files = files,
                   .process = process,
                   .clock = *clock,
                   .dns = *dns,
                   .http = *http,
                   .log = log,
                   .stop = on_signal.token(),
                   .env = environment},
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .in_is_terminal = isatty(STDIN_FILENO) == 1,
      .out_is_terminal = isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = isatty(STDERR_FILENO) == 1,
      .columns = terminal_columns(),
      .stop = on_signal.token(),
      .signal = on_signal.number(),
      .open_resolver =
          [this](io::ResolverOptions options) {
            return io::real_resolver(*dns, std::move(options));
          },
      .open_prober = io::real_prober,
      .on_hangup = [this](std::function<void()> call) { on_signal.on_hangup(std::move(call)); }};
};

RealWorld::RealWorld() : parts_(std::make_unique<Parts>()) {}
RealWorld::~RealWorld() = default;

World& RealWorld::world() {
  return parts_->world;
}

}  // namespace stsctl::cli
