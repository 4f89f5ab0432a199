#include "dns_world.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "base/text.h"

namespace stsctl::contract {

namespace {

std::vector<WorldKind>& registered() {
  static std::vector<WorldKind> kinds;
  return kinds;
}

std::string bare_name(const std::string& text) {
  std::string name = lower(text);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// The bytes of TXT data in master-file form: quoted strings, \X and \DDD.
std::string txt_bytes(const std::string& text) {
  std::string bytes;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9') {
      bytes += static_cast<char>(std::stoi(text.substr(i + 1, 3)));
      i += 3;
    } else if (text[i] == '\\') {
      bytes += text.at(++i);
    } else if (quoted || text[i] != ' ') {
      bytes += text[i];
    }
  }
  return bytes;
}

[[noreturn]] void cannot(const char* what) {
  throw std::logic_error(std::string("this world does not say that it lacks: ") + what);
}

}  // namespace

Seen read_line(const std::string& line) {
  std::istringstream words(line);
  Seen seen;
  std::string owner;
  std::string in;
  words >> owner >> seen.ttl >> in >> seen.type;
  std::getline(words >> std::ws, seen.spelling);
  if (!words || in != "IN") throw std::runtime_error("no record: " + line);
  seen.owner = bare_name(owner);
  if (seen.type == "TXT")
    seen.data = txt_bytes(seen.spelling);
  else
    seen.data = seen.type == "CNAME" ? bare_name(seen.spelling) : seen.spelling;
  return seen;
}

std::vector<Seen> read_lines(const std::vector<std::string>& lines) {
  std::vector<Seen> records;
  records.reserve(lines.size());
  for (const std::string& line : lines)
    records.push_back(read_line(line));
  std::ranges::sort(records);
  return records;
}

const char* to_string(Trouble trouble) {
  switch (trouble) {
    case Trouble::unauthorized:
      return "unauthorized";
    case Trouble::forbidden:
      return "forbidden";
    case Trouble::gone:
      return "gone";
    case Trouble::too_many:
      return "too_many";
    case Trouble::failing:
      return "failing";
    case Trouble::overloaded:
      return "overloaded";
    case Trouble::moved:
      return "moved";
    case Trouble::malformed:
      return "malformed";
    case Trouble::cut_off:
      return "cut_off";
    case Trouble::slow:
      return "slow";
    case Trouble::reset:
      return "reset";
    case Trouble::echo:
      return "echo";
  }
  return "";
}

const char* to_string(Need need) {
  switch (need) {
    case Need::credentials:
      return "credentials";
    case Need::limited_credentials:
      return "limited_credentials";
    case Need::counting:
      return "counting";
    case Need::holding:
      return "holding";
    case Need::every_type:
      return "every_type";
    case Need::every_byte:
      return "every_byte";
    case Need::whole_sets:
      return "whole_sets";
    case Need::lone_cname:
      return "lone_cname";
  }
  return "";
}

Requests DnsWorld::requests() {
  cannot("counting");
}
void DnsWorld::hold_next_write(const std::optional<Fault>& /*then*/) {
  cannot("holding");
}
void DnsWorld::await_held() {
  cannot("holding");
}
void DnsWorld::release() {
  cannot("holding");
}

bool add_world(WorldKind kind) {
  registered().push_back(std::move(kind));
  std::ranges::sort(registered(), {}, &WorldKind::name);
  return true;
}

const std::vector<WorldKind>& worlds() {
  return registered();
}

}  // namespace stsctl::contract
