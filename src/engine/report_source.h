#pragma once
// The store of reports as evidence for rollouts.

#include <string>
#include <vector>

#include "rollout/evidence.h"

namespace stsctl::engine {

/// Asks the store at `path`, which is opened when it is first asked. Reports count that one of
/// `signers` signed; empty: whoever did. One caller at a time. Errors: Code::not_found where there
/// is no store yet, otherwise as reports::Store's.
rollout::ReportSource report_source(std::string path, std::vector<std::string> signers);

}  // namespace stsctl::engine
