#include "serve/server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include "serve/tls.h"
#include "serve/worker.h"

namespace stsctl::serve {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using ErrorCode = boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

constexpr std::size_t most_threads = 8;
// A scraper or two; not to be starved by what the public does, nor to be a way in for it.
constexpr std::size_t most_metrics_connections = 16;
// After accept() failed: no descriptors, no memory.
constexpr std::chrono::milliseconds accept_pause{100};

std::size_t thread_count(std::size_t wanted) {
  if (wanted > 0) return wanted;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_threads);
}

ErrorCode bind(Acceptor& acceptor, const tcp::endpoint& endpoint, bool also_v4 = false) {
  ErrorCode failed;
  if (acceptor.open(endpoint.protocol(), failed)) return failed;
  if (endpoint.address().is_v6() && acceptor.set_option(asio::ip::v6_only(!also_v4), failed))
    return failed;
  if (acceptor.set_option(Acceptor::reuse_address(true), failed)) return failed;
  if (acceptor.bind(endpoint, failed)) return failed;
  return acceptor.listen(asio::socket_base::max_listen_connections, failed);
}

// All addresses of the machine; IPv4 alone where it has no IPv6.
ErrorCode bind_all(Acceptor& acceptor, std::uint16_t port) {
  const ErrorCode failed = bind(acceptor, {tcp::v6(), port}, true);
  if (!failed || failed == asio::error::address_in_use || failed == asio::error::access_denied)
    return failed;
  acceptor = Acceptor(acceptor.get_executor());
  return bind(acceptor, {tcp::v4(), port});
}

// A socket that systemd opened.
ErrorCode take_over(Acceptor& acceptor, int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int listening = 0;
  socklen_t listening_size = sizeof listening;
  const bool usable =
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
      getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) == 0 &&
      listening == 1 && (address.ss_family == AF_INET || address.ss_family == AF_INET6);
  if (!usable) return asio::error::bad_descriptor;
  ErrorCode failed;
  return acceptor.assign(address.ss_family == AF_INET ? tcp::v4() : tcp::v6(), descriptor, failed);
}

ErrorCode open(Acceptor& acceptor, const ListenAddress& address) {
  if (address.descriptor >= 0) return take_over(acceptor, address.descriptor);
  if (address.host.empty()) return bind_all(acceptor, address.port);
  return bind(acceptor, {asio::ip::make_address(address.host), address.port});
}

// A listener's socket, on the loop of the first worker.
struct Door {
  Door(Worker& worker, Listener& behind)
      : listener(behind), acceptor(worker.context()), pause(worker.context()) {}
  Listener& listener;
  Acceptor acceptor;
  asio::steady_timer pause;
  std::size_t turn = 0;  // the worker that gets the next connection
};

}  // namespace

struct Server::Parts {
  Parts(ServerSetup given, SharedPolicies first)
      : setup(std::move(given)),
        policies(std::move(first)),
        rules{.limits = setup.limits,
              .trusted = setup.trusted,
              .log_format = setup.log_format,
              .log = setup.access_log,
              .policies = policies,
              .clock = setup.clock,
              .metrics = [this] { return metrics(); }} {
    for (std::size_t i = 0; i < thread_count(setup.threads); ++i)
      workers.push_back(std::make_unique<Worker>(rules));
  }

  Result<Done> open_tls() {
    const bool wanted = std::ranges::any_of(setup.listeners, &ListenerSetup::tls);
    if (!wanted) return Done{};
    auto made = server_context(*setup.certificates);
    if (!made) return fail(made);
    // The context counts references; Asio takes one.
    SSL_CTX_up_ref(made->get());
    tls = std::make_unique<asio::ssl::context>(made->get());
    return Done{};
  }

  Result<Done> listen(const ListenerSetup& wanted) {
    auto listener = std::make_unique<Listener>();
    auto door = std::make_unique<Door>(*workers.front(), *listener);
    if (const ErrorCode failed = serve::open(door->acceptor, wanted.address))
      return fail(Code::unreachable, "cannot listen: " + failed.message(),
                  to_string(wanted.address));
    ErrorCode ignored;
    const auto bound = door->acceptor.local_endpoint(ignored);
    listener->url = fmt::format(
        "{}://{}", wanted.tls ? "https" : "http",
        to_string(ListenAddress{.host = bound.address().to_string(), .port = bound.port()}));
    listener->service = wanted.service;
    listener->tls = wanted.tls ? tls.get() : nullptr;
    const std::size_t most =
        wanted.service == Service::metrics ? most_metrics_connections : setup.limits.connections;
    listener->most_connections = (most + workers.size() - 1) / workers.size();
    listeners.push_back(std::move(listener));
    doors.push_back(std::move(door));
    return Done{};
  }

  // Connections go to the workers in turn, so that each has its share.
  void accept(Door& door) {
    Worker& worker = *workers[door.turn++ % workers.size()];
    door.acceptor.async_accept(worker.context(),
                               [this, &door, &worker](const ErrorCode& failed, Socket socket) {
                                 if (failed == asio::error::operation_aborted) return;
                                 if (failed) return accept_later(door, failed);
                                 const auto handed = std::make_shared<Socket>(std::move(socket));
                                 worker.post([&worker, handed, &listener = door.listener] {
                                   worker.adopt(std::move(*handed), listener);
                                 });
                                 accept(door);
                               });
  }

  void accept_later(Door& door, const ErrorCode& failed) {
    if (!std::exchange(accept_failed, true))
      setup.log.write(io::LogLevel::error, fmt::format("{}: cannot accept connections: {}",
                                                       door.listener.url, failed.message()));
    door.pause.expires_after(accept_pause);
    door.pause.async_wait([this, &door](const ErrorCode& stopped) {
      if (!stopped) accept(door);
    });
  }

  std::string metrics() const {
    std::vector<ListenerCounters> all;
    for (const auto& listener : listeners)
      all.push_back({listener->url, &listener->counters});
    return metrics_text(all, setup.gauges ? setup.gauges() : Gauges{});
  }

  void close_listeners() {
    for (const auto& door : doors) {
      ErrorCode failed;
      [[maybe_unused]] const ErrorCode ignored = door->acceptor.close(failed);
      door->pause.cancel();
    }
  }

  ServerSetup setup;
  CurrentPolicies policies;
  Rules rules;
  std::unique_ptr<asio::ssl::context> tls;
  // Connections count themselves off at their listener, and end with their worker at the latest;
  // a door needs its worker.
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::unique_ptr<Door>> doors;
  std::vector<std::jthread> threads;
  bool accept_failed = false;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::open(ServerSetup setup, SharedPolicies policies) {
  auto parts = std::make_unique<Parts>(std::move(setup), std::move(policies));
  if (const auto done = parts->open_tls(); !done) return fail(done);
  for (const ListenerSetup& wanted : parts->setup.listeners)
    if (const auto done = parts->listen(wanted); !done) return fail(done);
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

std::vector<std::string> Server::urls() const {
  std::vector<std::string> all;
  for (const auto& listener : parts_->listeners)
    all.push_back(listener->url);
  return all;
}

void Server::start() {
  for (const auto& door : parts_->doors)
    parts_->accept(*door);
  for (const auto& worker : parts_->workers)
    parts_->threads.emplace_back([&worker] { worker->run(); });
}

void Server::set_policies(SharedPolicies policies) {
  parts_->policies.replace(std::move(policies));
}

void Server::stop() {
  if (parts_->threads.empty()) return;
  parts_->workers.front()->post([this] { parts_->close_listeners(); });
  for (const auto& worker : parts_->workers)
    worker->post([&worker] { worker->drain(); });
  parts_->threads.clear();  // joins
}

}  // namespace stsctl::serve
