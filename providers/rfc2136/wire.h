#pragma once
// DNS messages: signed queries and updates out, answers in. Pure; knows no connection. libldns
// does the wire format and TSIG (RFC 8945).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/record_set.h"

namespace stsctl::providers::rfc2136 {

using Bytes = std::vector<std::uint8_t>;

/// Record types by number (RFC 1035 §3.2.2, RFC 3596); `any` and `axfr` are for questions, `any`
/// also for updates.
namespace type {
constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, mx = 15, txt = 16, aaaa = 28, rrsig = 46,
                        nsec = 47, nsec3 = 50, axfr = 252, any = 255;
}  // namespace type
/// Classes as UPDATE uses them (RFC 2136 §2.4, §2.5).
namespace record_class {
constexpr std::uint16_t in = 1, none = 254, any = 255;
}  // namespace record_class
/// Response codes (RFC 1035 §4.1.1, RFC 2136 §2.2) and TSIG errors (RFC 8945 §3).
namespace rcode {
constexpr std::uint16_t no_error = 0, form_error = 1, server_failure = 2, nx_domain = 3,
                        not_implemented = 4, refused = 5, yx_domain = 6, yx_rrset = 7, nx_rrset = 8,
                        not_auth = 9, not_zone = 10, bad_sig = 16, bad_key = 17, bad_time = 18;
}  // namespace rcode
/// "NXRRSET", "BADKEY"; "RCODE 23" for one that has no name here.
std::string rcode_name(std::uint16_t code);
/// "TXT"; "TYPE65" for one that has no name here.
std::string type_name(std::uint16_t code);
/// The number of a type; Type::other has none and gives `any`.
std::uint16_t type_code(dns::Type type);

/// The TSIG key. `secret` is base64 and never part of an Error.
struct Key {
  std::string name;
  std::string algorithm;  ///< "hmac-sha256"
  std::string secret;
};

/// One record of a message. Names are lower case, without the final dot; rdata is uncompressed.
struct Record {
  std::string owner;
  std::uint16_t type = 0;
  std::uint16_t cls = record_class::in;
  std::uint32_t ttl = 0;
  Bytes rdata;
  bool operator==(const Record&) const = default;
};

/// A signed request and what its answer is checked against.
struct Request {
  std::uint16_t id = 0;
  Bytes message;
  Bytes mac;  ///< Of the request's TSIG, with its two-byte length in front.
};

/// A signed query without recursion. Code::invalid when the key or a name cannot be used.
Result<Request> make_query(std::uint16_t id, const std::string& owner, std::uint16_t type,
                           const Key& key);
/// A signed UPDATE of one zone (RFC 2136 §2). Code::invalid as make_query.
Result<Request> make_update(std::uint16_t id, const dns::Name& zone,
                            const std::vector<Record>& prerequisites,
                            const std::vector<Record>& updates, const Key& key);

/// An answer.
struct Reply {
  std::uint16_t rcode = 0;
  std::uint16_t tsig_error = 0;  ///< bad_sig, bad_key, bad_time; 0 when the server reports none.
  bool authoritative = false;
  bool verified = false;  ///< Signed with our key. Only an error may come unsigned.
  Time signed_at{};       ///< The server's clock, where it signed or complained of ours.
  std::vector<Record> answer;
  std::vector<Record> authority;
};

/// The id in a message's first two bytes; none when it is shorter than a header.
std::optional<std::uint16_t> message_id(std::span<const std::uint8_t> message);

/// Reads and verifies an answer. Code::protocol: no answer to this request, malformed, truncated,
/// or unsigned though it claims anything but an error; Code::unauthorized: the signature is wrong
/// or too old by `now`.
Result<Reply> read_reply(std::span<const std::uint8_t> message, const Request& request,
                         const Key& key, Time now);

/// Reads the messages of a zone transfer in turn (RFC 5936), each signed over the one before
/// (RFC 8945 §5.3.1). Unsigned messages in between are Code::unsupported.
class TransferReader {
 public:
  TransferReader(const Request& request, const Key& key) : request_(request), key_(key) {}
  /// The records of the next message. Code::unauthorized for a refusal.
  Result<std::vector<Record>> next(std::span<const std::uint8_t> message, Time now);
  /// Has the second SOA come?
  bool complete() const { return soas_ == 2; }

 private:
  const Request& request_;
  const Key& key_;
  Bytes mac_;  // of the message before
  int soas_ = 0;
};

}  // namespace stsctl::providers::rfc2136
