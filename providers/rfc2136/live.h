#pragma once
// Between records on the wire and record sets: what is live, and the UPDATE that changes it. Pure.

#include <optional>
#include <vector>

#include "plan/plan.h"
#include "providers/rfc2136/wire.h"

namespace stsctl::providers::rfc2136 {

/// One record set and its records as the server holds them.
struct LiveSet {
  dns::RecordSet set;
  std::uint16_t type = 0;
  std::vector<Record> records;
};

/// The sets among `records` that belong to `owner`; DNSSEC's own records (RRSIG, NSEC) are left
/// out. Type::locked where a value has no canonical form (a CNAME to the root, for instance).
/// Code::protocol when rdata breaks its type's format.
Result<std::vector<LiveSet>> live_sets(const dns::Name& owner, const std::vector<Record>& records);

/// The sections of one UPDATE.
struct Update {
  std::vector<Record> prerequisites;
  std::vector<Record> updates;
  bool operator==(const Update&) const = default;
};

/// Is this edit's only change the TTL? A value prerequisite does not see that (RFC 2136 §2.4.2).
bool only_ttl(const plan::RecordEdit& edit);

/// The UPDATE that makes `edits` true, for a zone where `live` stands at their owners: every set
/// must still be as it stands in `live`, values that stay keep their cut into strings, and `soa`,
/// if given, must not have changed either. Edits already done are left out; both sections are empty
/// when all are.
Update make_changes(const std::vector<LiveSet>& live, const std::optional<Record>& soa,
                    const std::vector<plan::RecordEdit>& edits);

}  // namespace stsctl::providers::rfc2136
