#include "reports/report.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sts/policy.h"

namespace stsctl::reports {

namespace {

// Takes a number of exactly `digits` digits off the front of `text`; none if there is none.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Day> take_day(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional(Day{date}) : std::nullopt;
}

// HH:MM with the first number at most `hours`.
std::optional<Duration> take_minutes(std::string_view& text, int hours) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > hours || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute};
}

std::optional<Time> take_time(std::string_view& text) {
  const auto day = take_day(text);
  if (!day || !take(text, "Tt ")) return std::nullopt;
  const auto minutes = take_minutes(text, 23);
  if (!minutes || !take(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second, RFC 3339 §5.6
  if (take(text, ".")) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  return Time{*day} + *minutes + Duration{*second};
}

// The offset from UTC; none if there is something else. Nothing at all is UTC, not zoned.
std::optional<Duration> take_offset(std::string_view& text, bool& zoned) {
  zoned = !text.empty();
  if (!zoned || take(text, "Zz")) return Duration{0};
  const bool west = text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto offset = take_minutes(text, 23);
  if (!offset) return std::nullopt;
  return west ? -*offset : *offset;
}

}  // namespace

const char* to_string(PolicyType type) {
  switch (type) {
    case PolicyType::sts:
      return "sts";
    case PolicyType::tlsa:
      return "tlsa";
    case PolicyType::no_policy_found:
      return "no-policy-found";
    case PolicyType::other:
      break;
  }
  return "other";
}

Result<Time> parse_report_time(std::string_view text, bool& zoned) {
  std::string_view rest = text;
  const auto time = take_time(rest);
  const auto offset = time ? take_offset(rest, zoned) : std::nullopt;
  if (!offset || !rest.empty())
    return fail(Code::invalid,
                "'" + printable(shortened(std::string(text), 60)) + "' is no date-time (RFC 3339)");
  return *time - *offset;
}

std::string canonical_policy(std::string_view text) {
  constexpr std::size_t longest = 4000;
  std::string lines;
  for (const std::string_view line : split(text.substr(0, longest), '\n'))
    if (!trim(line).empty()) lines += printable(trim(line)) + "\n";
  auto policy = sts::parse_policy(lines).value;
  if (!policy) return shortened(std::move(lines), longest);
  std::ranges::sort(policy->mx);
  const auto repeated = std::ranges::unique(policy->mx);
  policy->mx.erase(repeated.begin(), repeated.end());
  return replaced(sts::format_policy(*policy), "\r\n", "\n");
}

}  // namespace stsctl::reports
