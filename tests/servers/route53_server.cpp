#include "servers/route53_server.h"

#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

namespace stsctl::servers {

namespace {

using nlohmann::json;

constexpr const char* access_key = "AKIATEST";
constexpr const char* secret_key = "a/secret+key-of-no-worth";

// Lines of one name and type make one set.
json sets_of(const std::vector<std::string>& lines) {
  std::map<std::pair<std::string, std::string>, json> sets;
  for (const std::string& line : lines) {
    std::istringstream in(line);
    std::string name;
    int ttl = 0;
    std::string type;
    in >> name >> ttl >> type >> std::ws;
    std::string value;
    std::getline(in, value);
    json& set = sets[{name, type}];
    set["name"] = name;
    set["type"] = type;
    set["ttl"] = ttl;
    set["values"].push_back(value);
  }
  json list = json::array();
  for (auto& [key, set] : sets)
    list.push_back(std::move(set));
  return list;
}

}  // namespace

void Route53Server::load(const std::vector<HostedZoneSeed>& zones, const std::string& more) const {
  json state = json::parse(more);
  for (const HostedZoneSeed& seed : zones) {
    json zone = json::parse(seed.more);
    zone["id"] = seed.id;
    zone["name"] = seed.name;
    zone["records"] = sets_of(seed.records);
    for (const std::string& special : seed.special)
      zone["records"].push_back(json::parse(special));
    state["zones"].push_back(std::move(zone));
  }
  state["identity"]["keys"].push_back({{"access_key", access_key}, {"secret_key", secret_key}});
  emulator_.load(state.dump());
  emulator_.clear_faults();
  emulator_.forget();
}

std::map<std::string, std::string> Route53Server::environment() const {
  return {{"AWS_ACCESS_KEY_ID", access_key}, {"AWS_SECRET_ACCESS_KEY", secret_key}};
}

std::vector<std::string> Route53Server::records(const std::string& zone_id) const {
  std::vector<std::string> lines;
  const json state = json::parse(emulator_.dump());
  for (const json& zone : state["zones"]) {
    if (zone["id"] != zone_id) continue;
    for (const json& set : zone["records"]) {
      if (set["name"] == zone["name"]) continue;
      const std::string name = set["name"];
      for (const json& value : set.value("values", json::array()))
        lines.push_back(name.substr(0, name.size() - 1) + " " + set["ttl"].dump() + " " +
                        set["type"].get<std::string>() + " " + value.get<std::string>());
    }
  }
  std::ranges::sort(lines);
  return lines;
}

std::size_t Route53Server::changes() const {
  return json::parse(emulator_.dump())["changes"];
}

std::size_t Route53Server::throttled() const {
  return json::parse(emulator_.dump())["throttled"];
}

std::size_t Route53Server::requests(const std::string& method, const std::string& part) const {
  const std::vector<Journaled> journal = emulator_.journal();
  return static_cast<std::size_t>(std::ranges::count_if(journal, [&](const Journaled& one) {
    return one.method == method && one.path.find(part) != std::string::npos;
  }));
}

}  // namespace stsctl::servers
