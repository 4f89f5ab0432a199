#pragma once
// OpenSSH's server, with a host key, user keys and folders of its own.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "servers/running.h"

namespace stsctl::servers {

/// Who can be logged in as, and who runs servers that need no root: "www-data" when the tests run
/// as root, so that permissions mean something; else whoever runs them.
std::string plain_user();
/// `argv` as that user.
std::vector<std::string> as_plain_user(std::vector<std::string> argv);
/// Gives a file or folder to that user.
void give_to_plain_user(const std::string& path);
/// Do the tests run as root?
bool is_root();

/// What an Sshd may be asked for beyond the usual.
struct SshdOptions {
  /// Locks the user into this folder with internal-sftp and nothing else, as the documentation
  /// advises. Root only.
  std::string chroot = {};
  bool as_self = false;   ///< Logs in whoever runs the tests, who has a shell.
  std::string more = {};  ///< Further lines of sshd_config.
};

/// Listens on 127.0.0.1 while it exists. Logins by key only, as plain_user().
class Sshd {
 public:
  explicit Sshd(const SshdOptions& options = {});

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return running_->pid(); }
  /// Private keys: one that may log in, and one that may not.
  const std::string& key() const { return key_; }
  const std::string& other_key() const { return other_key_; }
  /// Another key that may log in, of a type of ssh-keygen: "rsa".
  std::string make_login_key(const std::string& type) const;
  /// known_hosts with the server's key under 127.0.0.1, at its own port or at `port` (a relay's).
  std::string known_hosts(std::uint16_t port = 0) const;
  /// known_hosts with another key in its place.
  std::string wrong_known_hosts() const;
  /// Connections whose user was let in so far.
  std::size_t logins() const;
  std::string log() const;
  const Folder& folder() const { return folder_; }

 private:
  std::string make_key(const std::string& name, const std::string& type) const;
  std::string host_line(std::uint16_t port, const std::string& public_key) const;

  Folder folder_;
  std::uint16_t port_;
  std::string key_;
  std::string other_key_;
  std::unique_ptr<Running> running_;
};

}  // namespace stsctl::servers
