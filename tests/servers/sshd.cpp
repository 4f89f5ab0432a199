#include "servers/sshd.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace stsctl::servers {

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const passwd& account(const std::string& name) {
  const passwd* found = getpwnam(name.c_str());
  if (found == nullptr) throw std::runtime_error("no user " + name);
  return *found;
}

// sshd gives up root in a folder of its own, which the package's start script makes.
void make_privilege_folder() {
  if (is_root()) std::filesystem::create_directories("/run/sshd");
}

}  // namespace

bool is_root() {
  return geteuid() == 0;
}

std::string plain_user() {
  if (is_root()) return "www-data";
  const passwd* self = getpwuid(geteuid());
  if (self == nullptr) throw std::runtime_error("this user has no name");
  return self->pw_name;
}

std::vector<std::string> as_plain_user(std::vector<std::string> argv) {
  if (!is_root()) return argv;
  const passwd& user = account(plain_user());
  std::vector<std::string> all{"setpriv", fmt::format("--reuid={}", user.pw_uid),
                               fmt::format("--regid={}", user.pw_gid), "--clear-groups"};
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

void give_to_plain_user(const std::string& path) {
  if (!is_root()) return;
  const passwd& user = account(plain_user());
  if (chown(path.c_str(), user.pw_uid, user.pw_gid) != 0)
    throw std::runtime_error("cannot give away " + path);
}

Sshd::Sshd(const SshdOptions& options) : port_(free_port()) {
  key_ = make_key("user", "ed25519");
  other_key_ = make_key("other", "ed25519");
  const std::string host_key = make_key("host", "ed25519");
  const std::string authorized = folder_.write("authorized_keys", read_file(key_ + ".pub"));
  std::string conf = fmt::format(
      "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nStrictModes no\nUsePAM no\n"
      "PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n"
      "AuthorizedKeysFile {}\nSubsystem sftp internal-sftp\n{}",
      port_, host_key, authorized, options.more);
  std::vector<std::string> argv{"/usr/sbin/sshd", "-D", "-e", "-f"};
  if (options.as_self) {
    make_privilege_folder();
    argv.push_back(folder_.write("sshd_config", conf));
  } else if (options.chroot.empty()) {
    give_to_plain_user(host_key);
    argv.push_back(folder_.write("sshd_config", conf));
    argv = as_plain_user(argv);
  } else {
    make_privilege_folder();
    conf += fmt::format("Match User {}\n  ForceCommand internal-sftp\n  ChrootDirectory {}\n",
                        plain_user(), options.chroot);
    argv.push_back(folder_.write("sshd_config", conf));
  }
  running_ = std::make_unique<Running>(argv, folder_.write("log", {}));
  if (!wait_until([&] { return accepts(port_) || !running_->alive(); }) || !running_->alive())
    throw std::runtime_error("sshd does not start: " + log());
}

std::string Sshd::make_key(const std::string& name, const std::string& type) const {
  const std::string file = folder_.file(name);
  run({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", name, "-f", file});
  return file;
}

std::string Sshd::make_login_key(const std::string& type) const {
  const std::string key = make_key("user_" + type, type);
  std::ofstream(folder_.file("authorized_keys"), std::ios::app) << read_file(key + ".pub");
  return key;
}

std::string Sshd::host_line(std::uint16_t port, const std::string& public_key) const {
  return fmt::format("[127.0.0.1]:{} {}", port, read_file(public_key));
}

std::string Sshd::known_hosts(std::uint16_t port) const {
  const std::uint16_t shown = port == 0 ? port_ : port;
  return folder_.write(fmt::format("known_hosts_{}", shown),
                       host_line(shown, folder_.file("host.pub")));
}

std::string Sshd::wrong_known_hosts() const {
  return folder_.write("wrong_known_hosts", host_line(port_, folder_.file("other.pub")));
}

std::size_t Sshd::logins() const {
  const std::string text = log();
  std::size_t count = 0;
  for (std::size_t at = text.find("Accepted publickey"); at != std::string::npos;
       at = text.find("Accepted publickey", at + 1))
    ++count;
  return count;
}

std::string Sshd::log() const {
  return read_file(folder_.file("log"));
}

}  // namespace stsctl::servers
