#include "io/dns_exchange.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stsctl::io {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Deadline = steady_clock::time_point;

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

std::unexpected<Error> broken(int error) {
  return fail(Code::unreachable, error == 0 ? "the connection was closed before an answer came"
                                            : std::generic_category().message(error));
}

// Waits until `events` can be done on the socket.
Result<Done> wait_for(const Socket& socket, short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return fail(Code::timeout, "no answer within the timeout");
    pollfd entry{socket.get(), events, 0};
    const int ready =
        poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60000)));
    if (ready > 0) return Done{};
    if (ready < 0 && errno != EINTR) return broken(errno);
  }
}

class TcpConnection final : public DnsConnection {
 public:
  explicit TcpConnection(Socket socket) : socket_(std::move(socket)) {}

  Result<Done> send(std::span<const DnsMessage> messages, milliseconds timeout) override {
    const Deadline deadline = steady_clock::now() + timeout;
    std::vector<std::uint8_t> framed;
    for (const DnsMessage& message : messages) {
      if (message.size() > 0xFFFF)
        return fail(Code::invalid, "the change is too long for one DNS message");
      framed.push_back(static_cast<std::uint8_t>(message.size() >> 8U));
      framed.push_back(static_cast<std::uint8_t>(message.size() & 0xFFU));
      framed.insert(framed.end(), message.begin(), message.end());
    }
    std::span<const std::uint8_t> rest = framed;
    while (!rest.empty()) {
      const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        rest = rest.subspan(static_cast<std::size_t>(sent));
        continue;
      }
      if (errno != EAGAIN && errno != EINTR) return broken(errno);
      if (const auto ready = wait_for(socket_, POLLOUT, deadline); !ready) return ready;
    }
    return Done{};
  }

  Result<DnsMessage> receive(milliseconds timeout) override {
    const Deadline deadline = steady_clock::now() + timeout;
    if (const auto head = fill(2, deadline); !head) return fail(head);
    const std::size_t length = static_cast<std::size_t>(buffer_[0]) << 8U | buffer_[1];
    if (const auto all = fill(2 + length, deadline); !all) return fail(all);
    const auto begin = buffer_.begin() + 2;
    const auto end = begin + static_cast<std::ptrdiff_t>(length);
    DnsMessage message(begin, end);
    buffer_.erase(buffer_.begin(), end);
    return message;
  }

 private:
  // Receives until the buffer holds `size` bytes.
  Result<Done> fill(std::size_t size, Deadline deadline) {
    std::array<std::uint8_t, 16384> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (buffer_.size() < size) {
      const ssize_t got = recv(socket_.get(), chunk.data(), chunk.size(), 0);
      if (got > 0) {
        acknowledge();
        buffer_.insert(buffer_.end(), chunk.begin(), chunk.begin() + got);
        continue;
      }
      if (got == 0) return broken(0);
      if (errno != EAGAIN && errno != EINTR) return broken(errno);
      if (const auto ready = wait_for(socket_, POLLIN, deadline); !ready) return ready;
    }
    return Done{};
  }

  // A server that gathers small answers (Nagle's algorithm, RFC 1122 §4.2.3.4) keeps the next one
  // back until this one is acknowledged, which Linux otherwise puts off by 40 ms. Not lasting: it
  // holds for what comes next.
  void acknowledge() const {
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  }

  Socket socket_;
  std::vector<std::uint8_t> buffer_;
};

Result<std::unique_ptr<DnsConnection>> connect_to(const addrinfo& address, Deadline deadline) {
  Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return broken(errno);
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return broken(errno);
    if (const auto ready = wait_for(socket, POLLOUT, deadline); !ready) return fail(ready);
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return broken(error);
  }
  return std::make_unique<TcpConnection>(std::move(socket));
}

class Network final : public DnsExchange {
 public:
  Result<std::unique_ptr<DnsConnection>> connect(const std::string& host, std::uint16_t port,
                                                 milliseconds timeout) override {
    const Deadline deadline = steady_clock::now() + timeout;
    const std::string where = fmt::format("{} port {}", host, port);
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
    const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
    if (status != 0)
      return fail(Code::unreachable, gai_strerror(status), where, "check the server's name");
    Result<std::unique_ptr<DnsConnection>> opened =
        fail(Code::unreachable, "the name has no address");
    for (const addrinfo* entry = addresses.get(); entry != nullptr; entry = entry->ai_next) {
      opened = connect_to(*entry, deadline);
      if (opened) return opened;
    }
    opened.error().hint = "is the server running, and is its port right?";
    return fail_at(opened, where);
  }
};

}  // namespace

std::unique_ptr<DnsExchange> real_dns_exchange() {
  return std::make_unique<Network>();
}

}  // namespace stsctl::io
