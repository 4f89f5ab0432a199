#pragma once
// Questions to the domain name system as a mail server asks them, behind an interface so that a
// test can answer. Knows no zone and no record of ours.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/name.h"
#include "io/dns_exchange.h"

namespace stsctl::io {

/// What may be asked for, by its number (RFC 1035 §3.2.2, RFC 3596, RFC 6698).
enum class Question : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  mx = 15,
  txt = 16,
  aaaa = 28,
  tlsa = 52,
};
/// "A", "TXT".
const char* to_string(Question question);

/// What a name server says about one name and type.
struct DnsAnswer {
  enum class Kind {
    records,  ///< There are some.
    no_data,  ///< The name exists, records of this type do not.
    no_name,  ///< The name does not exist (NXDOMAIN).
  };
  Kind kind = Kind::records;
  std::vector<std::string> aliases;  ///< The targets of the CNAMEs followed, in order.
  /// In the order they came. A, AAAA: canonical text. NS, CNAME: lower case, no final dot ("." is
  /// the root). MX: "10 mail.example.com". TXT: the strings joined, as bytes. SOA, TLSA: in
  /// master-file form.
  std::vector<std::string> values;
  Duration ttl{0};             ///< The shortest along the chain; of nothing: how long that holds.
  bool authoritative = false;  ///< From a server of the zone itself.
  bool authenticated = false;  ///< The resolver has validated it with DNSSEC.
  bool operator==(const DnsAnswer&) const = default;
};

/// A name server: an address and a port.
struct Nameserver {
  std::string address;  ///< "192.0.2.1", "2001:db8::1"
  std::uint16_t port = 53;
  bool operator==(const Nameserver&) const = default;
};
/// "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; Code::invalid else.
Result<Nameserver> parse_nameserver(std::string_view text);
/// The same, the port only where it is not 53.
std::string to_string(const Nameserver& server);

/// Calls may come from any thread, thousands at once.
class Resolver {
 public:
  virtual ~Resolver() = default;

  /// Asks the recursive resolvers, CNAMEs followed. Errors: Code::unreachable (SERVFAIL, REFUSED:
  /// said by the server, and which), Code::timeout, Code::protocol (an answer that cannot be read
  /// or CNAMEs in a circle).
  virtual Result<DnsAnswer> resolve(const dns::Name& name, Question question) = 0;

  /// Asks one server without recursion, as a resolver would. Errors as resolve().
  virtual Result<DnsAnswer> ask(const Nameserver& server, const dns::Name& name,
                                Question question) = 0;
};

/// How the machine's resolver asks.
struct ResolverOptions {
  std::vector<Nameserver> servers;            ///< Empty: those of /etc/resolv.conf.
  std::chrono::milliseconds timeout{2000};    ///< For one answer over UDP; doubles with each try.
  std::chrono::milliseconds deadline{10000};  ///< For all tries together.
};

/// The machine's own network. `exchange` carries what does not fit into UDP.
std::unique_ptr<Resolver> real_resolver(DnsExchange& exchange, ResolverOptions options = {});

}  // namespace stsctl::io
