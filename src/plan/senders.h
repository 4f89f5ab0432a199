#pragma once
// A model of the senders that cache a policy (RFC 8461 §3.3, §5): given what a domain shows over
// time, for how long may one of them refuse good mail? Pure; knows no plan.

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "dns/name.h"
#include "sts/policy.h"

namespace stsctl::plan {

/// How a sender treats the policy it has stored. All three exist.
enum class SenderKind {
  prompt,  ///< Looks at the id with every delivery, and fetches when it differs.
  daily,   ///< Looks at the id every 24 hours, as RFC 8461 §3.3 suggests.
  strict,  ///< Keeps a policy for its whole max_age and looks at nothing before.
};
const char* to_string(SenderKind kind);

/// Something that holds from a moment on, until the next of its kind. Moments are seconds from any
/// zero, negative ones too.
template <class T>
struct Since {
  Duration at{0};
  T what;
  bool operator==(const Since&) const = default;
};

/// What a domain shows to senders. Each list is sorted by time; its first entry holds since ever.
struct Timeline {
  std::vector<Since<std::optional<sts::Policy>>> policies;  ///< Served; none: nothing is.
  std::vector<Since<std::optional<std::string>>> ids;       ///< In _mta-sts; none: no record.
  /// The hosts in the MX records that a verified TLS session can be had with.
  std::vector<Since<std::vector<dns::Name>>> mx;

  Duration edge_delay{
      0};              ///< For so long a cache before the policy host may serve an older policy.
  Duration id_ttl{0};  ///< The same for resolvers and the id,
  Duration mx_ttl{0};  ///< and for resolvers and the MX records.
  Duration tick{1};    ///< The shortest time that counts.
  Duration from{0};    ///< What was refused before is not counted.
};

/// The worst that one sender of a kind can do, whenever it first saw the domain and however much
/// later than others it sees each change.
struct Refusal {
  Duration total{0};     ///< For so long it cannot deliver to any host, although one is there.
  Duration begin{0};     ///< When that begins first, on the timeline's clock.
  Duration end{0};       ///< When it is over for good.
  bool lasting = false;  ///< It is not over: what is shown last is refused. `total` says nothing.
  bool operator==(const Refusal&) const = default;
};
/// Is `left` worse than `right`?
bool worse(const Refusal& left, const Refusal& right);
Refusal worst_refusal(const Timeline& timeline, SenderKind kind);

/// May some sender have stored a policy under an id that goes on to be published while another
/// policy is served? It then takes the old for the new until its max_age is over, whatever its kind
/// (RFC 8461 §8.1).
bool may_store_stale(const Timeline& timeline);

}  // namespace stsctl::plan
