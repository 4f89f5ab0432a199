#include "servers/relay.h"

#include <array>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stsctl::servers {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int nap = 5;  // ms until a stop, a cut or a due answer is seen

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int connected_to(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  close(descriptor);
  return -1;
}

bool send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Nothing once the other side is gone.
std::string received(int descriptor) {
  std::array<char, 65536> buffer{};
  const ssize_t count = recv(descriptor, buffer.data(), buffer.size(), 0);
  return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : std::string();
}

void send_at_once(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void reset(int descriptor) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(descriptor);
}

}  // namespace

// A piece of an answer on its way.
struct Relay::Piece {
  steady_clock::time_point due;
  std::size_t looks;  // how often the condition must have been asked
  std::string bytes;
};

struct Relay::Wire {
  int client = -1;
  int server = -1;
  std::atomic<bool> cut{false};
  std::jthread thread;
};

Relay::Relay(std::uint16_t target) : target_(target) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 128) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the relay cannot listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

Relay::~Relay() {
  acceptor_.request_stop();
  acceptor_.join();
  close(listener_);
}

void Relay::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, nap) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    ++accepted_;
    const std::lock_guard lock(guard_);
    Wire& wire = wires_.emplace_back();
    wire.client = client;
    wire.server = connected_to(target_);
    send_at_once(wire.client);
    send_at_once(wire.server);
    wire.thread = std::jthread([this, &wire](const std::stop_token& end) { pass(wire, end); });
  }
}

void Relay::pass(Wire& wire, const std::stop_token& stop) const {
  std::deque<Piece> under_way;
  bool open = wire.server >= 0;
  while (open && !wire.cut && !stop.stop_requested()) {
    while (!under_way.empty() && may_arrive(under_way.front())) {
      open = open && send_all(wire.client, under_way.front().bytes);
      under_way.pop_front();
    }
    std::array<pollfd, 2> waiting{{{wire.client, POLLIN, 0}, {wire.server, POLLIN, 0}}};
    if (held_) {
      poll(nullptr, 0, nap);
      continue;
    }
    const int longest = under_way.empty() ? nap : 1;
    if (poll(waiting.data(), waiting.size(), longest) <= 0) continue;
    if (waiting[0].revents != 0) {
      const std::string bytes = received(wire.client);
      open = open && !bytes.empty() && send_all(wire.server, bytes);
    }
    if (waiting[1].revents != 0) {
      std::string bytes = received(wire.server);
      if (bytes.empty() && under_way.empty()) open = false;
      if (!bytes.empty())
        // The look that may be under way is not one after it came, but the next is.
        under_way.push_back({steady_clock::now() + delay_.load(), looks_ + 2, std::move(bytes)});
    }
  }
  const auto end = wire.cut ? reset : [](int descriptor) { close(descriptor); };
  end(wire.client);
  if (wire.server >= 0) end(wire.server);
}

bool Relay::may_arrive(const Piece& piece) const {
  return piece.due <= steady_clock::now() && !held_ && (!watched_ || piece.looks <= looks_);
}

void Relay::cut() {
  const std::lock_guard lock(guard_);
  for (Wire& wire : wires_)
    wire.cut = true;
}

void Relay::cut_when(std::function<bool()> condition) {
  watcher_ = {};  // an earlier one ends
  has_cut_ = false;
  watched_ = true;
  watcher_ = std::jthread([this, condition = std::move(condition)](const std::stop_token& stop) {
    while (!stop.stop_requested() && !condition()) {
      ++looks_;
      std::this_thread::sleep_for(milliseconds(1));
    }
    if (!stop.stop_requested()) {
      cut();
      has_cut_ = true;
    }
    watched_ = false;
  });
}

}  // namespace stsctl::servers
