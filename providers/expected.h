#pragma once
// Is what is live what an edit expects to replace? Shared by providers that compare by re-reading.

#include <vector>

#include "providers/provider.h"

namespace stsctl::providers {

/// Done if, for every edit, the live record set equals its `before` or already its `after`.
/// Code::conflict, naming the first that differs and what stands there, otherwise; also where a
/// CNAME would come to stand beside another record (RFC 1034 §3.6.2), which some servers pass over
/// in silence (RFC 2136 §3.4.2.2) and files just hold. Code::refused where a set at the owner is
/// Type::locked. `live` holds the record sets at the edits'
/// owners.
Result<Done> check_expected(const std::vector<dns::RecordSet>& live,
                            const std::vector<plan::RecordEdit>& edits);

/// The owners that `edits` touch, each once, as a query for the zone.
ZoneQuery query_of(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits);

/// Are all owners inside `zone`? Code::invalid, naming the first that is not.
Result<Done> check_inside(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits);

}  // namespace stsctl::providers
