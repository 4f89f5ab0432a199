#pragma once
// What edits are to Route 53: the XML of ChangeResourceRecordSets, within its limits. Pure; knows
// no connection.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"
#include "providers/aws/route53_wire.h"

namespace stsctl::providers::aws {

/// One edit in the service's terms: the set that must be there, exactly, and the one to be there.
struct Swap {
  std::optional<ApiSet> before;
  std::optional<ApiSet> after;
};

const std::string& name_of(const Swap& swap);

/// The swaps that make `edits` true where `sets` stand at their owners; those that are true
/// already are left out. Values that stay keep their spelling. Code::refused when a set at an
/// edit's owner and type is locked; Code::invalid for what the service never takes: a TTL out of
/// range, a value of more than 4,000 characters.
Result<std::vector<Swap>> swaps(const std::vector<ApiSet>& sets,
                                const std::vector<plan::RecordEdit>& edits);

/// One request: its swaps happen all or none.
struct Batch {
  std::vector<Swap> swaps;
  std::string body;  ///< XML; removals stand first.
};

/// As few requests as the limits of one allow (1,000 records, 32,000 characters of values), swaps
/// at one name always in one. Code::invalid when those at one name are beyond them.
Result<std::vector<Batch>> batches(const std::vector<Swap>& swaps);

}  // namespace stsctl::providers::aws
