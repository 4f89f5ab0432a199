#include "serve/worker.h"

#include <boost/asio/post.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "serve/http_connection.h"

namespace stsctl::serve {

namespace asio = boost::asio;

namespace {

// How late a deadline may be noticed, and how long a log line may wait.
constexpr std::chrono::milliseconds tick_length{100};
constexpr std::size_t log_batch = 16384;

}  // namespace

Worker::Worker(const Rules& rules) : rules_(rules), policies_(rules.policies) {}

Worker::~Worker() = default;

void Worker::run() {
  tick();
  context_.run();
  flush_log();
}

void Worker::post(std::function<void()> work) {
  asio::post(context_, std::move(work));
}

void Worker::adopt(Socket socket, Listener& listener) {
  if (draining_) return;
  if (!make_room(listener)) return;
  ++listener.counters.accepted;
  boost::system::error_code failed;
  if (socket.set_option(asio::ip::tcp::no_delay(true), failed)) return;  // gone already
  if (listener.tls != nullptr)
    start_tls_connection(*this, listener, std::move(socket));
  else
    start_plain_connection(*this, listener, std::move(socket));
}

// False, and counted, when all of its share are busy.
bool Worker::make_room(Listener& listener) {
  const Share& share = share_of(listener);
  if (share.all.size() < listener.most_connections) return true;
  if (share.idle.empty()) {
    ++listener.counters.refused;
    return false;
  }
  ++listener.counters.evicted;
  share.idle.front()->cut();
  return true;
}

void Worker::drain() {
  draining_ = true;
  grace_end_ = rules_.clock.steady() + rules_.limits.grace;
  for (const auto& [listener, share] : shares_)
    while (!share.idle.empty())
      share.idle.front()->cut();
}

// Asio's own timers a connection would cost a heap operation a request; one look at all of them
// ten times a second costs nothing.
void Worker::tick() {
  const auto now = rules_.clock.steady();
  std::size_t open = 0;
  for (const auto& [listener, share] : shares_) {
    open += share.all.size();
    for (Connection* connection : share.all)
      if (connection->deadline() <= now) connection->expire();
  }
  flush_log();
  if (draining_ && (open == 0 || now >= grace_end_)) {
    context_.stop();
    return;
  }
  timer_.expires_after(tick_length);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

std::string_view Worker::date() {
  const Time now = rules_.clock.now();
  if (now != date_at_) {
    date_at_ = now;
    date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", now);
  }
  return date_;
}

void Worker::log(const Access& access) {
  if (rules_.log == nullptr) return;
  append_line(log_lines_, access, rules_.log_format);
  if (log_lines_.size() >= log_batch) flush_log();
}

void Worker::flush_log() {
  if (rules_.log == nullptr || log_lines_.empty()) return;
  rules_.log->append(log_lines_);
  log_lines_.clear();
}

}  // namespace stsctl::serve
