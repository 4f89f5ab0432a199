#pragma once
// Everything that a sender can see of a domain, gathered from DNS, its policy host and its mail
// hosts. Judges nothing: that is verdict.h.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/probe.h"
#include "io/resolver.h"
#include "plan/observed.h"
#include "providers/provider.h"

namespace stsctl::engine {

/// What one of the zone's own name servers says of _mta-sts.DOMAIN.
struct ServerFacts {
  std::string name;  ///< "ns1.example.net"
  io::Nameserver server;
  Result<io::DnsAnswer> sts;
};

/// The policy as one address of the policy host serves it.
struct PolicyFacts {
  std::string address;
  io::HttpsProbe probe;
};

/// One host of the MX records.
struct HostFacts {
  dns::Name host;
  Result<io::DnsAnswer> a, aaaa;
  Result<io::DnsAnswer> tlsa;  ///< At _25._tcp.HOST (RFC 7672).
  struct Address {
    std::string address;
    io::SmtpProbe probe;
  };
  std::vector<Address> addresses;
};

/// An https: destination of TLS-RPT reports.
struct RuaFacts {
  std::string uri;
  Result<Done> reached;
};

/// One domain, at one moment.
struct Facts {
  dns::Name domain;
  Time when{};
  Result<io::DnsAnswer> sts, tlsrpt;
  std::vector<ServerFacts> servers;
  Result<io::DnsAnswer> a, aaaa;  ///< Of mta-sts.DOMAIN.
  std::vector<PolicyFacts> policies;
  Result<io::DnsAnswer> mx;
  Result<plan::LiveMx> live_mx;  ///< `mx`, as senders read it.
  std::vector<HostFacts> hosts;
  std::vector<RuaFacts> rua;
  Result<io::DnsAnswer> txt;    ///< Of the domain: SPF stands there.
  Result<io::DnsAnswer> dmarc;  ///< Of _dmarc.DOMAIN.
};

/// How to look. Other ports than the standard's are for tests and for tunnels.
struct LookOptions {
  std::uint16_t dns_port = 53;
  std::uint16_t https_port = 443;
  std::uint16_t smtp_port = 25;
  bool smtp =
      true;  ///< False: leave the mail hosts alone; many networks let nobody out to port 25.
};

/// What looks.
struct Eyes {
  io::Resolver& resolver;
  io::Prober& prober;
  io::Clock& clock;
};

Facts look_at(const dns::Name& domain, const Eyes& eyes, const LookOptions& options);

/// Many, side by side; results pair with `domains`, none for what was not reached before a stop.
/// `watch` advances by one a domain.
std::vector<std::optional<Facts>> look_at_all(const std::vector<dns::Name>& domains,
                                              const Eyes& eyes, const LookOptions& options,
                                              const providers::Watch& watch);

}  // namespace stsctl::engine
