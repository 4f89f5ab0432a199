#include "rollout/published.h"

#include <utility>
#include <vector>

#include "sts/policy_id.h"

namespace stsctl::rollout {

namespace {

std::vector<sts::MxPattern> likely_patterns(const plan::Desired& desired,
                                            const plan::Observed& observed) {
  if (!desired.mx_live) return desired.policy->mx;
  std::vector<sts::MxPattern> patterns;
  if (observed.mx && *observed.mx)
    for (const dns::Name& host : (*observed.mx)->hosts)
      if (auto pattern = sts::parse_mx_pattern(host.text(), true))
        patterns.push_back(std::move(*pattern));
  return patterns;
}

}  // namespace

Published read_published(const Rollout& rollout, const plan::Desired& desired,
                         const plan::Observed& observed) {
  Published published;
  const auto id = plan::published_id(observed);
  if (*observed.policy) published.policy = sts::parse_policy(**observed.policy).value;
  if (published.policy) {
    // An id that announces another policy is of the time before: an apply stopped half-way, or
    // somebody edited the file.
    if (id && sts::announces(*id, *published.policy)) published.since = id->published;
    return published;
  }
  if (!id || id->digest == sts::no_policy_digest) return published;
  const std::vector<sts::MxPattern> mx = likely_patterns(desired, observed);
  for (const Stage& stage : rollout.stages) {
    sts::Policy policy{stage.mode, mx, stage.max_age};
    if (!sts::announces(*id, policy)) continue;
    published.policy = std::move(policy);
    return published;
  }
  published.lost = true;
  return published;
}

}  // namespace stsctl::rollout
