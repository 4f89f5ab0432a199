#include "providers/tries.h"

#include <fmt/format.h>

namespace stsctl::providers {

void pause_before(int attempt, std::chrono::milliseconds first, const io::Services& services) {
  if (attempt > 1) services.clock.sleep(first * (1 << (attempt - 2)), services.stop);
}

std::unexpected<Error> unknown_outcome(const Error& last, const Error& now) {
  // An answer that was given is not lost; it says that there is something else now.
  const char* how =
      last.code == Code::conflict ? "the change met another" : "the answer to the change was lost";
  return fail(now.code,
              fmt::format("{} ({}), and what stands there now cannot be read: {}", how, last.what,
                          now.what),
              now.where, "run plan again to see whether it was written");
}

}  // namespace stsctl::providers
