#pragma once
// What is published now, as far as it could be read.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dns/record_set.h"
#include "sts/policy.h"
#include "sts/policy_id.h"

namespace stsctl::plan {

/// What one name holds: the zone it lies in, and every record set at it (types that stsctl does not
/// manage as Type::other). No record sets: the name is absent.
struct NameState {
  dns::Name zone;
  std::vector<dns::RecordSet> sets;
  bool operator==(const NameState&) const = default;
};

/// The hosts that take a domain's mail, as DNS names them now: those of its MX records, or the
/// domain itself where there are none (RFC 5321 §5.1). None: it takes no mail (null MX, RFC 7505).
struct LiveMx {
  std::vector<dns::Name> hosts;  ///< In their order of preference.
  Duration ttl{0};
  bool implicit = false;  ///< There are no MX records.
  bool operator==(const LiveMx&) const = default;
};

/// What could be seen of one domain. An Error means *could not be read*, which is never taken for
/// absent; `policy` without a value means the host serves none.
struct Observed {
  dns::Name domain;
  Result<NameState> sts;
  Result<NameState> tlsrpt;
  Result<NameState> address;
  Result<std::optional<std::string>> policy;
  std::optional<Result<LiveMx>> mx = {};  ///< None: nobody looked.
  bool operator==(const Observed&) const = default;
};

/// The record set of `type` at a name, or null.
const dns::RecordSet* find(const NameState& state, dns::Type type);
/// The values of the TXT set at a name, none if there is no such set.
std::vector<std::string> txt_values(const NameState& state);

/// The policy that the host serves; none where it serves none, an invalid one, or cannot be read.
std::optional<sts::Policy> served_policy(const Observed& observed);
/// What the published id says, if it is the only one and of our making.
std::optional<sts::PolicyId> published_id(const Observed& observed);
/// The same of the TXT values at the name.
std::optional<sts::PolicyId> published_id(const std::vector<std::string>& values);

}  // namespace stsctl::plan
