// Edits of a zone's text: the smallest patches that make the wanted record sets, then a reading of
// the result that proves every other record unchanged.

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "providers/zonefile/serial.h"
#include "providers/zonefile/zone.h"

namespace stsctl::providers::zonefile {

namespace {

// Replaces bytes [begin, end) of one file.
struct Patch {
  std::size_t begin;
  std::size_t end;
  std::string text;
};

// A record as a server sees it, for comparing zones.
struct Seen {
  std::string owner;
  std::string type;
  std::uint32_t ttl;
  std::vector<std::string> data;
  auto operator<=>(const Seen&) const = default;
};

std::string data_text(const dns::RecordSet& set, const std::string& value) {
  if (set.type == dns::Type::txt) return dns::encode_txt(value);
  const bool is_name = set.type == dns::Type::cname || set.type == dns::Type::mx;
  return is_name ? value + "." : value;
}

std::string record_line(const dns::RecordSet& set, const std::string& value,
                        std::string_view line_end) {
  return fmt::format("{}.\t{}\tIN\t{}\t{}{}", set.owner.text(), set.ttl.count(),
                     dns::to_string(set.type), data_text(set, value), line_end);
}

// The edits of one zone, collected as patches of its files.
class Editor {
 public:
  explicit Editor(const Zone& zone) : zone_(zone), patches_(zone.files.size()) {
    for (const Zone::Place& place : zone.order)
      places_[zone.at(place).owner].push_back(place);
  }

  Result<Done> apply(const plan::RecordEdit& edit) {
    const dns::RecordSet& named = edit.after ? *edit.after : *edit.before;
    std::vector<Zone::Place> places;
    for (const Zone::Place& place : at_owner(named.owner.text()))
      if (dns::parse_type(zone_.at(place).type) == named.type) places.push_back(place);
    if (edit.after) return make_equal(*edit.after, places);
    for (const Zone::Place& place : places)
      remove(place);
    return Done{};
  }

  // RFC 1035 §3.3.13: the third of the SOA's data.
  Result<Done> bump_serial(Time now) {
    for (const Zone::Place& place : at_owner(zone_.name.text())) {
      const Record& record = zone_.at(place);
      if (record.type != "SOA" || record.data.size() < 3) continue;
      const Span span = record.data[2];
      const std::string_view text = piece(place.file, span);
      std::uint32_t serial = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), serial);
      if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) break;
      patch(place.file, span.begin, span.end, std::to_string(next_serial(serial, now)));
      return Done{};
    }
    return fail(Code::invalid, fmt::format("no SOA record with a serial at {}", zone_.name.text()),
                zone_.files.front().path);
  }

  bool changed() const {
    return std::ranges::any_of(patches_, [](const auto& patches) { return !patches.empty(); });
  }

  std::map<std::string, std::string> texts() const {
    std::map<std::string, std::string> texts;
    for (std::size_t i = 0; i < patches_.size(); ++i)
      if (!patches_[i].empty()) texts[zone_.files[i].path] = patched(i);
    return texts;
  }

 private:
  const std::vector<Zone::Place>& at_owner(const std::string& owner) const {
    static const std::vector<Zone::Place> none;
    const auto found = places_.find(owner);
    return found == places_.end() ? none : found->second;
  }

  std::string_view piece(std::size_t file, const Span& span) const {
    return std::string_view(zone_.files[file].text).substr(span.begin, span.end - span.begin);
  }

  void patch(std::size_t file, std::size_t begin, std::size_t end, std::string text) {
    patches_[file].push_back({begin, end, std::move(text)});
  }

  // Values that stay keep their line; lines of values that go are used for those that come.
  Result<Done> make_equal(const dns::RecordSet& after, const std::vector<Zone::Place>& places) {
    std::vector<std::string> missing = after.values;
    std::vector<Zone::Place> free;
    for (const Zone::Place& place : places) {
      const Result<std::string> value = canonical_value(zone_, place);
      const auto stays = value ? std::ranges::find(missing, *value) : missing.end();
      if (stays == missing.end()) {
        free.push_back(place);
        continue;
      }
      missing.erase(stays);
      set_ttl(place, after.ttl);
    }
    std::string fresh;
    std::size_t reused = 0;
    for (const std::string& value : missing) {
      if (reused < free.size())
        rewrite(free[reused++], after, value);
      else
        fresh += record_line(after, value, line_end(main_or(places)));
    }
    for (; reused < free.size(); ++reused)
      remove(free[reused]);
    if (!fresh.empty()) insert(after.owner, places, std::move(fresh));
    return Done{};
  }

  static std::size_t main_or(const std::vector<Zone::Place>& places) {
    return places.empty() ? 0 : places.back().file;
  }

  std::string_view line_end(std::size_t file) const {
    return zone_.files[file].text.find("\r\n") == std::string::npos ? "\n" : "\r\n";
  }

  void set_ttl(const Zone::Place& place, std::chrono::seconds ttl) {
    const Record& record = zone_.at(place);
    if (Duration{record.ttl} == ttl) return;
    if (record.ttl_token)
      patch(place.file, record.ttl_token->begin, record.ttl_token->end,
            std::to_string(ttl.count()));
    else
      patch(place.file, record.type_token.begin, record.type_token.begin,
            fmt::format("{} ", ttl.count()));
  }

  void rewrite(const Zone::Place& place, const dns::RecordSet& after, const std::string& value) {
    const Record& record = zone_.at(place);
    if (record.in_parentheses) {
      // The parenthesis opens before the data: a line of its own is clearer than a half of one.
      patch(place.file, record.line.begin, record.line.end,
            record_line(after, value, line_end(place.file)));
      keep_owner_of_next(place);
      return;
    }
    set_ttl(place, after.ttl);
    patch(place.file, record.data_range.begin, record.data_range.end, data_text(after, value));
  }

  void remove(const Zone::Place& place) {
    const Record& record = zone_.at(place);
    patch(place.file, record.line.begin, record.line.end, "");
    removed_.insert({place.file, place.record});
    keep_owner_of_next(place);
  }

  // A record that begins with a blank has the owner of the one before: when that goes, it is named.
  void keep_owner_of_next(const Zone::Place& place) {
    const auto& records = zone_.files[place.file].content.records;
    std::size_t next = place.record + 1;
    while (next < records.size() && removed_.contains({place.file, next}))
      ++next;
    if (next < records.size() && records[next].inherits_owner)
      pending_owner_.insert({place.file, next});
  }

  // After the domain's own records where there are some, else at the end of the main file.
  void insert(const dns::Name& owner, const std::vector<Zone::Place>& places, std::string lines) {
    std::optional<Zone::Place> after;
    if (!places.empty()) after = places.back();
    if (!after) after = last_sibling(owner);
    if (!after) return append(std::move(lines));
    const auto& records = zone_.files[after->file].content.records;
    std::size_t last = after->record;
    while (last + 1 < records.size() && records[last + 1].inherits_owner)
      ++last;
    const std::size_t at = records[last].line.end;
    const std::string& text = zone_.files[after->file].text;
    if (at > 0 && text[at - 1] != '\n') lines.insert(0, line_end(after->file));
    patch(after->file, at, at, std::move(lines));
  }

  std::optional<Zone::Place> last_sibling(const dns::Name& owner) const {
    std::string_view domain = owner.text();
    for (const std::string_view prefix : {"_mta-sts.", "_smtp._tls.", "mta-sts."})
      if (domain.starts_with(prefix)) {
        domain.remove_prefix(prefix.size());
        break;
      }
    for (const char* prefix : {"_mta-sts.", "_smtp._tls.", "mta-sts."}) {
      const auto& places = at_owner(prefix + std::string(domain));
      if (!places.empty()) return places.back();
    }
    return std::nullopt;
  }

  void append(std::string lines) {
    const std::string& text = zone_.files.front().text;
    if (!text.empty() && !text.ends_with('\n')) lines.insert(0, line_end(0));
    patch(0, text.size(), text.size(), std::move(lines));
  }

  std::string patched(std::size_t file) const {
    std::vector<Patch> patches = patches_[file];
    for (const auto& [where, next] : pending_owner_)
      if (where == file && !removed_.contains({where, next})) {
        const Record& record = zone_.files[file].content.records[next];
        patches.push_back({record.line.begin, record.line.begin, record.owner + "."});
      }
    // What is inserted where a removal begins comes before it; a stable order, so that what is
    // inserted at one place keeps the order it was asked for.
    std::ranges::stable_sort(patches, {},
                             [](const Patch& one) { return std::pair(one.begin, one.end); });
    const std::string& text = zone_.files[file].text;
    std::string out;
    std::size_t at = 0;
    for (const Patch& one : patches) {
      out += text.substr(at, one.begin - at);
      out += one.text;
      at = std::max(at, one.end);
    }
    return out + text.substr(at);
  }

  const Zone& zone_;
  std::unordered_map<std::string, std::vector<Zone::Place>> places_;
  std::vector<std::vector<Patch>> patches_;
  std::set<std::pair<std::size_t, std::size_t>> removed_;
  std::set<std::pair<std::size_t, std::size_t>> pending_owner_;
};

using Named = std::map<std::pair<std::string, dns::Type>, const plan::RecordEdit*>;

Named named_by(const std::vector<plan::RecordEdit>& edits) {
  Named named;
  for (const plan::RecordEdit& edit : edits) {
    const dns::RecordSet& set = edit.after ? *edit.after : *edit.before;
    named[{set.owner.text(), set.type}] = &edit;
  }
  return named;
}

// Every record that no edit names, the SOA's serial left out.
std::vector<Seen> others(const Zone& zone, const Named& named) {
  std::vector<Seen> seen;
  for (const Zone::Place& place : zone.order) {
    const Record& record = zone.at(place);
    if (named.contains({record.owner, dns::parse_type(record.type)})) continue;
    Seen one{record.owner, record.type, record.ttl, {record.origin}};
    for (std::size_t i = 0; i < record.data.size(); ++i)
      if (record.type != "SOA" || i != 2)
        one.data.push_back(zone.files[place.file].text.substr(
            record.data[i].begin, record.data[i].end - record.data[i].begin));
    seen.push_back(std::move(one));
  }
  std::ranges::sort(seen);
  return seen;
}

Result<Done> verify(const Zone& before, const Zone& after, const Named& named) {
  const auto unsafe = [&](const char* why) {
    return fail(Code::unsupported, fmt::format("the file cannot be edited safely: {}", why),
                before.files.front().path,
                "give its records explicit owners and put a $TTL line at its top");
  };
  if (others(before, named) != others(after, named)) return unsafe("another record would change");
  std::vector<dns::Name> owners;
  for (const auto& [key, edit] : named)
    owners.push_back(edit->after ? edit->after->owner : edit->before->owner);
  const Result<std::vector<dns::RecordSet>> sets = record_sets(after, owners);
  if (!sets) return fail(sets);
  std::size_t wanted = 0;
  for (const auto& [key, edit] : named)
    wanted += edit->after ? 1U : 0U;
  std::size_t right = 0;
  for (const dns::RecordSet& set : *sets) {
    const auto found = named.find({set.owner.text(), set.type});
    if (found == named.end()) continue;
    if (found->second->after != set) return unsafe("a record would not read back as wanted");
    ++right;
  }
  return right == wanted ? Result<Done>(Done{}) : unsafe("a record would be missing");
}

}  // namespace

Result<std::map<std::string, std::string>> edit_zone(const Zone& zone,
                                                     const std::vector<plan::RecordEdit>& edits,
                                                     Time now) {
  Editor editor(zone);
  for (const plan::RecordEdit& edit : edits)
    if (const Result<Done> done = editor.apply(edit); !done) return fail(done);
  if (!editor.changed()) return std::map<std::string, std::string>{};
  if (const Result<Done> done = editor.bump_serial(now); !done) return fail(done);
  std::map<std::string, std::string> texts = editor.texts();
  const auto read = [&](const std::string& path) -> Result<std::string> {
    if (const auto found = texts.find(path); found != texts.end()) return found->second;
    for (const ZoneFile& file : zone.files)
      if (file.path == path) return file.text;
    return fail(Code::not_found, "no such file", path);
  };
  const Result<Zone> result = read_zone(zone.name, zone.files.front().path, read);
  if (!result) return fail(result);
  if (const Result<Done> right = verify(zone, *result, named_by(edits)); !right) return fail(right);
  return texts;
}

}  // namespace stsctl::providers::zonefile
