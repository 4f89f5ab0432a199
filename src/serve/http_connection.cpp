#include "serve/http_connection.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

namespace stsctl::serve {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

using ErrorCode = boost::system::error_code;
using Tls = asio::ssl::stream<Socket>;

constexpr std::size_t read_size = 2048;
constexpr std::chrono::seconds linger{2};

Address address_of(const Socket& socket) {
  ErrorCode failed;
  const auto peer = socket.remote_endpoint(failed);
  if (failed) return {};
  if (peer.address().is_v6()) return peer.address().to_v6().to_bytes();
  return asio::ip::make_address_v6(asio::ip::v4_mapped, peer.address().to_v4()).to_bytes();
}

int status_of(const ErrorCode& error) {
  return error == http::error::header_limit || error == http::error::buffer_overflow ? 431 : 400;
}

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// What it is doing; each has its deadline.
enum class Phase { handshake, idle, reading, writing, closing };

template <class Stream>
class HttpConnection final : public Connection,
                             public std::enable_shared_from_this<HttpConnection<Stream>> {
  static constexpr bool is_tls = std::is_same_v<Stream, Tls>;
  using Clock = std::chrono::steady_clock;

 public:
  template <class... More>
  HttpConnection(Worker& worker, Listener& listener, Socket socket, More&... more)
      : worker_(worker),
        listener_(listener),
        stream_(std::move(socket), more...),
        peer_(address_of(lowest())),
        buffer_(worker.rules().limits.header_bytes),
        share_(worker.share_of(listener)),
        place_(share_.all.insert(share_.all.end(), this)) {
    ++listener_.counters.open;
  }

  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  ~HttpConnection() override {
    leave_idle();
    share_.all.erase(place_);
    --listener_.counters.open;
  }

  void start() {
    if constexpr (is_tls) {
      enter(Phase::handshake, limits().handshake);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](const ErrorCode& error) {
                                if (!error) return self->await_request();
                                ++self->listener_.counters.handshakes_failed;
                              });
    } else {
      await_request();
    }
  }

  Clock::time_point deadline() const override { return deadline_; }

  void expire() override {
    if (phase_ != Phase::idle && phase_ != Phase::closing) ++listener_.counters.timed_out;
    if (phase_ != Phase::reading) return cut();
    // The read that is under way ends, and its handler says so to the client.
    expired_ = true;
    deadline_ = Clock::time_point::max();
    ErrorCode ignored;
    lowest().cancel(ignored);
  }

  void cut() override {
    leave_idle();
    deadline_ = Clock::time_point::max();
    ErrorCode ignored;
    lowest().close(ignored);
  }

 private:
  const Limits& limits() const { return worker_.rules().limits; }

  Socket& lowest() {
    if constexpr (is_tls)
      return stream_.next_layer();
    else
      return stream_;
  }

  void enter(Phase phase, Clock::duration time) {
    leave_idle();
    phase_ = phase;
    deadline_ = worker_.rules().clock.steady() + time;
    if (phase == Phase::idle) idle_place_ = share_.idle.insert(share_.idle.end(), this);
  }

  void leave_idle() {
    if (idle_place_) share_.idle.erase(*std::exchange(idle_place_, std::nullopt));
  }

  // ---- a request ----

  void await_request() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes));
    if (buffer_.size() > 0) return begin_request();  // it was sent with the one before
    if (worker_.draining()) return close();
    enter(Phase::idle, limits().idle);
    read_more();
  }

  void begin_request() {
    enter(Phase::reading, limits().header);
    began_ = worker_.rules().clock.steady();
    take_header();
  }

  void read_more() {
    const std::size_t room = buffer_.max_size() - buffer_.size();
    if (room == 0) return respond(refusal(431), false);
    stream_.async_read_some(
        buffer_.prepare(std::min(room, read_size)),
        [self = this->shared_from_this()](const ErrorCode& error, std::size_t count) {
          self->on_read(error, count);
        });
  }

  void on_read(const ErrorCode& error, std::size_t count) {
    if (expired_) return respond(refusal(408), false);
    if (error) return;
    buffer_.commit(count);
    if (phase_ == Phase::idle) return begin_request();
    take_header();
  }

  void take_header() {
    ErrorCode error;
    buffer_.consume(parser_->put(buffer_.data(), error));
    if (error == http::error::need_more) return read_more();
    if (error) return respond(refusal(status_of(error)), false);
    const auto& message = parser_->get();
    // No method that we answer has a body; what follows one on the connection is not looked at.
    const bool has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;
    const Answer found = answer_to(message);
    respond(found, message.keep_alive() && !has_body && found.status != 400 && !worker_.draining());
  }

  template <class Message>
  Answer answer_to(const Message& message) {
    const auto [first, last] = message.equal_range(http::field::host);
    const Request request{.method = view(message.method_string()),
                          .target = view(message.target()),
                          .http_1_0 = message.version() == 10,
                          .hosts = static_cast<std::size_t>(std::distance(first, last)),
                          .host = view(message[http::field::host]),
                          .if_none_match = view(message[http::field::if_none_match])};
    return answer(request, {.policies = worker_.policies(),
                            .service = listener_.service,
                            .healthy = !worker_.draining(),
                            .metrics = &worker_.rules().metrics});
  }

  // ---- its answer ----

  void respond(const Answer& answer, bool keep_alive) {
    enter(Phase::writing, limits().write);
    out_.clear();
    append(out_, answer,
           {.date = worker_.date(),
            .keep_alive = keep_alive,
            .http_1_0 = parser_->is_header_done() && parser_->get().version() == 10});
    listener_.counters.count(answer.status);
    asio::async_write(
        stream_, asio::buffer(out_),
        [self = this->shared_from_this(), status = answer.status, bytes = answer.sent_bytes(),
         keep_alive](const ErrorCode& error, std::size_t) {
          self->log(status, error ? 0 : bytes);
          if (error) return;
          if (keep_alive) return self->await_request();
          self->close();
        });
  }

  void log(int status, std::size_t bytes) {
    if (worker_.rules().log == nullptr) return;
    const std::string client = client_text();
    Access access{.at = worker_.rules().clock.now(),
                  .listener = listener_.url,
                  .client = client,
                  .status = status,
                  .bytes = bytes,
                  .took = std::chrono::duration_cast<std::chrono::microseconds>(
                      worker_.rules().clock.steady() - began_)};
    if (parser_->is_header_done()) {
      const auto& message = parser_->get();
      access.method = view(message.method_string());
      access.target = view(message.target());
      access.host = view(message[http::field::host]);
      access.version = message.version() == 10 ? "HTTP/1.0" : "HTTP/1.1";
      access.user_agent = view(message[http::field::user_agent]);
    }
    worker_.log(access);
  }

  std::string client_text() {
    const auto& trusted = worker_.rules().trusted;
    if (trusted.empty() || !parser_->is_header_done()) return format_address(peer_);
    std::string forwarded;
    const auto [first, last] = parser_->get().equal_range("X-Forwarded-For");
    for (auto field = first; field != last; ++field)
      forwarded.append(forwarded.empty() ? "" : ",").append(view(field->value()));
    return format_address(client_address(peer_, forwarded, trusted));
  }

  // ---- the end ----

  // Tells the client that nothing more comes, and waits until it has taken everything: closing at
  // once, with something of its unread, would make the system throw the answer away.
  void close() {
    enter(Phase::closing, linger);
    if constexpr (is_tls) {
      stream_.async_shutdown([self = this->shared_from_this()](const ErrorCode&) {});
    } else {
      ErrorCode ignored;
      stream_.shutdown(asio::socket_base::shutdown_send, ignored);
      discard();
    }
  }

  void discard() {
    stream_.async_read_some(asio::buffer(discarded()),
                            [self = this->shared_from_this()](const ErrorCode& error, std::size_t) {
                              if (!error) self->discard();
                            });
  }

  // Nobody reads what is written there.
  static std::array<char, read_size>& discarded() {
    thread_local std::array<char, read_size> bytes{};
    return bytes;
  }

  Worker& worker_;
  Listener& listener_;
  Stream stream_;
  Address peer_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::string out_;
  Phase phase_ = Phase::idle;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point began_{};
  bool expired_ = false;
  Worker::Share& share_;
  Worker::List::iterator place_;
  std::optional<Worker::List::iterator> idle_place_;
};

}  // namespace

void start_plain_connection(Worker& worker, Listener& listener, Socket socket) {
  std::make_shared<HttpConnection<Socket>>(worker, listener, std::move(socket))->start();
}

void start_tls_connection(Worker& worker, Listener& listener, Socket socket) {
  std::make_shared<HttpConnection<Tls>>(worker, listener, std::move(socket), *listener.tls)
      ->start();
}

}  // namespace stsctl::serve
