#include "sts/policy_id.h"

#include <algorithm>
#include <chrono>

#include "base/digest.h"

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

}  // namespace

std::string policy_digest(const Policy& policy) {
  Policy sorted = policy;
  std::ranges::sort(sorted.mx);
  const auto repeated = std::ranges::unique(sorted.mx);
  sorted.mx.erase(repeated.begin(), repeated.end());
  return base32(sha256(format_policy(sorted)), digest_length);
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
  return id.digest == policy_digest(policy);
}

}  // namespace stsctl::sts
