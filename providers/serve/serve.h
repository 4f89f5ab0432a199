#pragma once
// Policy host "serve": the web server built into stsctl (`stsctl serve`, src/serve).

#include <optional>
#include <string>

#include "providers/provider.h"

namespace stsctl::providers::serve {

HostKind kind();

/// Where the server finds the policy of a domain: the file that apply() writes, if the settings
/// name a `root`; none when it serves what its configuration says. Code::invalid for a bad `path`.
Result<std::optional<std::string>> stored_file(const Settings& settings, const dns::Name& domain);

}  // namespace stsctl::providers::serve
