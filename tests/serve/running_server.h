#pragma once
// A Server on free ports with two policies, its log and metrics at hand.

#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "io/clock.h"
#include "serve/client.h"
#include "serve/server.h"

namespace stsctl::serve {

inline const std::string body_of_com =
    "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 86400\r\n";

inline SharedPolicies policies_with(const std::string& body) {
  auto policies = std::make_shared<Policies>();
  policies->set(*dns::Name::parse("example.com"), body);
  policies->set(*dns::Name::parse("example.org"), "version: STSv1\r\nmode: none\r\nmax_age: 1\r\n");
  return policies;
}

inline std::string request_for(const std::string& target, const std::string& more = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: mta-sts.example.com\r\n" + more + "\r\n";
}

inline const std::string policy_request = request_for("/.well-known/mta-sts.txt");

class RunningServer {
 public:
  explicit RunningServer(Limits limits = {}, std::vector<Network> trusted = {}) {
    const ListenAddress any{.host = "127.0.0.1", .port = 0};
    auto opened = Server::open({.listeners = {{.address = any, .service = Service::policies},
                                              {.address = any, .service = Service::metrics}},
                                .threads = 2,
                                .limits = limits,
                                .trusted = std::move(trusted),
                                .access_log = log_.get(),
                                .clock = *clock_,
                                .log = errors_},
                               policies_with(body_of_com));
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    server_ = std::move(*opened);
    server_->start();
  }

  Server& server() { return *server_; }
  std::uint16_t port() const { return port_of(0); }
  Client client() const { return Client(port()); }

  /// The value of a sample of the first listener: metric("stsctl_connections"), with ",status=…".
  std::uint64_t metric(const std::string& name, const std::string& labels = {}) const {
    Client client(port_of(1));
    client.send("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string text = client.answer();
    const std::string sample =
        "\n" + name + "{listener=\"" + server_->urls()[0] + "\"" + labels + "} ";
    const std::size_t at = text.find(sample);
    return at == std::string::npos ? 0 : std::stoul(text.substr(at + sample.size()));
  }

  /// Everything logged so far.
  std::string log() const {
    const std::scoped_lock lock(*guard_);
    return *lines_;
  }

 private:
  std::uint16_t port_of(std::size_t listener) const {
    const std::string url = server_->urls()[listener];
    return static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
  }

  std::shared_ptr<std::mutex> guard_ = std::make_shared<std::mutex>();
  std::shared_ptr<std::string> lines_ = std::make_shared<std::string>();
  std::unique_ptr<AccessLog> log_ =
      std::make_unique<AccessLog>([guard = guard_, lines = lines_](std::string_view text) {
        const std::scoped_lock lock(*guard);
        lines->append(text);
        return true;
      });
  std::unique_ptr<io::Clock> clock_ = io::real_clock();
  std::ostringstream error_text_;
  io::Log errors_{error_text_};
  std::unique_ptr<Server> server_;
};

}  // namespace stsctl::serve
