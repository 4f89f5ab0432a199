#pragma once
// Waits until policies are served: by their host as it tells itself, and by every address of the
// host as a sender fetches them.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/look.h"
#include "io/clock.h"
#include "plan/plan.h"
#include "providers/provider.h"

namespace stsctl::engine {

/// How policies are confirmed.
struct ConfirmOptions {
  std::optional<Eyes> eyes;         ///< None: only the host itself is asked.
  LookOptions look;                 ///< With `eyes`.
  bool wait = true;                 ///< False: one look, and what is not served fails.
  std::optional<Duration> timeout;  ///< In place of PolicyServed::deadline.
};

/// For people, of what was not seen in time: " within 5 minutes", or " at once, …".
std::string waited(const ConfirmOptions& options, Duration patience);

/// Done if every address of the policy host serves the file over verified HTTPS, line ends apart,
/// and if its Date is not before `wait.not_before`. Otherwise which does not, and why:
/// Code::not_found (no address), conflict (another policy), protocol (another status), invalid (a
/// clock is wrong), or what the fetch failed with.
Result<Done> served_outside(const plan::PolicyServed& wait, const Eyes& eyes,
                            const LookOptions& look);

/// Asks `host`, less and less often, until each of `waits` is served or its time is up, and calls
/// `settle(index, result)` once for each: Code::timeout with what was seen last when time is up.
/// Returns early, some unsettled, when `watch` stops.
void await_policies(providers::PolicyHost& host,
                    const std::vector<const plan::PolicyServed*>& waits,
                    const ConfirmOptions& options, io::Clock& clock, const providers::Watch& watch,
                    const std::function<void(std::size_t, const Result<Done>&)>& settle);

}  // namespace stsctl::engine
