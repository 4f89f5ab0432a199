#pragma once
// A client that sends bytes as they are, with a deadline on every wait.

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stsctl::serve {

class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0)
      : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0)
      setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect");
  }
  Client(Client&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), text_(std::move(other.text_)) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  /// False when the other side has closed.
  bool send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// One answer, head and body; "" when the connection ends or ten seconds pass before it is whole.
  std::string answer(bool has_body = true) {
    std::size_t end = std::string::npos;
    while ((end = text_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return {};
    std::size_t size = end + 4;
    const std::string field = "Content-Length: ";
    const std::size_t at = text_.find(field);
    if (has_body && at < end) size += std::stoul(text_.substr(at + field.size()));
    while (text_.size() < size)
      if (!more()) return {};
    std::string one = text_.substr(0, size);
    text_.erase(0, size);
    return one;
  }

  /// The status of the next answer; 0: none came.
  int status() {
    const std::string one = answer();
    return one.size() < 12 ? 0 : std::stoi(one.substr(9, 3));
  }

  /// Does the other side end the connection, properly, within ten seconds and with no more data?
  bool ended() {
    while (more()) {
    }
    return text_.empty() && ended_ && !reset_;
  }

  int descriptor() const { return descriptor_; }

 private:
  bool more() {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (poll(&waiting, 1, 10'000) != 1) return false;
    char buffer[4096];
    const ssize_t count = recv(descriptor_, buffer, sizeof buffer, 0);
    ended_ = count <= 0;
    reset_ = count < 0;
    if (count <= 0) return false;
    text_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int descriptor_;
  std::string text_;
  bool ended_ = false;
  bool reset_ = false;
};

}  // namespace stsctl::serve
