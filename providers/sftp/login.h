#pragma once
// How ssh reaches a server: its arguments, and what ssh's complaints mean. Pure: knows no program.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"

namespace stsctl::providers::sftp {

/// Who logs in where. What is empty or 0 is left to ssh's own configuration and agent.
struct Login {
  std::string host;  ///< Name, address, or a Host of ssh's configuration.
  std::int64_t port = 0;
  std::string user = {};
  std::string identity = {};     ///< File of the private key.
  std::string known_hosts = {};  ///< File of the only host keys trusted.
  std::string ssh_config = {};   ///< In place of ~/.ssh/config and the system's.
  Duration timeout{30};
};

/// From the settings of the same names. Code::invalid, with the place in the configuration, for
/// what ssh could not be given safely.
Result<Login> read_login(const Settings& settings);

/// The program and its arguments: the server's SFTP on its stdin and stdout, nothing ever asked of
/// a person, only known host keys.
std::vector<std::string> arguments(const Login& login);

/// Why there is no session, from what ssh said before it gave up. Code::unauthorized (host key or
/// login), unreachable, timeout, unsupported, protocol.
Error login_problem(std::string_view said, const Login& login);

}  // namespace stsctl::providers::sftp
