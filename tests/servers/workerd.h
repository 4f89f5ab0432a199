#pragma once
// The runtime of Cloudflare Workers (npm workerd), with a script or as Cloudflare's edge.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "servers/running.h"
#include "servers/test_ca.h"

namespace stsctl::servers {

/// Answers HTTP at 127.0.0.1 while it exists. Throws std::runtime_error, with what it said, when it
/// does not start.
class Workerd {
 public:
  /// Runs one script, an ES module.
  explicit Workerd(const std::string& script);
  /// Runs for each host name the script of the Worker that has it as a Custom Domain, asking the
  /// API at 127.0.0.1 `api_port` anew with each request; by TLS if `tls` is given.
  Workerd(std::uint16_t api_port, const std::string& account, const std::string& token,
          const std::optional<TestCa::Pair>& tls = std::nullopt);

  std::uint16_t port() const { return port_; }

 private:
  void start(const std::string& socket, const std::string& services, const std::string& worker);

  Folder folder_;
  std::uint16_t port_;
  std::unique_ptr<Running> running_;
};

}  // namespace stsctl::servers
