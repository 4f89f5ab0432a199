#include "sts/policy_id.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/digest.h"
#include "base/sorted.h"

namespace stsctl::sts {

namespace {

constexpr std::string_view base36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view base32_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t time_length = 16;
constexpr std::size_t day_length = 3;
constexpr std::size_t digest_length = 13;
constexpr std::size_t id_length = time_length + day_length + digest_length;
constexpr std::int64_t last_day = 36 * 36 * 36 - 1;

std::string format_day_number(Day day) {
  std::int64_t number = std::clamp<std::int64_t>(day.time_since_epoch().count(), 0, last_day);
  std::string text(day_length, '0');
  for (std::size_t at = day_length; at-- > 0; number /= 36)
    text[at] = base36[static_cast<std::size_t>(number % 36)];
  return text;
}

std::optional<Day> parse_day_number(std::string_view text) {
  std::int64_t number = 0;
  for (const char c : text) {
    const std::size_t digit = base36.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    number = number * 36 + static_cast<std::int64_t>(digit);
  }
  return Day{std::chrono::days{number}};
}

// Of so many patterns every set is tried, of more those of one or two.
constexpr std::size_t tried_in_full = 12;
constexpr std::size_t most_patterns = 63;

std::vector<MxPattern> sorted_once(std::vector<MxPattern> patterns) {
  sort_unique(patterns);
  return patterns;
}

}  // namespace

std::string policy_digest(const Policy& policy, const std::vector<MxPattern>& leaving) {
  Policy sorted = policy;
  sorted.mx = sorted_once(policy.mx);
  std::string text = format_policy(sorted);
  for (const MxPattern& pattern : sorted_once(leaving))
    text += "leaving: " + format_mx_pattern(pattern) + "\r\n";
  return base32(sha256(text), digest_length);
}

std::string format_policy_id(const PolicyId& id) {
  return format_compact_time(id.published) + format_day_number(id.horizon) + id.digest;
}

std::optional<PolicyId> parse_policy_id(std::string_view id) {
  if (id.size() != id_length) return std::nullopt;
  const Result<Time> published = parse_compact_time(id.substr(0, time_length));
  const std::optional<Day> horizon = parse_day_number(id.substr(time_length, day_length));
  const std::string_view digest = id.substr(time_length + day_length);
  if (!published || !horizon || digest.find_first_not_of(base32_digits) != std::string_view::npos)
    return std::nullopt;
  return PolicyId{*published, *horizon, std::string(digest)};
}

bool announces(const PolicyId& id, const Policy& policy) {
  return leaving_patterns(id, policy).has_value();
}

std::optional<std::vector<MxPattern>> leaving_patterns(const PolicyId& id, const Policy& policy) {
  if (id.digest == policy_digest(policy)) return std::vector<MxPattern>{};
  const std::vector<MxPattern> patterns = sorted_once(policy.mx);
  const std::size_t number = std::min(patterns.size(), most_patterns);
  const bool in_full = number <= tried_in_full;
  const std::uint64_t end = std::uint64_t{1} << number;
  const auto tried = [&](std::uint64_t set) -> std::optional<std::vector<MxPattern>> {
    std::vector<MxPattern> leaving;
    for (std::size_t i = 0; i < number; ++i)
      if ((set >> i & 1U) != 0) leaving.push_back(patterns[i]);
    if (id.digest == policy_digest(policy, leaving)) return leaving;
    return std::nullopt;
  };
  for (std::uint64_t set = 1; in_full && set < end; ++set)
    if (auto found = tried(set)) return found;
  for (std::uint64_t high = 1; !in_full && high < end; high <<= 1U)
    for (std::uint64_t low = high; low > 0; low >>= 1U)
      if (auto found = tried(high | low)) return found;
  return std::nullopt;
}

}  // namespace stsctl::sts
