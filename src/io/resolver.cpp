#include "io/resolver.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <random>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "io/dns_message.h"

namespace stsctl::io {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Deadline = steady_clock::time_point;

constexpr int tries_per_server = 2;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::optional<SocketAddress> socket_address(const Nameserver& server) {
  SocketAddress address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, server.address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(server.port);
    address.size = sizeof v4;
    std::memcpy(&address.storage, &v4, sizeof v4);
    return address;
  }
  if (inet_pton(AF_INET6, server.address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(server.port);
    address.size = sizeof v6;
    std::memcpy(&address.storage, &v6, sizeof v6);
    return address;
  }
  return std::nullopt;
}

std::unexpected<Error> broken(int error) {
  return fail(Code::unreachable, std::generic_category().message(error));
}

// A UDP socket that hears only from one server.
class UdpSocket {
 public:
  explicit UdpSocket(const SocketAddress& address)
      : descriptor_(
            socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_storage storage = address.storage;
    if (descriptor_ >= 0 &&
        connect(descriptor_, reinterpret_cast<sockaddr*>(&storage), address.size) != 0)
      error_ = errno;
    if (descriptor_ < 0) error_ = errno;
  }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  Result<Done> send(const DnsMessage& message) const {
    if (error_ != 0) return broken(error_);
    if (::send(descriptor_, message.data(), message.size(), MSG_NOSIGNAL) < 0) return broken(errno);
    return Done{};
  }

  Result<DnsMessage> receive(Deadline deadline) const {
    std::array<std::uint8_t, 65535> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (true) {
      const ssize_t got = recv(descriptor_, buffer.data(), buffer.size(), 0);
      if (got >= 0) return DnsMessage(buffer.begin(), buffer.begin() + got);
      if (errno != EAGAIN && errno != EINTR) return broken(errno);
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
      if (left.count() <= 0) return fail(Code::timeout, "no answer");
      pollfd entry{descriptor_, POLLIN, 0};
      poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60000)));
    }
  }

 private:
  int descriptor_;
  int error_ = 0;
};

// The `nameserver` lines of resolv.conf(5).
std::vector<Nameserver> system_servers() {
  std::vector<Nameserver> servers;
  std::ifstream in("/etc/resolv.conf");
  for (std::string line; std::getline(in, line);) {
    constexpr std::string_view word = "nameserver";
    if (!line.starts_with(word)) continue;
    const std::string address(trim(std::string_view(line).substr(word.size())));
    if (socket_address({address, 53})) servers.push_back({address, 53});
  }
  if (servers.empty()) servers.push_back({"127.0.0.1", 53});
  return servers;
}

std::uint16_t random_id() {
  thread_local std::random_device device;
  return static_cast<std::uint16_t>(device());
}

class NetworkResolver final : public Resolver {
 public:
  NetworkResolver(DnsExchange& exchange, ResolverOptions options)
      : exchange_(exchange), options_(std::move(options)) {
    if (options_.servers.empty()) options_.servers = system_servers();
  }

  Result<DnsAnswer> resolve(const dns::Name& name, Question question) override {
    return ask_in_turn(options_.servers, name, question, true);
  }

  Result<DnsAnswer> ask(const Nameserver& server, const dns::Name& name,
                        Question question) override {
    return ask_in_turn({server}, name, question, false);
  }

 private:
  // Each server in turn, then each again with more patience. What a server refuses, another may
  // answer.
  Result<DnsAnswer> ask_in_turn(const std::vector<Nameserver>& servers, const dns::Name& name,
                                Question question, bool recursion) {
    const Deadline end = steady_clock::now() + options_.deadline;
    Result<DnsAnswer> last = fail(Code::timeout, "no answer");
    milliseconds patience = options_.timeout;
    for (int attempt = 0; attempt < tries_per_server; ++attempt, patience *= 2)
      for (const Nameserver& server : servers) {
        const Deadline deadline = std::min(end, steady_clock::now() + patience);
        last = ask_once(server, name, question, recursion, deadline);
        if (last) return last;
        last = fail_at(last, fmt::format("{} {} at {}", name.text(), io::to_string(question),
                                         io::to_string(server)));
        if (steady_clock::now() >= end) return last;
      }
    return last;
  }

  Result<DnsAnswer> ask_once(const Nameserver& server, const dns::Name& name, Question question,
                             bool recursion, Deadline deadline) {
    const std::optional<SocketAddress> address = socket_address(server);
    if (!address) return fail(Code::invalid, "no address of a name server");
    const QueryOptions options{.id = random_id(), .recursion = recursion};
    const DnsMessage query = make_query(name, question, options);
    const UdpSocket socket(*address);
    if (const auto sent = socket.send(query); !sent) return fail(sent);
    while (true) {
      const Result<DnsMessage> message = socket.receive(deadline);
      if (!message) return fail(message);
      Result<ReadAnswer> read = read_answer(*message, name, question, options.id);
      // What answers another question is a late answer, or a guess.
      if (!read && read.error().code == Code::protocol && !same_id(*message, options.id)) continue;
      if (!read) return fail(read);
      if (!read->truncated) return std::move(read->answer);
      return ask_over_tcp(server, query, name, question, options.id);
    }
  }

  static bool same_id(const DnsMessage& message, std::uint16_t id) {
    return message.size() >= 2 && (message[0] << 8U | message[1]) == id;
  }

  Result<DnsAnswer> ask_over_tcp(const Nameserver& server, const DnsMessage& query,
                                 const dns::Name& name, Question question, std::uint16_t id) {
    auto connection = exchange_.connect(server.address, server.port, options_.deadline);
    if (!connection) return fail(connection);
    if (const auto sent = (*connection)->send(std::span(&query, 1), options_.deadline); !sent)
      return fail(sent);
    const Result<DnsMessage> message = (*connection)->receive(options_.deadline);
    if (!message) return fail(message);
    Result<ReadAnswer> read = read_answer(*message, name, question, id);
    if (!read) return fail(read);
    if (read->truncated)
      return fail(Code::protocol, "the answer is cut off, which TCP never needs");
    return std::move(read->answer);
  }

  DnsExchange& exchange_;
  ResolverOptions options_;
};

}  // namespace

const char* to_string(Question question) {
  switch (question) {
    case Question::a:
      return "A";
    case Question::ns:
      return "NS";
    case Question::cname:
      return "CNAME";
    case Question::soa:
      return "SOA";
    case Question::mx:
      return "MX";
    case Question::txt:
      return "TXT";
    case Question::aaaa:
      return "AAAA";
    case Question::tlsa:
      return "TLSA";
  }
  return "TXT";
}

Result<Nameserver> parse_nameserver(std::string_view text) {
  Nameserver server{.address = std::string(text)};
  std::string_view port;
  if (text.starts_with('[') && text.find(']') != std::string_view::npos) {
    const std::size_t close = text.find(']');
    server.address = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && (port.size() == 1 || port[0] != ':')) server.address.clear();
    if (!port.empty()) port.remove_prefix(1);
  } else if (std::ranges::count(text, ':') == 1) {
    const std::size_t colon = text.find(':');
    server.address = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (error != std::errc() || end != port.data() + port.size() || server.port == 0)
      server.address.clear();
  }
  if (socket_address(server)) return server;
  return fail(Code::invalid, fmt::format("'{}' is no address of a name server", printable(text)),
              {}, "write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53");
}

std::string to_string(const Nameserver& server) {
  if (server.port == 53) return server.address;
  if (server.address.contains(':')) return fmt::format("[{}]:{}", server.address, server.port);
  return fmt::format("{}:{}", server.address, server.port);
}

std::unique_ptr<Resolver> real_resolver(DnsExchange& exchange, ResolverOptions options) {
  return std::make_unique<NetworkResolver>(exchange, std::move(options));
}

}  // namespace stsctl::io
