// route53: the emulator of its API.

#include <algorithm>
#include <map>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "emulated_world.h"
#include "providers/aws/route53.h"
#include "servers/route53_server.h"

namespace stsctl::contract {
namespace {

using nlohmann::json;

constexpr const char* wrong_secret = "wrong+secret/of-no-worth";

// TXT as the service spells it: \ooo for what is neither letter nor usual, in octal.
std::string decimal_escapes(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool octal =
        text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3';
    if (!octal) {
      if (text[i] == '\\' && i + 1 < text.size()) out += text[i++];
      out += text[i];
      continue;
    }
    const std::string byte = std::to_string(std::stoi(text.substr(i + 1, 3), nullptr, 8));
    out += "\\" + std::string(3 - byte.size(), '0') + byte;
    i += 3;
  }
  return out;
}

std::string octal_escapes(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool decimal =
        text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    if (!decimal) {
      if (text[i] == '\\' && i + 1 < text.size()) out += text[i++];
      out += text[i];
      continue;
    }
    const int byte = std::stoi(text.substr(i + 1, 3));
    out += '\\';
    for (const int shift : {6, 3, 0})
      out += static_cast<char>('0' + (byte >> shift) % 8);
    i += 3;
  }
  return out;
}

json sets_of(const std::vector<Seen>& records) {
  std::map<std::pair<std::string, std::string>, json> sets;
  for (const Seen& seen : records) {
    json& set = sets[{seen.owner, seen.type}];
    set["name"] = seen.owner;
    set["type"] = seen.type;
    set["ttl"] = seen.ttl;
    set["values"].push_back(seen.type == "TXT" ? octal_escapes(seen.spelling) : seen.spelling);
  }
  json list = json::array();
  for (auto& [key, set] : sets)
    list.push_back(std::move(set));
  return list;
}

class Route53World final : public EmulatedWorld {
 public:
  void start(const std::vector<ZoneSeed>& zones) override {
    std::vector<servers::HostedZoneSeed> seeds;
    ids_.clear();
    for (const ZoneSeed& zone : zones) {
      const std::string id = "Z" + std::to_string(seeds.size() + 1);
      ids_[zone.name] = id;
      servers::HostedZoneSeed seed{.id = id, .name = zone.name};
      for (const json& set : sets_of(read_lines(zone.records)))
        seed.special.push_back(set.dump());
      seeds.push_back(std::move(seed));
    }
    server_.load(seeds, R"({"polls": 0})");
    heal();
    forget();
  }

  Result<std::unique_ptr<providers::DnsProvider>> open(const Access& access,
                                                       const io::Services& services) override {
    std::map<std::string, std::string> variables = server_.environment();
    if (access.credentials == Credentials::wrong) variables["AWS_SECRET_ACCESS_KEY"] = wrong_secret;
    io::Services mine = services;
    mine.env = [variables](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    Settings settings;
    settings.set("endpoint", server_.url(), "");
    settings.set("timeout", access.timeout.count(), "");
    settings.set("rate", "none", "");
    return providers::aws::route53_kind().make(settings, mine);
  }

  std::vector<Seen> look(const std::string& zone) override {
    std::vector<Seen> records;
    const json there = zone_of(zone);
    for (const json& set : there["records"]) {
      const std::string type = set["type"];
      if (type == "SOA" || (type == "NS" && set["name"] == zone + ".")) continue;
      for (const json& value : set["values"]) {
        const std::string text = value;
        const std::string head =
            set["name"].get<std::string>() + " " + set["ttl"].dump() + " IN " + type + " ";
        Seen seen = read_line(head + (type == "TXT" ? decimal_escapes(text) : text));
        seen.spelling = text;
        records.push_back(std::move(seen));
      }
    }
    std::ranges::sort(records);
    return records;
  }

  std::uint64_t version(const std::string&) override { return server_.changes() + changed_; }

  void change(const std::string& zone, const std::string& owner, const std::string& type,
              const std::vector<std::string>& lines) override {
    json state = json::parse(emulator().dump());
    changed_ += state["changes"].get<std::uint64_t>() + 1;  // which count anew from now on
    for (json& one : state["zones"]) {
      json kept = json::array();
      for (json& set : one["records"])
        if (one["id"] != ids_.at(zone) || set["name"] != owner + "." || set["type"] != type)
          kept.push_back(std::move(set));
      if (one["id"] == ids_.at(zone))
        for (const json& set : sets_of(read_lines(lines)))
          kept.push_back(set);
      one["records"] = std::move(kept);
    }
    emulator().load(state.dump());
  }

  std::vector<std::string> secrets() const override {
    return {server_.environment().at("AWS_SECRET_ACCESS_KEY"), wrong_secret};
  }

 protected:
  const servers::Emulator& emulator() const override { return server_.emulator(); }
  Filter writes(const std::string& zone) const override {
    return {"POST", zone.empty() ? "/rrset" : "/" + ids_.at(zone) + "/rrset"};
  }
  Filter reads(const std::string& zone) const override {
    return {"GET", zone.empty() ? "" : "/" + ids_.at(zone) + "/rrset"};
  }

  Answer answer(Trouble trouble) const override {
    switch (trouble) {
      case Trouble::unauthorized:
        return error(403, "InvalidClientTokenId", "The security token is invalid.");
      case Trouble::forbidden:
        return error(403, "AccessDenied", "User is not authorized to perform this action");
      case Trouble::gone:
        return error(404, "NoSuchHostedZone", "No hosted zone found with ID");
      case Trouble::too_many:
        return error(400, "Throttling", "Rate exceeded");
      case Trouble::overloaded:
        return error(503, "ServiceUnavailable", "Try again");
      case Trouble::failing:
        return error(500, "InternalFailure", "An internal error");
      case Trouble::echo:
        return error(403, "SignatureDoesNotMatch",
                     "The key is " + server_.environment().at("AWS_SECRET_ACCESS_KEY"));
      default:
        return {200, "<ListHostedZonesResponse><HostedZones>"};
    }
  }

 private:
  static Answer error(int status, const std::string& code, const std::string& message) {
    return {status,
            R"(<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>)"
            "Sender</Type><Code>" +
                code + "</Code><Message>" + message +
                "</Message></Error><RequestId>r</RequestId></ErrorResponse>",
            {{"Content-Type", "text/xml"}}};
  }

  json zone_of(const std::string& name) const {
    const json state = json::parse(emulator().dump());
    for (const json& zone : state["zones"])
      if (zone["id"] == ids_.at(name)) return zone;
    throw std::runtime_error("no zone " + name);
  }

  servers::Route53Server server_;
  std::map<std::string, std::string> ids_;
  std::uint64_t changed_ = 0;
};

const bool added = add_world({
    .name = "route53",
    .make = [] { return std::make_unique<Route53World>(); },
    .lacks = {{Need::limited_credentials,
               "its permissions are tested apart, by policy and action"}},
    // Pages of 100 zones, and one read a zone.
    .plan_requests = [](std::size_t zones) { return (zones / 100) + 1 + zones; },
});

}  // namespace
}  // namespace stsctl::contract
