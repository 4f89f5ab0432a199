#include "plan/target.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/sorted.h"
#include "plan/cover.h"
#include "plan/retire.h"

namespace stsctl::plan {

namespace {

using Patterns = std::vector<sts::MxPattern>;

std::unexpected<Error> unfit(const Desired& desired, std::string what, std::string hint) {
  return fail(Code::refused, std::move(what), desired.domain.text(), std::move(hint));
}

std::unexpected<Error> unreadable(const Desired& desired, Error error) {
  error.what = "its MX records cannot be read: " + error.what;
  error.where = desired.domain.text();
  return std::unexpected(std::move(error));
}

// The hosts by name: the order of an answer changes from one to the next.
Result<Patterns> patterns_of(const Desired& desired, const LiveMx& mx) {
  if (mx.implicit)
    return unfit(desired, "it has no MX records to take 'mx: live' from",
                 "publish an MX record, or list the hosts under 'mx'");
  if (mx.hosts.empty())
    return unfit(desired, "its MX records name no mail host (RFC 7505) to take 'mx: live' from",
                 "withdraw the policy with 'mode: none', or list the hosts under 'mx'");
  Patterns patterns;
  for (const dns::Name& host : mx.hosts) {
    auto pattern = sts::parse_mx_pattern(host.text(), true);
    if (!pattern)
      return unfit(desired,
                   fmt::format("its MX host {} cannot stand in a policy: {}", host.text(),
                               pattern.error().what),
                   "name a host that a certificate can have");
    patterns.push_back(std::move(*pattern));
  }
  sort_unique(patterns);
  return patterns;
}

// A policy that is withdrawn needs no MX records: its patterns stay those that senders know.
Patterns withdrawn(const Observed& observed) {
  const auto served = served_policy(observed);
  return served ? served->mx : Patterns{};
}

bool any_extra(const CoverQuestion& question) {
  return std::ranges::any_of(question.published, [&](const sts::MxPattern& published) {
    return std::ranges::none_of(question.wanted, [&](const sts::MxPattern& wanted) {
      return sts::covers(wanted, published);
    });
  });
}

// Where nobody looked at the MX records, a policy is published as it is wanted.
void fit(Target& target, const Desired& desired, const Observed& observed, Time now) {
  if (!observed.mx || desired.as_configured || target.policy.mode == sts::Mode::none) return;
  CoverQuestion question{.wanted = target.policy.mx,
                         .remembers = desired.id_strategy == IdStrategy::automatic,
                         .now = now};
  if (*observed.mx) question.live = &**observed.mx;
  const auto served = served_policy(observed);
  if (served) {
    question.published = served->mx;
    const auto id = any_extra(question) ? published_id(observed) : std::nullopt;
    if (id) {
      question.leaving = sts::leaving_patterns(*id, *served).value_or(Patterns{});
      question.since = id->published;
    }
  }
  CoverAnswer answer = cover(question);
  target.policy.mx = std::move(answer.patterns);
  // What stays the same is not written anew for the sake of its order.
  if (served && !answer.kept.empty() && served->mx.size() == target.policy.mx.size() &&
      std::ranges::is_permutation(served->mx, target.policy.mx))
    target.policy.mx = served->mx;
  target.kept = std::move(answer.kept);
  target.leaving = std::move(answer.leaving);
}

Result<Patterns> live_patterns(const Desired& desired, const Observed& observed) {
  if (desired.as_configured)
    return unfit(desired, "'mx: live' needs a host that a policy can be written to",
                 fmt::format("give '{}' a 'root', or list the hosts under 'mx'", desired.host));
  const bool none = desired.policy->mode == sts::Mode::none;
  Result<Patterns> patterns = Patterns{};
  if (!observed.mx)
    patterns = fail(Code::unsupported, "'mx: live' needs its MX records, and nobody was asked",
                    desired.domain.text(), "name a resolver with --resolver");
  else if (!*observed.mx)
    patterns = unreadable(desired, observed.mx->error());
  else
    patterns = patterns_of(desired, **observed.mx);
  if (none && !patterns) return withdrawn(observed);
  return patterns;
}

}  // namespace

Result<Target> choose_target(const Desired& desired, const Observed& observed, Time now) {
  Target target{.policy = *desired.policy};
  if (desired.retired) {
    target.policy = withdrawn_policy(desired, observed);
    return target;
  }
  if (desired.mx_live) {
    Result<Patterns> patterns = live_patterns(desired, observed);
    if (!patterns) return fail(patterns);
    target.policy.mx = std::move(*patterns);
  }
  fit(target, desired, observed, now);
  return target;
}

}  // namespace stsctl::plan
