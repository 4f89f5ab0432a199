#pragma once
// DNS messages to and from one server over TCP (RFC 7766), behind an interface so that a test can
// break it. Knows no message format but the two-byte length in front (RFC 1035 §4.2.2).

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace stsctl::io {

/// One DNS message as it goes over the wire, without the length in front.
using DnsMessage = std::vector<std::uint8_t>;

/// One open connection; used by one thread at a time. After an error it is of no more use.
class DnsConnection {
 public:
  virtual ~DnsConnection() = default;

  /// Sends the messages one after another without waiting for answers (pipelining, RFC 7766
  /// §6.2.1.1). The caller bounds how many are unanswered, so that neither side blocks the other.
  /// Code::invalid for a message longer than 65535 bytes, Code::unreachable when the connection
  /// breaks, Code::timeout when it takes longer than `timeout`.
  virtual Result<Done> send(std::span<const DnsMessage> messages,
                            std::chrono::milliseconds timeout) = 0;

  /// The next message. Code::unreachable when the connection ends before all of it came,
  /// Code::timeout when that takes longer than `timeout`.
  virtual Result<DnsMessage> receive(std::chrono::milliseconds timeout) = 0;
};

/// Opens connections. Calls may come from any thread.
class DnsExchange {
 public:
  virtual ~DnsExchange() = default;

  /// Connects to `host` (an address or a name) at TCP `port`, trying each address it has.
  /// Code::unreachable with the system's reason, Code::timeout after `timeout` in all.
  virtual Result<std::unique_ptr<DnsConnection>> connect(const std::string& host,
                                                         std::uint16_t port,
                                                         std::chrono::milliseconds timeout) = 0;
};

/// The machine's own network.
std::unique_ptr<DnsExchange> real_dns_exchange();

}  // namespace stsctl::io
