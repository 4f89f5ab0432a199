#pragma once
// One thread with its event loop and its connections. Knows no listening socket.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "io/clock.h"
#include "serve/access_line.h"
#include "serve/access_log.h"
#include "serve/answer.h"
#include "serve/client_address.h"
#include "serve/limits.h"
#include "serve/metrics.h"
#include "serve/policies.h"

namespace stsctl::serve {

/// What every thread works by; outlives them.
struct Rules {
  Limits limits;
  std::vector<Network> trusted;  ///< Proxies whose X-Forwarded-For is believed.
  LogFormat log_format = LogFormat::json;
  AccessLog* log = nullptr;  ///< Null: none is kept.
  const CurrentPolicies& policies;
  io::Clock& clock;
  std::function<std::string()> metrics;  ///< The text of /metrics; called from any thread.
};

/// What the connections of one listener share.
struct Listener {
  std::string url;  ///< "http://127.0.0.1:8080"
  Service service = Service::policies;
  boost::asio::ssl::context* tls = nullptr;  ///< Null: plain HTTP.
  std::size_t most_connections = 0;          ///< Of one worker.
  Counters counters;
};

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// A connection as its thread sees it.
class Connection {
 public:
  virtual ~Connection() = default;
  /// The deadline of what it is doing has passed. Both calls leave it in the worker's list: its
  /// handlers let go of it later.
  virtual void expire() = 0;
  /// Ends it now. An idle one has then left the list of those.
  virtual void cut() = 0;
  virtual std::chrono::steady_clock::time_point deadline() const = 0;
};

/// Connections are used on the worker's own thread only; post() is how others reach it.
class Worker {
 public:
  explicit Worker(const Rules& rules);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// Runs the loop until drain() was called and every connection has ended, or its grace is over.
  void run();
  boost::asio::io_context& context() { return context_; }
  /// Calls `work` on the worker's thread.
  void post(std::function<void()> work);

  // On its thread:
  /// Takes a new connection; makes room by ending the one that is idle the longest, or else
  /// refuses.
  void adopt(Socket socket, Listener& listener);
  /// No further requests on connections; idle ones end now.
  void drain();
  bool draining() const { return draining_; }

  // For its connections:
  using List = std::list<Connection*>;
  /// Its connections of one listener.
  struct Share {
    List all;
    List idle;  ///< The longest idle first.
  };
  Share& share_of(const Listener& listener) { return shares_[&listener]; }

  const Rules& rules() const { return rules_; }
  const Policies& policies() { return *policies_; }
  /// Now as a Date field has it.
  std::string_view date();
  void log(const Access& access);

 private:
  bool make_room(Listener& listener);
  void tick();
  void flush_log();

  const Rules& rules_;
  std::map<const Listener*, Share> shares_;
  CurrentPolicies::View policies_;
  bool draining_ = false;
  std::chrono::steady_clock::time_point grace_end_{};
  Time date_at_{};
  std::string date_;
  std::string log_lines_;
  boost::asio::io_context context_{1};
  boost::asio::steady_timer timer_{context_};
};

}  // namespace stsctl::serve
