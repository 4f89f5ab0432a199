#pragma once
// Which policies a configuration has `stsctl serve` answer with. Knows no socket.

#include "config/config.h"
#include "io/services.h"
#include "serve/policies.h"

namespace stsctl::cli {

/// For every domain with a policy: what apply() stored, where its host is of kind `serve` with a
/// `root`; else what the configuration says, as plan and apply would publish it. A stored file that
/// cannot be read is logged; then the policy of `before` stays, or it is answered that nobody
/// knows.
serve::SharedPolicies served_policies(const config::Config& config, const io::Services& services,
                                      const serve::SharedPolicies& before);

}  // namespace stsctl::cli
