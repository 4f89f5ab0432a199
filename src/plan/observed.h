#pragma once
// What is published now, as far as it could be read.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/record_set.h"

namespace stsctl::plan {

/// What one name holds: the zone it lies in, and every record set at it (types that stsctl does not
/// manage as Type::other). No record sets: the name is absent.
struct NameState {
  dns::Name zone;
  std::vector<dns::RecordSet> sets;
  bool operator==(const NameState&) const = default;
};

/// What could be seen of one domain. An Error means *could not be read*, which is never taken for
/// absent; `policy` without a value means the host serves none.
struct Observed {
  dns::Name domain;
  Result<NameState> sts;
  Result<NameState> tlsrpt;
  Result<NameState> address;
  Result<std::optional<std::string>> policy;
  bool operator==(const Observed&) const = default;
};

/// The record set of `type` at a name, or null.
const dns::RecordSet* find(const NameState& state, dns::Type type);
/// The values of the TXT set at a name, none if there is no such set.
std::vector<std::string> txt_values(const NameState& state);

}  // namespace stsctl::plan
