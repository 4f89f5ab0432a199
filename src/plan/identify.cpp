#include "plan/identify.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/sorted.h"
#include "sts/policy_id.h"

namespace stsctl::plan {

namespace {

using std::chrono::ceil;
using std::chrono::days;
using std::chrono::floor;

std::optional<sts::Policy> valid_policy(const std::optional<std::string>& body) {
  return body ? sts::parse_policy(*body).value : std::nullopt;
}

using Patterns = std::vector<sts::MxPattern>;

constexpr std::array modes{sts::Mode::enforce, sts::Mode::testing, sts::Mode::none};
constexpr std::size_t most_varied = 8;  // patterns of which every set is tried

// Is `digest` that of some of the policy's patterns, in any mode? They grow in number before they
// shrink, so that those of an older policy are among those of its successor (cover.h).
bool is_of_some_patterns(const std::string& digest, const sts::Policy& policy,
                         const Patterns& leaving) {
  if (policy.mx.size() > most_varied) return false;
  for (std::size_t set = 0; set < std::size_t{1} << policy.mx.size(); ++set) {
    sts::Policy guess = policy;
    guess.mx.clear();
    Patterns left;
    for (std::size_t i = 0; i < policy.mx.size(); ++i) {
      if ((set >> i & 1U) == 0) continue;
      guess.mx.push_back(policy.mx[i]);
      if (std::ranges::find(leaving, policy.mx[i]) != leaving.end()) left.push_back(policy.mx[i]);
    }
    for (const sts::Mode mode : modes) {
      guess.mode = mode;
      if (sts::policy_digest(guess) == digest) return true;
      if (!left.empty() && sts::policy_digest(guess, left) == digest) return true;
    }
  }
  return false;
}

// The max_age of the policy behind `digest`, found by trying what it may well have been: some
// patterns of a policy at hand, or all with every usual max_age, in any mode. A hit is certain.
std::optional<Duration> recover_max_age(const std::string& digest,
                                        const std::vector<sts::Policy>& at_hand,
                                        const Patterns& leaving) {
  for (const sts::Policy& policy : at_hand)
    if (is_of_some_patterns(digest, policy, leaving)) return policy.max_age;
  for (sts::Policy guess : at_hand) {
    const Duration own = guess.max_age;
    for (const sts::Mode mode : modes) {
      guess.mode = mode;
      for (int number = 0; number <= 366; ++number) {
        guess.max_age = number == 0 ? own : std::min(Duration{number * 86400}, sts::max_max_age);
        if (sts::policy_digest(guess) == digest) return guess.max_age;
      }
    }
  }
  return std::nullopt;
}

// All that is published, read once.
struct Published {
  std::vector<std::string> ids;          // of the records that can be read
  std::vector<sts::PolicyId> generated;  // those of our own making
  std::optional<sts::Policy> served;
  bool single = false;  // exactly one record, and a valid one

  bool foreign() const { return generated.size() < ids.size(); }
};

Published read(const IdQuestion& question) {
  Published published;
  published.served = valid_policy(question.served);
  for (const std::string& record : question.records) {
    const std::optional<sts::StsRecord> sts = sts::parse_sts_record(record).value;
    if (!sts) continue;
    published.ids.push_back(sts->id);
    if (const auto id = sts::parse_policy_id(sts->id)) published.generated.push_back(*id);
  }
  published.single = question.records.size() == 1 && published.ids.size() == 1;
  return published;
}

// The longest max_age that a sender may have stored of a policy before the new one.
Duration longest_cached(const Desired& desired, const Published& published,
                        const Patterns& leaving) {
  Duration longest{0};
  if (published.served && !sts::same_policy(*published.served, *desired.policy))
    longest = published.served->max_age;
  const Duration unknown = desired.longest_max_age.value_or(sts::max_max_age);
  if (published.foreign()) longest = std::max(longest, unknown);
  const bool same = published.served && sts::same_policy(*published.served, *desired.policy);
  for (const sts::PolicyId& id : published.generated) {
    if (published.served && sts::announces(id, *published.served)) {
      // Nothing older than what it announces has been served since.
      if (same && !published.single) longest = std::max(longest, desired.policy->max_age);
      continue;
    }
    if (sts::announces(id, *desired.policy)) {
      longest = std::max(longest, desired.policy->max_age);
      continue;
    }
    if (id.digest == sts::no_policy_digest) continue;
    std::vector<sts::Policy> at_hand{*desired.policy};
    if (published.served) at_hand.push_back(*published.served);
    longest = std::max(longest, recover_max_age(id.digest, at_hand, leaving).value_or(unknown));
  }
  return longest;
}

// The larger of the old horizon and the end of everything that can be fetched until the new policy
// is everywhere, in whole days, rounded up (RFC 8461 §8.3).
Day next_horizon(const Desired& desired, const Published& published, const IdQuestion& question) {
  Day horizon = floor<days>(question.now);
  for (const sts::PolicyId& id : published.generated)
    horizon = std::max(horizon, id.horizon);
  const Duration cached = longest_cached(desired, published, question.leaving);
  if (cached.count() == 0) return horizon;
  const Time end = question.now + question.valid_for + desired.edge_delay + cached;
  return std::max(horizon, ceil<days>(end));
}

// Later than every id of ours that is published, also when the clock went back.
Time next_published(const Published& published, Time now) {
  for (const sts::PolicyId& id : published.generated)
    now = std::max(now, id.published + std::chrono::seconds{1});
  return now;
}

IdAnswer new_automatic_id(const Desired& desired, const Published& published,
                          const IdQuestion& question, std::string why) {
  sts::PolicyId id{.published = next_published(published, question.now),
                   .horizon = next_horizon(desired, published, question),
                   .digest = sts::policy_digest(*desired.policy, question.leaving)};
  IdAnswer answer{.is_new = true, .why = std::move(why), .horizon = id.horizon};
  const bool same = published.served && sts::same_policy(*published.served, *desired.policy);
  if (published.single && published.foreign() && !same) {
    sts::PolicyId adopted = id;
    adopted.digest = published.served ? sts::policy_digest(*published.served)
                                      : std::string(sts::no_policy_digest);
    answer.adopt = sts::format_policy_id(adopted);
    id.published += std::chrono::seconds{1};
  }
  answer.id = sts::format_policy_id(id);
  return answer;
}

std::string digest_id(const sts::Policy& policy) {
  sts::Policy sorted = policy;
  sort_unique(sorted.mx);
  return base32(sha256(sts::format_policy(sorted)), 32);
}

std::string timestamp_id(const Published& published, Time now) {
  std::string id = format_compact_time(now);
  while (std::ranges::find(published.ids, id) != published.ids.end())
    id = format_compact_time(now += std::chrono::seconds{1});
  return id;
}

// Why the published record cannot stay as it is; empty if it can.
std::string reason_to_bump(const Desired& desired, const Published& published,
                           const IdQuestion& question) {
  if (question.records.empty()) return "first id";
  if (question.records.size() > 1) return "several STS records mean no policy to senders";
  if (!published.single) return "the published record is invalid";
  const bool same = published.served && sts::same_policy(*published.served, *desired.policy);
  const bool marks = desired.id_strategy == IdStrategy::automatic;
  std::string marking =
      question.leaving.empty() ? "its MX records are as wanted again" : "hosts left its MX records";
  if (published.foreign()) {
    if (!same) return "the policy changes";
    if (desired.retired) return "it does not tell how long older policies live";
    if (desired.rollout) return "an id that says when the stage began";
    return marks && !question.leaving.empty() ? marking : "";
  }
  const sts::PolicyId& id = published.generated.front();
  if (!sts::announces(id, *desired.policy))
    return same ? "the policy is published, its id is not yet" : "the policy changes";
  if (published.served && !same) return "the policy was changed at the host";
  if (marks && id.digest != sts::policy_digest(*desired.policy, question.leaving)) return marking;
  return "";
}

IdAnswer keep(const Published& published) {
  return {.id = published.ids.front()};
}

}  // namespace

IdAnswer choose_id(const Desired& desired, const IdQuestion& question) {
  const Published published = read(question);
  std::string why = reason_to_bump(desired, published, question);
  switch (desired.id_strategy) {
    case IdStrategy::automatic:
      if (why.empty()) return keep(published);
      return new_automatic_id(desired, published, question, std::move(why));
    case IdStrategy::timestamp:
      if (why.empty()) return keep(published);
      return {.id = timestamp_id(published, question.now), .is_new = true, .why = std::move(why)};
    case IdStrategy::digest:
    case IdStrategy::fixed: {
      const std::string id =
          desired.id_strategy == IdStrategy::fixed ? desired.fixed_id : digest_id(*desired.policy);
      if (published.single && published.ids.front() == id) return keep(published);
      if (why.empty()) why = "the id is not the one configured";
      return {.id = id, .is_new = true, .why = std::move(why)};
    }
  }
  return keep(published);
}

}  // namespace stsctl::plan
