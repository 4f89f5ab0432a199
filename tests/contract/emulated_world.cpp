#include "emulated_world.h"

#include <regex>

#include <nlohmann/json.hpp>

namespace stsctl::contract {

namespace {

using nlohmann::json;

constexpr int cut_after = 7;  // bytes
constexpr const char* elsewhere = "/elsewhere";
constexpr double longer_than_any = 4;  // seconds: more than any timeout of the cases with `slow`

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

void EmulatedWorld::add(const std::optional<Fault>& fault, bool hold) const {
  const bool of_writes = !fault || fault->writes;
  const Filter filter =
      of_writes ? writes(fault ? fault->zone : "") : reads(fault ? fault->zone : "");
  json members{{"hold", hold}, {"method", filter.method}, {"path", filter.path}};
  if (fault) members.update({{"times", fault->times}, {"done", fault->done}});
  if (fault && fault->trouble == Trouble::cut_off) {
    members["cut"] = cut_after;
  } else if (fault && fault->trouble == Trouble::slow) {
    members["delay"] = longer_than_any;
  } else if (fault && fault->trouble == Trouble::reset) {
    members["reset"] = true;
  } else if (fault && fault->trouble == Trouble::moved) {
    members.update({{"status", 302}, {"headers", {{"Location", emulator().url() + elsewhere}}}});
  } else if (fault) {
    const Answer given = answer(fault->trouble);
    members.update({{"status", given.status}, {"body", given.body}, {"headers", given.headers}});
  }
  emulator().fault(members.dump());
}

void EmulatedWorld::inject(const Fault& fault) {
  add(fault, false);
}

void EmulatedWorld::heal() {
  emulator().clear_faults();
  emulator().release();
}

Requests EmulatedWorld::requests() {
  const Filter filter = writes("");
  const std::regex path(filter.path);
  Requests counted;
  for (const servers::Journaled& one : emulator().journal()) {
    ++counted.all;
    counted.astray += one.path == elsewhere ? 1U : 0U;
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

void EmulatedWorld::hold_next_write(const std::optional<Fault>& then) {
  add(then, true);
}

void EmulatedWorld::await_held() {
  emulator().await_held();
}

void EmulatedWorld::release() {
  emulator().release();
}

}  // namespace stsctl::contract
