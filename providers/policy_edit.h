#pragma once
// What the policy hosts have in common when they carry out edits. Knows no host.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"

namespace stsctl::providers {

/// No policy is longer (RFC 8461 §3.3 bounds one at 64 KiB); what is, is no policy of ours.
inline constexpr std::size_t longest_body = std::size_t{1} << 20U;

/// Whose policy it is.
const dns::Name& domain_of(const plan::PolicyEdit& edit);

/// Is there anything to do, `live` being stored now? Code::conflict, about the file `where`, when
/// it is neither what the edit expects nor what it wants.
Result<bool> is_pending(const plan::PolicyEdit& edit, const std::optional<std::string>& live,
                        const std::string& where);

/// Results of parallel_map; what was not started is Code::cancelled: "stopped before it was `done`"
/// ("read", "written").
template <class T>
std::vector<Result<T>> or_cancelled(std::vector<std::optional<Result<T>>> results,
                                    const char* done) {
  std::vector<Result<T>> all;
  all.reserve(results.size());
  for (std::optional<Result<T>>& result : results)
    all.push_back(result ? std::move(*result)
                         : fail(Code::cancelled, std::string("stopped before it was ") + done));
  return all;
}

}  // namespace stsctl::providers
