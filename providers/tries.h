#pragma once
// What all have in common that look again and try again, where a service cannot be asked to do a
// thing only once. Knows no service.

#include <chrono>

#include "base/result.h"
#include "io/services.h"

namespace stsctl::providers {

/// Waits before the `attempt`-th try, counted from 1: not before the first, `first` before the
/// second, and twice as long before each further one. A stop ends it.
void pause_before(int attempt, std::chrono::milliseconds first, const io::Services& services);

/// The Error of a write after which nobody can tell what stands there: `last` is what it ended
/// with, `now` why a look failed.
std::unexpected<Error> unknown_outcome(const Error& last, const Error& now);

}  // namespace stsctl::providers
