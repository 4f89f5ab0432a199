#include "providers/zonefile/zone.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::zonefile {

namespace {

constexpr std::size_t most_includes = 16;  // deep

// Reads files depth first, as a server does.
class Loader {
 public:
  Loader(Zone& zone, const ReadFile& read) : zone_(zone), read_(read) {}

  Result<Done> load(const std::string& path, const Context& context, std::size_t depth) {
    if (depth > most_includes)
      return fail(Code::invalid, "$INCLUDE goes in a circle or deeper than 16 files", path);
    Result<std::string> text = read_(path);
    if (!text) return fail_at(text, path);
    const std::size_t index = zone_.files.size();
    zone_.files.push_back({path, std::move(*text), {}});
    Result<ZoneText> content = parse_zone_text(zone_.files[index].text, context);
    if (!content) return fail_at(content, path);
    zone_.files[index].content = std::move(*content);
    return follow(index, depth);
  }

 private:
  Result<Done> follow(std::size_t index, std::size_t depth) {
    const std::string folder =
        std::filesystem::path(zone_.files[index].path).parent_path().string();
    std::size_t done = 0;
    // `files` grows below; take what is needed of this one first.
    const auto includes = zone_.files[index].content.includes;
    const std::size_t count = zone_.files[index].content.records.size();
    for (const Include& include : includes) {
      while (done < include.before_record)
        zone_.order.push_back({index, done++});
      const std::string path = (std::filesystem::path(folder) / include.path).string();
      if (const Result<Done> loaded = load(path, include.context, depth + 1); !loaded)
        return loaded;
    }
    while (done < count)
      zone_.order.push_back({index, done++});
    return Done{};
  }

  Zone& zone_;
  const ReadFile& read_;
};

std::string_view token_text(const ZoneFile& file, const Span& span) {
  return std::string_view(file.text).substr(span.begin, span.end - span.begin);
}

// The data of a record as RecordSet writes it.
Result<std::string> value_of(const ZoneFile& file, const Record& record, dns::Type type) {
  std::string value;
  for (const Span& span : record.data) {
    const std::string_view token = token_text(file, span);
    if (type == dns::Type::txt) {
      const Result<std::string> decoded = dns::decode_txt(token);
      if (!decoded) return fail(decoded);
      value += *decoded;
    } else {
      const bool is_name = type == dns::Type::cname || (type == dns::Type::mx && !value.empty());
      value += value.empty() ? "" : " ";
      value += is_name && token != "." ? absolute_name(token, record.origin) : std::string(token);
    }
  }
  return value;
}

struct Key {
  std::string owner;
  dns::Type type;
  auto operator<=>(const Key&) const = default;
};

}  // namespace

bool Zone::is_signed() const {
  return std::ranges::any_of(files, [](const ZoneFile& file) { return file.content.is_signed; });
}

Result<Zone> read_zone(const dns::Name& name, const std::string& path, const ReadFile& read) {
  Zone zone{.name = name, .files = {}, .order = {}};
  const Result<Done> loaded = Loader(zone, read).load(path, {.origin = name.text()}, 0);
  if (!loaded) return fail(loaded);
  // An empty or cut-off file must not pass for a zone without our records.
  const bool has_soa = std::ranges::any_of(zone.order, [&](const Zone::Place& place) {
    return zone.at(place).type == "SOA" && zone.at(place).owner == name.text();
  });
  if (!has_soa)
    return fail(Code::invalid,
                fmt::format("no SOA record at {}: the file is no whole zone", name.text()), path);
  return zone;
}

Result<std::string> canonical_value(const Zone& zone, const Zone::Place& place) {
  const Record& record = zone.at(place);
  const dns::Type type = dns::parse_type(record.type);
  Result<std::string> value = value_of(zone.files[place.file], record, type);
  if (!value) return value;
  const auto set = make_record_set(zone.name, type, Duration{record.ttl}, {std::move(*value)});
  if (!set) return fail(set);
  return set->values.front();
}

Result<std::vector<dns::RecordSet>> record_sets(const Zone& zone,
                                                const std::vector<dns::Name>& owners) {
  std::unordered_map<std::string_view, const dns::Name*> wanted;
  for (const dns::Name& owner : owners)
    wanted.emplace(owner.text(), &owner);
  std::map<Key, dns::RecordSet> sets;
  for (const Zone::Place& place : zone.order) {
    const Record& record = zone.at(place);
    const auto found = wanted.find(record.owner);
    if (found == wanted.end()) continue;
    const dns::Type type = dns::parse_type(record.type);
    const auto entry = sets.try_emplace(
        Key{record.owner, type}, dns::RecordSet{*found->second, type, Duration{record.ttl}, {}});
    if (type == dns::Type::other) continue;
    Result<std::string> value = value_of(zone.files[place.file], record, type);
    if (!value) return fail_at(value, zone.files[place.file].path + ": " + record.owner);
    entry.first->second.values.push_back(std::move(*value));
  }
  std::vector<dns::RecordSet> result;
  for (auto& [key, set] : sets) {
    Result<dns::RecordSet> made =
        make_record_set(set.owner, set.type, set.ttl, std::move(set.values));
    if (!made) return fail_at(made, zone.files.front().path);
    result.push_back(std::move(*made));
  }
  return result;
}

}  // namespace stsctl::providers::zonefile
