// cloudflare: the emulator of its API.

#include <algorithm>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "emulated_world.h"
#include "providers/cloudflare/dns.h"
#include "servers/cloudflare_emulator.h"

namespace stsctl::contract {
namespace {

using nlohmann::json;

constexpr const char* reading_token = "r3adOnly-Y2sTz_WmLd7YbN5cJhF2gVa8uEoI1xQ";
constexpr const char* wrong_token = "wr0ngOne-Y2sTz_WmLd7YbN5cJhF2gVa8uEoI1xQ";

json record_of(const Seen& seen) {
  json record{
      {"type", seen.type}, {"name", seen.owner}, {"content", seen.spelling}, {"ttl", seen.ttl}};
  if (seen.type == "MX") {
    const std::size_t blank = seen.spelling.find(' ');
    record["priority"] = std::stoi(seen.spelling.substr(0, blank));
    record["content"] = seen.spelling.substr(blank + 1);
  }
  return record;
}

std::vector<json> records_of(const std::vector<std::string>& lines) {
  std::vector<json> records;
  for (const Seen& seen : read_lines(lines))
    records.push_back(record_of(seen));
  return records;
}

Seen seen_of(const json& record) {
  const std::string content = record.at("content");
  Seen seen{record.at("name").get<std::string>(), record.at("type").get<std::string>(),
            record.at("ttl").get<std::int64_t>(), content, content};
  if (seen.type == "TXT" && content.starts_with('"'))
    seen.data = read_line(seen.owner + " 1 IN TXT " + content).data;
  if (seen.type == "MX")
    seen.data = seen.spelling = std::to_string(record.at("priority").get<int>()) + " " + content;
  return seen;
}

class CloudflareWorld final : public EmulatedWorld {
 public:
  void start(const std::vector<ZoneSeed>& zones) override {
    json state{{"tokens",
                {{{"value", servers::cloudflare_token}},
                 {{"value", reading_token}, {"permissions", {"zone:read", "dns:read"}}}}}};
    for (const ZoneSeed& zone : zones)
      state["zones"].push_back({{"name", zone.name}, {"records", records_of(zone.records)}});
    emulator_.load(state.dump());
    heal();
    forget();
  }

  Result<std::unique_ptr<providers::DnsProvider>> open(const Access& access,
                                                       const io::Services& services) override {
    Settings settings;
    settings.set("endpoint", emulator_.endpoint(), "");
    settings.set("token", token_of(access.credentials), "");
    settings.set("rate", "none", "");
    settings.set("timeout", access.timeout.count(), "");
    return providers::cloudflare::dns_kind().make(settings, services);
  }

  std::vector<Seen> look(const std::string& zone) override {
    json state;
    std::vector<Seen> records;
    for (const json& record : find(state, zone).at("records"))
      records.push_back(seen_of(record));
    std::ranges::sort(records);
    return records;
  }

  std::uint64_t version(const std::string& zone) override {
    json state;
    return find(state, zone).at("changes");
  }

  void change(const std::string& zone, const std::string& owner, const std::string& type,
              const std::vector<std::string>& lines) override {
    json state;
    json& changed = find(state, zone);
    json kept = json::array();
    std::vector<json> ids;  // others change records in place, too
    for (const json& record : changed.at("records"))
      if (record.at("name") == owner && record.at("type") == type)
        ids.push_back(record.at("id"));
      else
        kept.push_back(record);
    for (json& record : records_of(lines)) {
      if (!ids.empty()) {
        record["id"] = ids.back();
        ids.pop_back();
      }
      kept.push_back(std::move(record));
    }
    changed["records"] = std::move(kept);
    changed["changes"] = changed.at("changes").get<int>() + 1;
    emulator_.load(state.dump());
  }

  std::vector<std::string> secrets() const override {
    return {servers::cloudflare_token, reading_token, wrong_token};
  }

 protected:
  const servers::Emulator& emulator() const override { return emulator_; }
  Filter writes(const std::string& zone) const override {
    return {"POST", path_of(zone) + "/dns_records/batch"};
  }
  Filter reads(const std::string& zone) const override { return {"GET", path_of(zone)}; }

  Answer answer(Trouble trouble) const override {
    switch (trouble) {
      case Trouble::unauthorized:
        return {401, error(1000, "Invalid API Token")};
      case Trouble::forbidden:
        return {403, error(10000, "Authentication error")};
      case Trouble::echo:
        return {403, error(9109, std::string("Cannot use the access token ") +
                                     servers::cloudflare_token + " from location: 192.0.2.1")};
      case Trouble::gone:
        return {404, error(7003,
                           "Could not route to /zones/0a, perhaps your object identifier is "
                           "invalid?")};
      case Trouble::too_many:
        return {429,
                error(10100, "More than 1200 requests per 300 seconds reached"),
                {{"Retry-After", "1"}}};
      case Trouble::malformed:
        return {200, R"({"result":[{"id":)"};
      default:
        return {http_status(trouble), "<html><body>Bad gateway</body></html>"};
    }
  }

 private:
  static std::string token_of(Credentials credentials) {
    if (credentials == Credentials::good) return servers::cloudflare_token;
    return credentials == Credentials::wrong ? wrong_token : reading_token;
  }

  static std::string error(int code, const std::string& message) {
    const json error{{"code", code}, {"message", message}};
    return json{{"success", false}, {"errors", json::array({error})}, {"result", nullptr}}.dump();
  }

  // The zone of that name in the state, which is filled.
  json& find(json& state, const std::string& zone) const {
    state = json::parse(emulator_.dump());
    for (json& one : state.at("zones"))
      if (one.at("name") == zone) return one;
    throw std::runtime_error("there is no zone " + zone);
  }

  std::string path_of(const std::string& zone) const {
    json state;
    return zone.empty() ? "" : "/zones/" + find(state, zone).at("id").get<std::string>();
  }

  servers::CloudflareEmulator emulator_;
};

const bool added = add_world({
    .name = "cloudflare",
    .make = [] { return std::make_unique<CloudflareWorld>(); },
    .lacks = {{Need::whole_sets, "records are written one by one, and sets have no identity"},
              {Need::lone_cname, "text may stand beside a CNAME there; the provider looks"}},
    .plan_requests = [](std::size_t zones) { return zones / 50 + 1 + zones; },
});

}  // namespace
}  // namespace stsctl::contract
