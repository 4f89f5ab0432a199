#include "providers/zonefile/zone.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/zonefile/generate.h"
#include "providers/zonefile/rdata.h"

namespace stsctl::providers::zonefile {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t deepest_include = 16;
constexpr std::size_t most_files = 1000;

// Which TTL a record has that states none, by BIND's rules: $TTL wherever it stands in the order of
// reading (RFC 2308 §4), else the TTL before (RFC 1035 §5.1), else the SOA's own minimum.
class TtlRules {
 public:
  void set_default(std::uint32_t seconds) { default_ = seconds; }

  Result<Done> resolve(std::string_view text, Record& record) {
    if (record.stated_ttl) {
      record.ttl = *record.stated_ttl;
    } else if (default_ || last_) {
      record.ttl = default_ ? *default_ : *last_;
      record.carries_ttl = !default_;
    } else if (record.type == "SOA") {
      const Result<std::uint32_t> minimum = soa_minimum(text, record);
      if (!minimum) return fail(minimum);
      record.ttl = *minimum;
      default_ = *minimum;
    } else {
      return fail(Code::invalid, "no TTL is stated by now", {},
                  "put a $TTL line at the top of the file");
    }
    if (!record.generate) record.ttl = set_ttl(record);
    last_ = record.ttl;
    return Done{};
  }

 private:
  // A record set has one TTL (RFC 2181 §5.2): that of its first record.
  std::uint32_t set_ttl(const Record& record) {
    if (record.owner != owner_) {
      owner_ = record.owner;
      set_.clear();
    }
    for (const auto& [type, ttl] : set_)
      if (type == record.type) return ttl;
    set_.emplace_back(record.type, record.ttl);
    return record.ttl;
  }

  std::optional<std::uint32_t> default_;
  std::optional<std::uint32_t> last_;
  std::string owner_;
  std::vector<std::pair<std::string, std::uint32_t>> set_;  // types so far at owner_
};

// Reads files depth first, as a server does.
class Loader {
 public:
  Loader(Zone& zone, const ReadFile& read) : zone_(zone), read_(read) {}

  Result<Done> load(const std::string& path, const Context& context) {
    Result<std::string> text = read_(path);
    if (!text) return fail_at(text, path);
    return parse(path, std::move(*text), context, 0);
  }

 private:
  Result<Done> parse(const std::string& path, std::string text, const Context& context,
                     std::size_t depth) {
    if (depth > deepest_include || zone_.files.size() >= most_files)
      return fail(
          Code::invalid,
          fmt::format("$INCLUDE goes in a circle, deeper than {} files or over more than {}",
                      deepest_include, most_files),
          path);
    const std::size_t index = zone_.files.size();
    zone_.files.push_back({path, std::move(text), {}});
    Result<ZoneText> content = parse_zone_text(zone_.files[index].text, context);
    if (!content) return fail_at(content, path);
    zone_.files[index].content = std::move(*content);
    return follow(index, depth);
  }

  Result<Done> follow(std::size_t index, std::size_t depth) {
    std::size_t done = 0;
    // `files` grows below; take what is needed of this one first.
    const auto directives = zone_.files[index].content.directives;
    for (const Directive& directive : directives) {
      if (const Result<Done> placed = place(index, done, directive.before_record); !placed)
        return placed;
      if (const auto* ttl = std::get_if<DefaultTtl>(&directive.what)) {
        ttls_.set_default(ttl->seconds);
      } else if (const Result<Done> read = include(index, std::get<Include>(directive.what), depth);
                 !read) {
        return read;
      }
    }
    return place(index, done, zone_.files[index].content.records.size());
  }

  Result<Done> include(std::size_t index, const Include& include, std::size_t depth) {
    const std::string& includer = zone_.files[index].path;
    const std::string path = (fs::path(zone_.include_folder) / include.path).string();
    const std::string beside = (fs::path(includer).parent_path() / include.path).string();
    Result<std::string> text = read_(path);
    if (text) return parse(path, std::move(*text), include.context, depth + 1);
    if (text.error().code != Code::not_found) return fail_at(text, path);
    text = path == beside ? std::move(text) : read_(beside);
    if (text) return parse(beside, std::move(*text), include.context, depth + 1);
    if (text.error().code != Code::not_found) return fail_at(text, beside);
    return fail(
        Code::invalid, fmt::format("$INCLUDE names a file that is not there: {}", printable(path)),
        includer, "set 'include_directory' to the folder that the server starts such paths from");
  }

  Result<Done> place(std::size_t index, std::size_t& done, std::size_t end) {
    for (; done < end; ++done) {
      ZoneFile& file = zone_.files[index];
      Record& record = file.content.records[done];
      zone_.order.push_back({index, done});
      if (record.generate) zone_.generates.push_back({index, done});
      const bool leaves =
          record.type == "NS" ? record.owner != zone_.name.text() : record.type == "DNAME";
      if (leaves && !record.generate)
        zone_.cuts.try_emplace(record.owner, Zone::Place{index, done});
      if (Result<Done> resolved = ttls_.resolve(file.text, record); !resolved)
        return fail_at(resolved, zone_.where({index, done}));
    }
    return Done{};
  }

  Zone& zone_;
  const ReadFile& read_;
  TtlRules ttls_;
};

// The record sets at some owners, as they come together.
class Collector {
 public:
  explicit Collector(const std::vector<dns::Name>& owners) {
    for (const dns::Name& owner : owners)
      owners_.emplace(owner.text(), &owner);
  }

  Result<Done> add(std::string_view text, const Record& record) {
    const auto found = owners_.find(record.owner);
    if (found == owners_.end()) return Done{};
    const dns::Type type = managed_type(text, record);
    const auto entry = sets_.try_emplace({record.owner, type},
                                         dns::RecordSet{*found->second, type, Duration{0}, {}});
    dns::RecordSet& set = entry.first->second;
    // Of sets in several places the last one's TTL holds.
    set.ttl = Duration{record.ttl};
    if (type == dns::Type::other) return Done{};
    const bool odd = type == dns::Type::locked;
    Result<std::string> value = read_value(text, record, odd ? dns::Type::cname : type);
    if (!value) return fail(value);
    set.values.push_back(odd ? "a CNAME to " + printable(*value) : std::move(*value));
    return Done{};
  }

  Result<std::vector<dns::RecordSet>> sets() {
    std::vector<dns::RecordSet> result;
    for (auto& [key, set] : sets_) {
      Result<dns::RecordSet> made =
          make_record_set(set.owner, set.type, set.ttl, std::move(set.values));
      if (!made) return fail(made);
      result.push_back(std::move(*made));
    }
    return result;
  }

 private:
  std::unordered_map<std::string_view, const dns::Name*> owners_;
  std::map<std::pair<std::string, dns::Type>, dns::RecordSet> sets_;
};

// An empty or cut-off file must not pass for a zone without our records.
Result<Done> check_soa(const Zone& zone) {
  std::optional<Zone::Place> soa;
  for (const Zone::Place& place : zone.order) {
    if (zone.at(place).type != "SOA" || zone.at(place).owner != zone.name.text()) continue;
    // RFC 1035 §5.2. BIND passes over one that repeats the other: until one counts on.
    if (soa)
      return fail(Code::invalid,
                  fmt::format("a second SOA record, the first at {}", zone.where(*soa)),
                  zone.where(place), "remove one of them");
    soa = place;
  }
  if (soa) return Done{};
  return fail(Code::invalid,
              fmt::format("no SOA record at {}: the file is no whole zone", zone.name.text()),
              zone.files.front().path);
}

// What stands at a name that the zone leaves to others by the record at `cut`.
dns::RecordSet left_to_others(const Zone& zone, const dns::Name& owner, const Zone::Place& cut) {
  const Record& record = zone.at(cut);
  const char* what = record.type == "NS" ? "a delegation to other servers" : "an alias by DNAME";
  return {owner,
          dns::Type::locked,
          Duration{record.ttl},
          {fmt::format("{} ({} at {}, {})", what, record.type, printable(record.owner),
                       zone.where(cut))}};
}

}  // namespace

std::string Zone::where(const Place& place) const {
  return fmt::format("{}:{}", files[place.file].path,
                     line_number(text(place), at(place).line.begin));
}

Result<Zone> read_zone(const dns::Name& name, const std::string& path,
                       const std::string& include_folder, const ReadFile& read) {
  Zone zone{.name = name, .include_folder = include_folder};
  const Result<Done> loaded = Loader(zone, read).load(path, {.origin = name.text(), .owner = {}});
  if (!loaded) return fail(loaded);
  if (const Result<Done> whole = check_soa(zone); !whole) return fail(whole);
  return zone;
}

Result<std::string> canonical_value(const Zone& zone, const Zone::Place& place) {
  const Record& record = zone.at(place);
  const dns::Type type = dns::parse_type(record.type);
  Result<std::string> value = read_value(zone.text(place), record, type);
  if (!value) return value;
  const auto set = make_record_set(zone.name, type, Duration{record.ttl}, {std::move(*value)});
  if (!set) return fail(set);
  return set->values.front();
}

Result<std::vector<Generated>> generated_at(const Zone& zone, const std::string& owner) {
  std::vector<Generated> all;
  for (const Zone::Place& place : zone.generates) {
    const Record& generate = zone.at(place);
    auto lines = generated_lines(zone.text(place), generate, owner);
    if (!lines) return fail_at(lines, zone.where(place));
    for (std::string& line : *lines) {
      auto read = parse_zone_text(line, {.origin = generate.origin, .owner = {}});
      if (!read || read->records.size() != 1)
        return fail(Code::invalid, "$GENERATE makes what is no record", zone.where(place));
      read->records.front().ttl = generate.ttl;
      all.push_back({std::move(read->records.front()), std::move(line), place});
    }
  }
  return all;
}

Result<std::vector<dns::RecordSet>> record_sets(const Zone& zone,
                                                const std::vector<dns::Name>& owners) {
  std::vector<dns::Name> answered;
  std::vector<dns::RecordSet> left;
  for (const dns::Name& owner : owners) {
    if (const auto cut = cut_over(zone, owner.text()))
      left.push_back(left_to_others(zone, owner, *cut));
    else
      answered.push_back(owner);
  }
  Collector collector(answered);
  for (const Zone::Place& place : zone.order)
    if (const auto added = collector.add(zone.text(place), zone.at(place)); !added)
      return fail_at(added, zone.where(place));
  for (const dns::Name& owner : answered) {
    const auto generated = generated_at(zone, owner.text());
    if (!generated) return fail(generated);
    for (const Generated& one : *generated)
      if (const auto added = collector.add(one.text, one.record); !added)
        return fail_at(added, zone.where(one.line));
  }
  auto sets = collector.sets();
  if (!sets) return fail_at(sets, zone.files.front().path);
  std::ranges::move(left, std::back_inserter(*sets));
  return sets;
}

std::optional<Zone::Place> cut_over(const Zone& zone, std::string_view owner) {
  if (zone.cuts.empty()) return std::nullopt;
  for (std::string_view name = owner;;) {
    const auto found = zone.cuts.find(name);
    // A DNAME says nothing about the name it stands at.
    if (found != zone.cuts.end() && (name != owner || zone.at(found->second).type == "NS"))
      return found->second;
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos || name == zone.name.text()) return std::nullopt;
    name.remove_prefix(dot + 1);
  }
}

std::optional<Zone::Place> first_seal(const Zone& zone) {
  constexpr std::array types{"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "ZONEMD"};
  const auto found = std::ranges::find_if(zone.order, [&](const Zone::Place& place) {
    return std::ranges::find(types, zone.at(place).type) != types.end();
  });
  return found == zone.order.end() ? std::nullopt : std::optional(*found);
}

}  // namespace stsctl::providers::zonefile
