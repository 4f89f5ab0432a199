#include "base/time.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <sstream>
#include <utility>

#include <date/date.h>
#include <fmt/format.h>

#include "base/text.h"

namespace stsctl {

namespace {

constexpr std::array<std::pair<char, std::int64_t>, 5> units{
    {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
constexpr std::int64_t longest_duration = 100LL * 366 * 86400;

Result<Time> parse_exactly(std::string_view text, const char* form, std::string (*back)(Time)) {
  std::istringstream in{std::string(text)};
  Time time;
  in >> date::parse(form, time);
  // Reading back what was read refuses every lenient spelling (blanks, single digits, 24:00).
  if (in.fail() || back(time) != text)
    return fail(Code::invalid, fmt::format("'{}' is no point in time of the form {}",
                                           printable(text), back(Time{})));
  return time;
}

}  // namespace

std::string format_time(Time time) {
  return date::format("%FT%TZ", time);
}

Result<Time> parse_time(std::string_view text) {
  return parse_exactly(text, "%FT%TZ", format_time);
}

std::string format_compact_time(Time time) {
  return date::format("%Y%m%dT%H%M%SZ", time);
}

Result<Time> parse_compact_time(std::string_view text) {
  return parse_exactly(text, "%Y%m%dT%H%M%SZ", format_compact_time);
}

std::string format_day(Day day) {
  return date::format("%F", day);
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
