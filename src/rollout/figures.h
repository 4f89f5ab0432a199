#pragma once
// Reports added up, as a rollout's gates and brakes count them. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "rollout/evidence.h"
#include "rollout/rollout.h"

namespace stsctl::rollout {

/// Sessions, and those of them that failed for a reason that counts.
struct Figures {
  std::uint64_t sessions = 0;
  std::uint64_t failed = 0;  ///< At most `sessions`.
  bool operator==(const Figures&) const = default;
};

/// The sum over `reports` that end later than `after`. Failures count whose effect is `least` or
/// worse; so do those that a report counts and says no type of. No sum overflows.
Figures add_up(const std::vector<ReportedSessions>& reports, const Rollout& rollout, Effect least,
               Time after);

/// Is the failed share larger than `share`? Not of no sessions.
bool exceeds(const Figures& figures, const Share& share);

/// "12 of 10000 sessions (0.12%)".
std::string describe(const Figures& figures);

}  // namespace stsctl::rollout
