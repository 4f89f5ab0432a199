// Policy bodies from outside: nothing crashes, a valid one has a canonical form that says the same.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "sts/policy.h"
#include "sts/policy_id.h"

namespace sts = stsctl::sts;

namespace {
void require(bool law) {
  if (!law) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto policy = sts::parse_policy(text);
  if (policy.value) {
    const std::string canonical = sts::format_policy(*policy.value);
    const auto again = sts::parse_policy(canonical);
    require(again.value == policy.value);
    require(sts::is_canonical(canonical, *policy.value));
    require(sts::policy_digest(*policy.value).size() == 13);
  } else {
    require(!sts::errors(policy.findings).empty());
  }
  for (const auto& finding : policy.findings)
    require(stsctl::printable(finding.message) == finding.message);
  if (const auto pattern = sts::parse_mx_pattern(text))
    require(sts::parse_mx_pattern(sts::format_mx_pattern(*pattern), true) == pattern);
  return 0;
}
