#pragma once
// What a mail server that we trust says of a mail's DKIM signatures (RFC 8601). Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/name.h"

namespace stsctl::reports {

/// The domain of a DKIM signature that `trusted` found valid and that speaks for `from`: the same
/// domain, one below it or one above it. `headers` are the values of the mail's
/// Authentication-Results; only those count whose authserv-id is among `trusted`, which by
/// RFC 8601 §5 only that server can have written, since it takes out others that bear its name.
/// None when there is none.
std::optional<dns::Name> verified_signer(const std::vector<std::string>& headers,
                                         const std::vector<std::string>& trusted,
                                         const dns::Name& from);

}  // namespace stsctl::reports
