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

bool is_date(std::uint32_t serial) {
  const std::uint32_t date = serial / 100;
  const year_month_day day{std::chrono::year{static_cast<int>(date / 10000)},
                           std::chrono::month{date / 100 % 100}, std::chrono::day{date % 100}};
  return date / 10000 >= 1980 && date / 10000 < 2200 && day.ok();
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
