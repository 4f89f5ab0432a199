#include "servers/running.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/process.h"

namespace stsctl::servers {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

template <class Call>
int with_socket(int type, std::uint16_t port, Call call) {
  const int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  const int result =
      call(descriptor, reinterpret_cast<sockaddr*>(&address), socklen_t{sizeof address});
  close(descriptor);
  return result;
}

int bound_port(int descriptor, sockaddr* address, socklen_t size) {
  if (bind(descriptor, address, size) != 0 || getsockname(descriptor, address, &size) != 0)
    return -1;
  return ntohs(reinterpret_cast<sockaddr_in*>(address)->sin_port);
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "stsctl-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  // Servers that give up root must still reach their files.
  std::filesystem::permissions(name, std::filesystem::perms::all);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& content) const {
  std::ofstream(file(name), std::ios::binary) << content;
  return file(name);
}

std::uint16_t free_port() {
  for (int tries = 0; tries < 100; ++tries) {
    const int port = with_socket(SOCK_STREAM, 0, bound_port);
    if (port <= 0) continue;
    const auto wanted = static_cast<std::uint16_t>(port);
    if (with_socket(SOCK_DGRAM, wanted, bound_port) == port) return wanted;
  }
  throw std::runtime_error("no free port");
}

SilentUdp::SilentUdp() : descriptor_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  const int port =
      bound_port(descriptor_, reinterpret_cast<sockaddr*>(&address), socklen_t{sizeof address});
  if (port <= 0) throw std::runtime_error("no free port");
  port_ = static_cast<std::uint16_t>(port);
}

SilentUdp::~SilentUdp() {
  close(descriptor_);
}

bool accepts(std::uint16_t port) {
  return with_socket(SOCK_STREAM, port, connect) == 0;
}

bool wait_until(const std::function<bool()>& condition, std::chrono::seconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::string run(const std::vector<std::string>& argv, const std::string& input) {
  const auto exit = io::real_process()->run(argv, input, std::chrono::seconds(60));
  if (!exit) throw std::runtime_error(argv[0] + ": " + exit.error().what);
  if (exit->status != 0)
    throw std::runtime_error(argv[0] + " failed: " + exit->output + exit->errors);
  return exit->output;
}

Running::Running(const std::vector<std::string>& argv, const std::string& log) {
  std::vector<std::string> copies = argv;
  std::vector<char*> arguments;
  for (std::string& copy : copies)
    arguments.push_back(copy.data());
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int in = open("/dev/null", O_RDONLY);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  close_range(3, ~0U, 0);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

Running::~Running() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool Running::alive() const {
  siginfo_t state{};
  return waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         state.si_pid == 0;
}

}  // namespace stsctl::servers
