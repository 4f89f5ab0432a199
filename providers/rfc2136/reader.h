#pragma once
// What stands at owner names, read straight at the primary: queries in a few pipelined rounds, or a
// zone transfer where many names of one zone are wanted.

#include <span>
#include <vector>

#include "providers/provider.h"
#include "providers/rfc2136/live.h"
#include "providers/rfc2136/session.h"

namespace stsctl::providers::rfc2136 {

/// The sets at each query's owners; results pair with `queries`. What a wildcard makes up is not
/// there: an UPDATE would not find it either.
std::vector<Result<std::vector<LiveSet>>> read_live(Session& session, const Key& key,
                                                    std::span<const ZoneQuery> queries);

/// The zone each name is in, asked of the server; results pair with `names`. Code::not_found for a
/// name in no zone of the server.
std::vector<Result<dns::Name>> find_cuts(Session& session, const Key& key,
                                         std::span<const dns::Name> names);

}  // namespace stsctl::providers::rfc2136
