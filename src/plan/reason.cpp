#include "plan/reason.h"

#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace stsctl::plan {

std::string policy_reason(const std::optional<std::string>& body, const sts::Policy& wanted) {
  if (!body) return "first policy";
  const std::optional<sts::Policy> before = sts::parse_policy(*body).value;
  if (!before) return "the policy served is invalid";
  std::vector<std::string> reasons;
  if (before->mode != wanted.mode)
    reasons.push_back(
        fmt::format("mode {} -> {}", sts::to_string(before->mode), sts::to_string(wanted.mode)));
  if (before->max_age != wanted.max_age)
    reasons.push_back(fmt::format("max_age {} -> {}", format_duration(before->max_age),
                                  format_duration(wanted.max_age)));
  sts::Policy same_mx = *before;
  same_mx.mode = wanted.mode;
  same_mx.max_age = wanted.max_age;
  if (!sts::same_policy(same_mx, wanted)) reasons.emplace_back("mx patterns change");
  return reasons.empty() ? "the form that every sender reads" : join(reasons, ", ");
}

}  // namespace stsctl::plan
