#include "providers/powerdns/wire.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stsctl::providers::powerdns {

namespace {

using nlohmann::json;
using plan::RecordEdit;

constexpr std::int64_t largest_ttl = 0x7FFFFFFF;  // RFC 2181 §8

std::unexpected<Error> unexpected_json(std::string_view what) {
  return fail(Code::protocol, fmt::format("the API's answer is not the {} expected", what), {},
              "does 'endpoint' name a PowerDNS authoritative server?");
}

json parse(std::string_view text) {
  return json::parse(text, nullptr, false);
}

// The member `key` if it is a string, else "".
std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Duration> ttl_at(const json& object) {
  const auto found = object.find("ttl");
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return Duration(found->get<std::int64_t>());
}

bool disabled_at(const json& object) {
  const auto found = object.find("disabled");
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

Result<std::vector<ApiRecord>> parse_records(const json& rrset) {
  const auto list = rrset.find("records");
  if (list == rrset.end() || !list->is_array()) return unexpected_json("record set");
  std::vector<ApiRecord> records;
  for (const json& record : *list) {
    if (!record.is_object()) return unexpected_json("record");
    records.push_back({text_at(record, "content"), disabled_at(record)});
  }
  return records;
}

// The served records first: a set's TTL is theirs.
ApiSet& set_of(std::vector<ApiSet>& sets, const dns::Name& owner, const std::string& type) {
  const auto found = std::ranges::find_if(
      sets, [&](const ApiSet& set) { return set.owner == owner && set.type == type; });
  if (found != sets.end()) return *found;
  return sets.emplace_back(ApiSet{owner, type, Duration{0}, {}});
}

bool is_served(const ApiSet& set) {
  return std::ranges::any_of(set.records, [](const ApiRecord& one) { return !one.disabled; });
}

Result<std::string> decode(dns::Type type, const std::string& content) {
  return type == dns::Type::txt ? dns::decode_txt(content) : Result<std::string>(content);
}

Result<dns::RecordSet> record_set(const ApiSet& set) {
  const dns::Type type = dns::parse_type(set.type);
  std::vector<std::string> values;
  for (const ApiRecord& record : set.records) {
    if (record.disabled || type == dns::Type::other) continue;
    Result<std::string> value = decode(type, record.content);
    if (!value) return fail(Code::protocol, value.error().what, set.owner.text() + " " + set.type);
    values.push_back(std::move(*value));
  }
  return dns::make_record_set(set.owner, type, set.ttl, std::move(values));
}

const ApiSet* find_live(const std::vector<ApiSet>& live, const dns::RecordSet& wanted) {
  const auto found = std::ranges::find_if(live, [&](const ApiSet& set) {
    return set.owner == wanted.owner && dns::parse_type(set.type) == wanted.type;
  });
  return found == live.end() ? nullptr : &*found;
}

bool is_done(const ApiSet* live, const RecordEdit& edit) {
  if (live == nullptr || !is_served(*live)) return !edit.after;
  const Result<dns::RecordSet> now = record_set(*live);
  return now && edit.after == *now;
}

std::string content_of(dns::Type type, const std::string& value) {
  if (type == dns::Type::txt) return dns::encode_txt(value);
  return type == dns::Type::cname ? value + "." : value;  // names must be absolute
}

// The spelling `value` has in the live set, or the usual one.
std::string kept_content(const ApiSet* live, dns::Type type, const std::string& value) {
  if (live != nullptr)
    for (const ApiRecord& record : live->records) {
      const auto now = dns::make_record_set(live->owner, type, Duration{0},
                                            {decode(type, record.content).value_or("")});
      if (!record.disabled && now && now->values.front() == value) return record.content;
    }
  return content_of(type, value);
}

json disabled_records(const ApiSet* live) {
  json records = json::array();
  if (live == nullptr) return records;
  for (const ApiRecord& record : live->records)
    if (record.disabled) records.push_back({{"content", record.content}, {"disabled", true}});
  return records;
}

// A set without the key "comments" keeps those it has; DELETE drops them.
json change(const dns::RecordSet& set, const char* kind) {
  return {
      {"name", set.owner.text() + "."}, {"type", dns::to_string(set.type)}, {"changetype", kind}};
}

json removal(const dns::RecordSet& set, const ApiSet& live) {
  json records = disabled_records(&live);
  if (records.empty()) return change(set, "DELETE");
  json removed = change(set, "REPLACE");
  removed["ttl"] = live.ttl.count();
  removed["records"] = std::move(records);
  return removed;
}

json replacement(const dns::RecordSet& after, const ApiSet* live) {
  json replaced = change(after, "REPLACE");
  replaced["ttl"] = after.ttl.count();
  json records = json::array();
  for (const std::string& value : after.values)
    records.push_back({{"content", kept_content(live, after.type, value)}, {"disabled", false}});
  // The API takes no content twice, not even once disabled.
  for (json& record : disabled_records(live)) {
    const bool taken = std::ranges::any_of(
        records, [&](const json& one) { return one["content"] == record["content"]; });
    if (!taken) records.push_back(std::move(record));
  }
  replaced["records"] = std::move(records);
  return replaced;
}

}  // namespace

bool ZoneInfo::is_secondary() const {
  return kind == "Slave" || kind == "Secondary" || kind == "Consumer";
}

bool ZoneInfo::is_primary() const {
  return kind == "Master" || kind == "Primary" || kind == "Producer";
}

Result<std::vector<ZoneInfo>> parse_zones(std::string_view text) {
  const json list = parse(text);
  if (!list.is_array()) return unexpected_json("list of zones");
  std::vector<ZoneInfo> zones;
  for (const json& zone : list) {
    if (!zone.is_object() || text_at(zone, "id").empty()) return unexpected_json("zone");
    Result<dns::Name> name = dns::Name::parse(text_at(zone, "name"));
    if (name) zones.push_back({std::move(*name), text_at(zone, "id"), text_at(zone, "kind")});
  }
  return zones;
}

Result<std::vector<ApiSet>> parse_zone(std::string_view text) {
  const json zone = parse(text);
  if (!zone.is_object() || !zone.contains("rrsets") || !zone["rrsets"].is_array())
    return unexpected_json("zone");
  std::vector<ApiSet> sets;
  for (const json& rrset : zone["rrsets"]) {
    if (!rrset.is_object()) return unexpected_json("record set");
    const std::optional<Duration> ttl = ttl_at(rrset);
    Result<std::vector<ApiRecord>> records = parse_records(rrset);
    if (!records) return fail(records);
    if (!ttl) return unexpected_json("record set");
    Result<dns::Name> owner = dns::Name::parse(text_at(rrset, "name"));
    if (owner && !records->empty())
      sets.push_back({std::move(*owner), text_at(rrset, "type"), *ttl, std::move(*records)});
  }
  return sets;
}

Result<Found> parse_search(std::string_view text) {
  const json list = parse(text);
  if (!list.is_array()) return unexpected_json("list of records");
  Found found;
  found.records = list.size();
  for (const json& record : list) {
    if (!record.is_object()) return unexpected_json("record");
    const std::optional<Duration> ttl = ttl_at(record);
    if (text_at(record, "object_type") != "record" || !ttl) return unexpected_json("record");
    const Result<dns::Name> zone = dns::Name::parse(text_at(record, "zone"));
    const Result<dns::Name> owner = dns::Name::parse(text_at(record, "name"));
    if (!zone || !owner) continue;
    ApiSet& set = set_of(found.zones[*zone], *owner, text_at(record, "type"));
    if (!is_served(set)) set.ttl = *ttl;
    set.records.push_back({text_at(record, "content"), disabled_at(record)});
  }
  return found;
}

Result<bool> parse_searchable(std::string_view text) {
  constexpr std::array<std::string_view, 4> search{"gmysql", "godbc", "gpgsql", "gsqlite3"};
  const json list = parse(text);
  if (!list.is_array()) return unexpected_json("configuration");
  for (const json& setting : list) {
    if (!setting.is_object() || text_at(setting, "name") != "launch") continue;
    // "gsqlite3" or "gmysql:one,gmysql:two"
    const std::string value = text_at(setting, "value");
    return std::ranges::all_of(split(value, ','), [&](std::string_view backend) {
      return std::ranges::find(search, trim(split(backend, ':').front())) != search.end();
    });
  }
  return false;
}

std::vector<dns::RecordSet> record_sets(const std::vector<ApiSet>& sets) {
  std::vector<dns::RecordSet> read;
  for (const ApiSet& set : sets)
    if (is_served(set))
      read.push_back(record_set(set).value_or(dns::unreadable_set(set.owner, set.type)));
  return read;
}

Result<std::string> patch_body(const std::vector<ApiSet>& live,
                               const std::vector<RecordEdit>& edits) {
  json removals = json::array();
  json replacements = json::array();
  for (const RecordEdit& edit : edits) {
    const ApiSet* now = find_live(live, subject(edit));
    if (is_done(now, edit)) continue;
    if (!edit.after) {
      removals.push_back(removal(*edit.before, *now));
      continue;
    }
    const std::int64_t ttl = edit.after->ttl.count();
    if (ttl < 1 || ttl > largest_ttl)
      return fail(Code::invalid, fmt::format("TTL {} is not within 1 and {}", ttl, largest_ttl),
                  edit.after->owner.text());
    replacements.push_back(replacement(*edit.after, now));
  }
  json rrsets = std::move(removals);
  for (json& one : replacements)
    rrsets.push_back(std::move(one));
  if (rrsets.empty()) return std::string();
  return json{{"rrsets", std::move(rrsets)}}.dump();
}

std::string error_text(std::string_view body) {
  constexpr std::size_t longest = 300;
  const json answer = parse(body);
  std::string text = answer.is_object() ? text_at(answer, "error") : std::string(trim(body));
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return printable(text);
}

}  // namespace stsctl::providers::powerdns
