#pragma once
// How a policy is changed where an answer can be lost and others write too: look, change, and look
// again before anything is repeated. Knows no host.

#include <chrono>
#include <string>

#include "base/result.h"
#include "io/services.h"
#include "providers/expected.h"
#include "providers/policy_edit.h"
#include "providers/tries.h"

namespace stsctl::providers {

/// A policy as a store has it; what a store adds (an ETag) derives from it.
struct StoredPolicy {
  std::optional<std::string> body;  ///< None: nothing is stored.
};

/// After these errors a change may have been made, or may fit after another look.
bool worth_another_look(Code code);

/// Carries out `edit` at the place `where`. `look()` gives a Result of a StoredPolicy (or what
/// derives from it); `change(stored, attempt)` a Result<Done>, attempts counted from 1. What broke
/// on the way, or was refused because something changed, is looked up by going round again, four
/// times in all.
template <class Look, class Change>
Result<Done> careful_write(const plan::PolicyEdit& edit, const std::string& where,
                           const io::Services& services, Look look, Change change) {
  constexpr int most_tries = 4;
  constexpr std::chrono::milliseconds first_pause{100};  // doubles with every further try
  Result<Done> last = Done{};
  for (int attempt = 1; attempt <= most_tries; ++attempt) {
    pause_before(attempt, first_pause, services);
    const auto live = look();
    if (!live) {
      if (last) return fail(live);
      return unknown_outcome(last.error(), live.error());
    }
    const Result<bool> pending = is_pending(edit, live->body, where);
    if (!pending) return fail(pending);
    if (!*pending) return Done{};
    last = change(*live, attempt);
    if (last || !worth_another_look(last.error().code)) return last;
  }
  return last;
}

}  // namespace stsctl::providers
