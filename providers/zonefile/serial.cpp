#include "providers/zonefile/serial.h"

#include <algorithm>
#include <chrono>

namespace stsctl::providers::zonefile {

namespace {

using std::chrono::days;
using std::chrono::year_month_day;

std::uint32_t date_number(Time now) {
  const year_month_day date{std::chrono::floor<days>(now)};
  return static_cast<std::uint32_t>(static_cast<int>(date.year())) * 10000 +
         static_cast<unsigned>(date.month()) * 100 + static_cast<unsigned>(date.day());
}

// Days past the month's end too: a hundred edits on its last day lead there.
bool is_date(std::uint32_t serial) {
  constexpr std::uint32_t last_day = 32;
  const std::uint32_t date = serial / 100;
  const std::uint32_t month = date / 100 % 100;
  const std::uint32_t day = date % 100;
  return date / 10000 >= 1980 && date / 10000 < 2200 && month >= 1 && month <= 12 && day >= 1 &&
         day <= last_day;
}

bool is_unix_time(std::uint32_t serial, Time now) {
  constexpr std::int64_t near = 10LL * 366 * 86400;
  const std::int64_t distance = now.time_since_epoch().count() - static_cast<std::int64_t>(serial);
  return distance > -near && distance < near;
}

}  // namespace

std::uint32_t next_serial(std::uint32_t serial, Time now) {
  const std::uint32_t one_up = serial + 1 == 0 ? 1 : serial + 1;
  if (is_date(serial)) return std::max(one_up, date_number(now) * 100);
  if (is_unix_time(serial, now))
    return std::max(one_up, static_cast<std::uint32_t>(now.time_since_epoch().count()));
  return one_up;
}

}  // namespace stsctl::providers::zonefile
