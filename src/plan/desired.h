#pragma once
// What the configuration asks for, one domain at a time, with nothing left to look up.

#include <optional>
#include <string>
#include <vector>

#include "base/boxed.h"
#include "base/time.h"
#include "dns/name.h"
#include "dns/record_set.h"
#include "plan/rollout_state.h"
#include "plan/senders.h"
#include "sts/policy.h"
#include "sts/record.h"

namespace stsctl::plan {

/// The address record that the policy host name mta-sts.DOMAIN needs.
struct Address {
  std::optional<dns::Name> cname;  ///< Either this…
  std::vector<std::string> a;      ///< …or at least one of these, canonical IPv4 text,
  std::vector<std::string> aaaa;   ///< and IPv6 text.
  bool operator==(const Address&) const = default;
};

/// How a new id is made (docs/policy-id.md).
enum class IdStrategy {
  automatic,  ///< sts::PolicyId: when, until when, which. The default.
  timestamp,  ///< "20261124T081500Z": loses drift detection and the cache horizon.
  digest,     ///< 32 characters of the policy's SHA-256: cannot force a refetch, repeats.
  fixed,      ///< Written by hand in the configuration; bumping is the operator's work.
};

const char* to_string(IdStrategy strategy);

/// How long resolvers may keep what is published. One that is not stated keeps what is there, and
/// is the default below where a record set is created.
struct Ttls {
  std::optional<Duration> sts;      ///< _mta-sts TXT.
  std::optional<Duration> tlsrpt;   ///< _smtp._tls TXT.
  std::optional<Duration> address;  ///< mta-sts A, AAAA, CNAME.
  bool operator==(const Ttls&) const = default;
};
/// Short enough that prompt senders follow a new id within minutes.
inline constexpr Duration default_sts_ttl{300};
/// Large, as RFC 8460 §7 advises.
inline constexpr Duration default_tlsrpt_ttl{86400};
inline constexpr Duration default_address_ttl{3600};

/// The wanted state of one domain.
struct Desired {
  dns::Name domain;
  std::string dns;                          ///< Key under `dns:` in the configuration.
  std::string host;                         ///< Key under `hosts:`; empty without a policy.
  std::optional<sts::Policy> policy;        ///< None: MTA-STS is not managed here.
  bool mx_live = false;                     ///< The patterns are the hosts of the MX records.
  std::optional<sts::TlsRptRecord> tlsrpt;  ///< None: TLS-RPT is not managed here.
  std::optional<Address> address;           ///< None: made by the host, or by somebody else.
  IdStrategy id_strategy = IdStrategy::automatic;
  std::string fixed_id;  ///< With IdStrategy::fixed.
  Ttls ttls;
  bool retired = false;         ///< MTA-STS ends here: `policy` is mode none, then all of it goes.
  bool tlsrpt_retired = false;  ///< The TLS-RPT record goes; then `tlsrpt` is none.
  bool takeover = false;        ///< May replace a CNAME at the two TXT names.
  Duration edge_delay{0};       ///< How long a cache before the host may lag.
  SenderKind safety = SenderKind::strict;   ///< The least prompt senders to wait for.
  bool as_configured = false;               ///< The host serves what the configuration says.
  std::optional<Duration> longest_max_age;  ///< Longest max_age served before stsctl, if known.
  /// A rollout chooses the policy's mode and max_age: what it decided. Undecided, they say nothing.
  Boxed<RolloutState> rollout;
  bool operator==(const Desired&) const = default;
};

/// The three names of a domain that stsctl reads and writes; it touches nothing else.
struct Owners {
  dns::Name sts;      ///< _mta-sts.DOMAIN
  dns::Name tlsrpt;   ///< _smtp._tls.DOMAIN
  dns::Name address;  ///< mta-sts.DOMAIN, the policy host
};
Owners owners(const dns::Name& domain);

}  // namespace stsctl::plan
