#pragma once
// The web server of `stsctl serve`, on Boost.Beast: listening sockets and threads. Knows no
// configuration and no signal.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/clock.h"
#include "io/log.h"
#include "serve/access_line.h"
#include "serve/access_log.h"
#include "serve/answer.h"
#include "serve/certificate_folder.h"
#include "serve/client_address.h"
#include "serve/limits.h"
#include "serve/listen_address.h"
#include "serve/metrics.h"
#include "serve/policies.h"

namespace stsctl::serve {

/// A listening socket that is wanted.
struct ListenerSetup {
  ListenAddress address;
  Service service = Service::policies;
  bool tls = false;
};

/// What a server is made of; what is referred to outlives it.
struct ServerSetup {
  std::vector<ListenerSetup> listeners;
  std::size_t threads = 0;  ///< 0: one a processor, at most 8.
  Limits limits = {};
  std::vector<Network> trusted = {};
  LogFormat log_format = LogFormat::json;
  AccessLog* access_log = nullptr;                  ///< Null: none.
  const CertificateFolder* certificates = nullptr;  ///< Required by listeners with TLS.
  io::Clock& clock;
  io::Log& log;
  std::function<Gauges()> gauges = {};  ///< For /metrics; called from any thread.
};

class Server {
 public:
  /// Binds every listener. Code::unreachable, naming the address, when one cannot be.
  static Result<std::unique_ptr<Server>> open(ServerSetup setup, SharedPolicies policies);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "http://127.0.0.1:8080", in the order of the setup, ports as the system gave them.
  std::vector<std::string> urls() const;
  /// Begins to answer, in threads of its own.
  void start();
  /// From now on these are served, on old connections too. From any thread.
  void set_policies(SharedPolicies policies);
  /// Takes no further connections, lets what is under way end within the grace, and returns.
  void stop();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace stsctl::serve
