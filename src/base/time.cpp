#include "base/time.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl {

namespace {

constexpr std::array<std::pair<char, std::int64_t>, 5> units{
    {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
constexpr std::int64_t longest_duration = 100LL * 366 * 86400;

// Reads `text` if it has the shape of `form`, in which '0' is any digit and everything else itself;
// the digits are a year of four, then month, day, hour, minute and second of two each.
std::optional<Time> read_form(std::string_view text, std::string_view form) {
  constexpr std::size_t most_digits = 14;
  if (text.size() != form.size()) return std::nullopt;
  std::array<unsigned, most_digits> digits{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '0') {
      if (text[i] != form[i]) return std::nullopt;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    digits.at(count++) = static_cast<unsigned>(text[i] - '0');
  }
  const auto two = [&](std::size_t at) { return digits.at(at) * 10 + digits.at(at + 1); };
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(two(0) * 100 + two(2))},
                                         std::chrono::month{two(4)}, std::chrono::day{two(6)}};
  // A leap second (60) has no place in a Time.
  if (!date.ok() || two(8) > 23 || two(10) > 59 || two(12) > 59) return std::nullopt;
  return Time{Day{date}} + std::chrono::hours{two(8)} + std::chrono::minutes{two(10)} +
         std::chrono::seconds{two(12)};
}

Result<Time> parse_exactly(std::string_view text, std::string_view form, const char* example) {
  const std::optional<Time> time = read_form(text, form);
  if (time) return *time;
  return fail(Code::invalid, fmt::format("'{}' is no point in time of the form {}",
                                         printable(text.substr(0, 40)), example));
}

// A point in time taken apart.
struct Parts {
  explicit Parts(Time time)
      : day(std::chrono::floor<std::chrono::days>(time)), clock(time - Time{day}), date(day) {}
  int year() const { return static_cast<int>(date.year()); }
  unsigned month() const { return static_cast<unsigned>(date.month()); }
  unsigned day_of_month() const { return static_cast<unsigned>(date.day()); }

  Day day;
  std::chrono::hh_mm_ss<Duration> clock;
  std::chrono::year_month_day date;
};

}  // namespace

std::string format_time(Time time) {
  const Parts at(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.year(), at.month(),
                     at.day_of_month(), at.clock.hours().count(), at.clock.minutes().count(),
                     at.clock.seconds().count());
}

Result<Time> parse_time(std::string_view text) {
  return parse_exactly(text, "0000-00-00T00:00:00Z", "2026-11-24T08:15:00Z");
}

std::string format_compact_time(Time time) {
  const Parts at(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", at.year(), at.month(), at.day_of_month(),
                     at.clock.hours().count(), at.clock.minutes().count(),
                     at.clock.seconds().count());
}

Result<Time> parse_compact_time(std::string_view text) {
  return parse_exactly(text, "00000000T000000Z", "20261124T081500Z");
}

std::string format_day(Day day) {
  const Parts at{Time{day}};
  return fmt::format("{:04}-{:02}-{:02}", at.year(), at.month(), at.day_of_month());
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Code::invalid,
                fmt::format("'{}' is no duration: {}", printable(text.substr(0, 40)), why), {},
                "write a whole number and one unit of s, m, h, d, w: 90s, 1d, 2w, 604800");
  };
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem == std::errc::result_out_of_range) return bad("longer than 100 years");
  if (problem != std::errc{} || text.starts_with('-')) return bad("no whole number at its start");
  std::int64_t factor = 1;
  if (rest != end) {
    factor = 0;
    for (const auto& [unit, seconds] : units)
      if (end - rest == 1 && *rest == unit) factor = seconds;
    if (factor == 0) return bad("unknown unit");
  }
  if (number > longest_duration / factor) return bad("longer than 100 years");
  return Duration{number * factor};
}

std::string format_duration(Duration duration) {
  const std::int64_t seconds = duration.count();
  for (const auto& [unit, length] : units)
    if (seconds != 0 && seconds % length == 0) return fmt::format("{}{}", seconds / length, unit);
  return "0s";
}

std::string describe_duration(Duration duration) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> words{
      {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}}};
  std::int64_t rest = duration.count() < 0 ? 0 : duration.count();
  std::string text;
  int parts = 0;
  for (const auto& [word, length] : words) {
    const std::int64_t count = rest / length;
    rest %= length;
    if (count == 0 && !(length == 1 && parts == 0)) {
      if (parts > 0) break;
      continue;
    }
    text += fmt::format("{}{} {}{}", parts > 0 ? " " : "", count, word, count == 1 ? "" : "s");
    if (++parts == 2) break;
  }
  return text;
}

}  // namespace stsctl
