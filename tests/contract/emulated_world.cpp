#include "emulated_world.h"

#include <regex>

#include <nlohmann/json.hpp>

namespace stsctl::contract {

namespace {

using nlohmann::json;

constexpr int cut_after = 7;           // bytes
constexpr double longer_than_any = 3;  // seconds: more than the timeout of the cases with `slow`

}  // namespace

int http_status(Trouble trouble) {
  switch (trouble) {
    case Trouble::unauthorized:
    case Trouble::echo:
      return 401;
    case Trouble::forbidden:
      return 403;
    case Trouble::gone:
      return 404;
    case Trouble::too_many:
      return 429;
    case Trouble::failing:
      return 500;
    case Trouble::overloaded:
      return 503;
    default:
      return 200;
  }
}

void EmulatedWorld::inject(const Fault& fault) {
  const Filter filter = fault.writes ? writes() : reads();
  json members{{"times", fault.times},
               {"method", filter.method},
               {"path", filter.path},
               {"done", fault.done}};
  switch (fault.trouble) {
    case Trouble::cut_off:
      members["cut"] = cut_after;
      break;
    case Trouble::slow:
      members["delay"] = longer_than_any;
      break;
    case Trouble::reset:
      members["reset"] = true;
      break;
    default: {
      const Answer given = answer(fault.trouble);
      members.update({{"status", given.status}, {"body", given.body}, {"headers", given.headers}});
    }
  }
  emulator().fault(members.dump());
}

void EmulatedWorld::heal() {
  emulator().clear_faults();
  emulator().release();
}

Requests EmulatedWorld::requests() {
  const Filter filter = writes();
  const std::regex path(filter.path);
  Requests counted;
  for (const servers::Journaled& one : emulator().journal()) {
    ++counted.all;
    const std::string target = one.path + (one.query.empty() ? "" : "?" + one.query);
    if ((!filter.method.empty() && one.method != filter.method) || !std::regex_search(target, path))
      continue;
    ++counted.writes;
    counted.writes_done += one.done ? 1 : 0;
  }
  return counted;
}

void EmulatedWorld::forget() {
  emulator().forget();
}

void EmulatedWorld::hold_next_write() {
  const Filter filter = writes();
  emulator().fault(json{{"hold", true}, {"method", filter.method}, {"path", filter.path}}.dump());
}

void EmulatedWorld::await_held() {
  emulator().await_held();
}

void EmulatedWorld::release() {
  emulator().release();
}

}  // namespace stsctl::contract
