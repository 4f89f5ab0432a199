#include "io/child.h"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stsctl::io {

Pipe::Pipe(Kind kind) {
  const int status = kind == Kind::one_way
                         ? ::pipe2(ends_.data(), O_CLOEXEC)
                         : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data());
  open_ = status == 0 && above_standard(0) && above_standard(1);
}

bool Pipe::above_standard(std::size_t which) {
  if (ends_[which] > STDERR_FILENO) return true;
  const int moved = ::fcntl(ends_[which], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  close(which);
  ends_[which] = moved;
  return moved >= 0;
}

Pipe::~Pipe() {
  close(0);
  close(1);
}

void Pipe::close(std::size_t which) {
  if (ends_[which] >= 0) ::close(std::exchange(ends_[which], -1));
}

Result<pid_t> spawn(const std::vector<std::string>& argv, const Streams& streams) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, streams.in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.err, STDERR_FILENO);
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
  pid_t child = 0;
  const int status =
      posix_spawnp(&child, argv.front().c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (status == 0) return child;
  return fail(status == ENOENT ? Code::not_found : Code::internal,
              fmt::format("cannot start: {}", std::generic_category().message(status)),
              argv.front());
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code(status);
}

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace stsctl::io
