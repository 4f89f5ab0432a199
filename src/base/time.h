#pragma once
// Points in time and lengths of time as text. Knows no clock: `now` is always an argument.

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stsctl {

/// A point in time, UTC, whole seconds.
using Time = std::chrono::sys_seconds;
/// A length of time, whole seconds.
using Duration = std::chrono::seconds;
/// A day in UTC; its number counts from 1970-01-01.
using Day = std::chrono::sys_days;

/// "2026-11-24T08:15:00Z" (RFC 3339), for the years 0 to 9999.
std::string format_time(Time time);
/// Reads what format_time writes, no other form and no leap second; Code::invalid else.
Result<Time> parse_time(std::string_view text);
/// "20261124T081500Z", the compact form an id carries, for the years 0 to 9999.
std::string format_compact_time(Time time);
/// Reads what format_compact_time writes, no other form; Code::invalid else.
Result<Time> parse_compact_time(std::string_view text);
/// "2026-11-24".
std::string format_day(Day day);

/// "1w", "2d", "90m", "3600s" or plain seconds "86400"; units s, m, h, d, w, one unit, no sign.
/// Code::invalid with the reason else, also past 100 years.
Result<Duration> parse_duration(std::string_view text);
/// The shortest exact form that parse_duration reads: 604800 s is "1w", 90 s is "90s".
std::string format_duration(Duration duration);
/// For people, rounded down to two units: "3 days 4 hours", "12 seconds".
std::string describe_duration(Duration duration);

}  // namespace stsctl
