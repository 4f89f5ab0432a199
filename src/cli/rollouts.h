#pragma once
// The evidence that rollouts go by, gathered for a session, with progress shown.

#include <string>
#include <vector>

#include "cli/looking.h"
#include "cli/session.h"

namespace stsctl::cli {

/// Where evidence may be taken from.
struct EvidenceOptions {
  bool left_out = false;            ///< --no-evidence: from nowhere.
  const LookFlags* look = nullptr;  ///< How to look; null: nobody looks.
};

/// Adds --no-evidence.
void add_evidence_flag(CLI::App& command, bool& left_out);

/// Gives session.desired the policies that the rollouts choose, from `observed`, which pairs with
/// it, and from evidence. Asks for MX records where a lost policy cannot be told without.
void decide_rollouts(Context& context, Session& session, std::vector<plan::Observed>& observed,
                     const EvidenceOptions& options);

}  // namespace stsctl::cli
