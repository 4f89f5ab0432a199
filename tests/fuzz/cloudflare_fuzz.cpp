// What Cloudflare's API answers: reading never crashes; records that can be read become exactly the
// wanted sets when what a batch asks for is done, and all others stay.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>

#include <nlohmann/json.hpp>

#include "providers/cloudflare/batch.h"
#include "providers/cloudflare/zones.h"

namespace cloudflare = stsctl::providers::cloudflare;
namespace dns = stsctl::dns;
using cloudflare::Record;
using nlohmann::json;

namespace {

void require(bool law) {
  if (!law) std::abort();
}

// What the service makes of `fields`, over what the record was.
Record made_of(const json& fields, const std::string& id) {
  const std::string type = fields.at("type");
  const int ttl = fields.at("ttl");
  return {.id = id,
          .owner = *dns::Name::parse(fields.at("name").get<std::string>()),
          .type = type,
          .content = fields.at("content"),
          .ttl = stsctl::Duration(ttl == 1 ? 0 : ttl),
          .proxied = fields.value("proxied", false)};
}

std::vector<Record> carried_out(std::vector<Record> records, const std::string& body) {
  const json batch = json::parse(body);
  for (const json& one : batch.value("deletes", json::array())) {
    const std::string id = one.at("id");
    require(std::erase_if(records, [&](const Record& record) { return record.id == id; }) == 1);
  }
  for (const json& one : batch.value("patches", json::array())) {
    const std::string id = one.at("id");
    const auto found = std::ranges::find(records, id, &Record::id);
    require(found != records.end());
    *found = made_of(one, id);
  }
  for (const json& one : batch.value("posts", json::array()))
    records.push_back(made_of(one, "new"));
  return records;
}

std::vector<Record> only_other(std::vector<Record> records, const dns::RecordSet& set) {
  std::erase_if(records, [&](const Record& record) {
    return record.owner == set.owner && dns::parse_type(record.type) == set.type;
  });
  return records;
}

void write_over(const std::vector<Record>& live) {
  for (const dns::RecordSet& set : cloudflare::record_sets(live))
    if (set.type == dns::Type::locked) return;
  const dns::RecordSet wanted{*dns::Name::parse("_mta-sts.example.com"),
                              dns::Type::txt,
                              stsctl::Duration(300),
                              {"v=STSv1; id=a", "with \"quotes\" and \\ and \x01"}};
  const auto bodies = cloudflare::batches(live, {{std::nullopt, wanted}}, 200, {});
  if (!bodies) return;
  std::vector<Record> after = live;
  for (const std::string& body : *bodies)
    after = carried_out(std::move(after), body);
  const auto sets = cloudflare::record_sets(after);
  require(std::ranges::find(sets, wanted) != sets.end());
  require(only_other(after, wanted) == only_other(live, wanted));
  const auto again = cloudflare::batches(after, {{std::nullopt, wanted}}, 200, {});
  require(again && again->empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  if (auto zones = cloudflare::parse_zones(text)) {
    const cloudflare::ZoneIndex index(std::move(zones->items));
    static_cast<void>(index.find(*dns::Name::parse("_mta-sts.example.com")));
  }
  static_cast<void>(cloudflare::parse_token_status(text));
  require(!cloudflare::error_of(400, text).what.empty());
  auto page = cloudflare::parse_records(text);
  if (!page) return 0;
  // The service gives every record an id of its own.
  std::map<std::string, int> ids;
  std::erase_if(page->items, [&](const Record& record) { return ids[record.id]++ > 0; });
  write_over(page->items);
  return 0;
}
