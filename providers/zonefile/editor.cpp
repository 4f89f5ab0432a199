#include "providers/zonefile/editor.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/zonefile/rdata.h"
#include "providers/zonefile/serial.h"

namespace stsctl::providers::zonefile {

namespace {

constexpr std::array<std::string_view, 3> prefixes{"_mta-sts.", "_smtp._tls.", "mta-sts."};

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

}  // namespace

Editor::Editor(const Zone& zone) : zone_(zone), patches_(zone.files.size()) {
  for (const Zone::Place& place : zone.order)
    if (!zone.at(place).generate) places_[zone.at(place).owner].push_back(place);
}

Result<Done> Editor::apply(const plan::RecordEdit& edit) {
  const dns::RecordSet& named = subject(edit);
  if (const Result<Done> own = not_generated(named); !own) return own;
  Places places;
  for (const Zone::Place& place : at_owner(named.owner.text()))
    if (managed_type(zone_.text(place), zone_.at(place)) == named.type) places.push_back(place);
  if (edit.after) {
    make_equal(*edit.after, places);
  } else {
    for (const Zone::Place& place : places)
      remove(place);
  }
  return Done{};
}

// RFC 1035 §3.3.13: the third of the SOA's data.
Result<Done> Editor::bump_serial(Time now) {
  for (const Zone::Place& place : at_owner(zone_.name.text())) {
    const Record& record = zone_.at(place);
    if (record.type != "SOA" || record.data.size() < 3) continue;
    const Span span = record.data[2];
    const auto serial = parse_number(piece(zone_.text(place), span));
    if (!serial) break;
    patch(place.file, span.begin, span.end, std::to_string(next_serial(*serial, now)));
    return Done{};
  }
  return fail(Code::unsupported,
              fmt::format("no SOA record with a serial at {}", zone_.name.text()),
              zone_.files.front().path, "write its seven fields out");
}

bool Editor::changed() const {
  return std::ranges::any_of(patches_, [](const auto& patches) { return !patches.empty(); });
}

bool Editor::pin(const Zone& result) {
  const std::vector<Shifts> all_shifts = shifts();
  bool pinned = false;
  bool owner_pinned = false;  // of the records that inherit from one pinned just before
  bool ttl_pinned = false;
  std::size_t file = 0;
  for (const Zone::Place& place : zone_.order) {
    const Record& record = zone_.at(place);
    const Record* now = moved(place, all_shifts, result);
    const bool states_ttl = record.stated_ttl || ttl_set_.contains(key(place));
    // $INCLUDE hands the owner in, but not back; the TTL both ways.
    if (std::exchange(file, place.file) != place.file) owner_pinned = false;
    if (now == nullptr || !record.inherits_owner) owner_pinned = false;
    if (now == nullptr || states_ttl) ttl_pinned = false;
    if (now == nullptr) continue;
    if (record.inherits_owner && !owner_pinned && now->owner != record.owner) {
      patches_[place.file].push_back(
          {record.line.begin, record.line.begin, record.owner + ".", true});
      owner_pinned = pinned = true;
    }
    if (!states_ttl && !ttl_pinned && now->ttl != record.ttl) {
      set_ttl(place, Duration{record.ttl});
      ttl_pinned = pinned = true;
    }
  }
  return pinned;
}

std::map<std::string, std::string> Editor::texts() const {
  std::map<std::string, std::string> texts;
  for (std::size_t i = 0; i < patches_.size(); ++i)
    if (!patches_[i].empty()) texts[zone_.files[i].path] = patched(i);
  return texts;
}

const Editor::Places& Editor::at_owner(const std::string& owner) const {
  static const Places none;
  const auto found = places_.find(owner);
  return found == places_.end() ? none : found->second;
}

void Editor::patch(std::size_t file, std::size_t begin, std::size_t end, std::string text) {
  patches_[file].push_back({begin, end, std::move(text)});
}

std::string_view Editor::line_end(std::size_t file) const {
  return zone_.files[file].text.find("\r\n") == std::string::npos ? "\n" : "\r\n";
}

Result<Done> Editor::not_generated(const dns::RecordSet& named) const {
  const auto generated = generated_at(zone_, named.owner.text());
  if (!generated) return fail(generated);
  for (const Generated& one : *generated)
    if (managed_type(one.text, one.record) == named.type)
      return fail(Code::unsupported,
                  fmt::format("{} {} is made by a $GENERATE line", named.owner.text(),
                              dns::to_string(named.type)),
                  zone_.where(one.line),
                  "write that record out and take it from the range of the line");
  return Done{};
}

void Editor::make_equal(const dns::RecordSet& after, const Places& places) {
  std::vector<std::string> missing = after.values;
  Places free;
  for (const Zone::Place& place : places) {
    const Result<std::string> value = canonical_value(zone_, place);
    const auto stays = value ? std::ranges::find(missing, *value) : missing.end();
    if (stays == missing.end()) {
      free.push_back(place);
      continue;
    }
    missing.erase(stays);
    if (Duration{zone_.at(place).ttl} != after.ttl) set_ttl(place, after.ttl);
  }
  std::string fresh;
  std::size_t reused = 0;
  for (const std::string& value : missing) {
    if (reused < free.size())
      rewrite(free[reused++], after, value);
    else
      fresh += record_line(after, value, line_end(0));
  }
  for (; reused < free.size(); ++reused)
    remove(free[reused]);
  if (!fresh.empty()) insert(after.owner, places, std::move(fresh));
}

void Editor::set_ttl(const Zone::Place& place, std::chrono::seconds ttl) {
  const Record& record = zone_.at(place);
  ttl_set_.insert(key(place));
  if (record.stated_ttl)
    patch(place.file, record.ttl_token.begin, record.ttl_token.end, std::to_string(ttl.count()));
  else
    patch(place.file, record.type_token.begin, record.type_token.begin,
          fmt::format("{} ", ttl.count()));
}

void Editor::rewrite(const Zone::Place& place, const dns::RecordSet& after,
                     const std::string& value) {
  const Record& record = zone_.at(place);
  if (record.in_parentheses) {
    // The parenthesis opens before the data: a line of its own is clearer than a half of one.
    patch(place.file, record.line.begin, record.line.end,
          record_line(after, value, line_end(place.file)));
    replaced_.insert(key(place));
    return;
  }
  if (Duration{record.ttl} != after.ttl) set_ttl(place, after.ttl);
  // "TYPE16" wants its data in generic form too, to other servers than BIND.
  if (lower(piece(zone_.text(place), record.type_token)) != lower(record.type))
    patch(place.file, record.type_token.begin, record.type_token.end, record.type);
  patch(place.file, record.data_range.begin, record.data_range.end, data_text(after, value));
}

void Editor::remove(const Zone::Place& place) {
  const Record& record = zone_.at(place);
  patch(place.file, record.line.begin, record.line.end, "");
  replaced_.insert(key(place));
}

// After the domain's own records where there are some in the main file, else at its end.
void Editor::insert(const dns::Name& owner, const Places& places, std::string lines) {
  std::optional<Zone::Place> after = last_sibling(owner);
  if (!places.empty() && places.back().file == 0) after = places.back();
  const std::string& text = zone_.files.front().text;
  std::size_t at = text.size();
  if (after) {
    const auto& records = zone_.files.front().content.records;
    while (after->record + 1 < records.size() && records[after->record + 1].inherits_owner)
      ++after->record;
    if (leaves_the_next_alone(*after)) at = records[after->record].line.end;
  }
  // A last line without its end gets it, once.
  const bool is_first = std::ranges::find(patches_[0], at, &Patch::begin) == patches_[0].end();
  if (at > 0 && text[at - 1] != '\n' && is_first) lines.insert(0, line_end(0));
  patch(0, at, at, std::move(lines));
}

std::optional<Zone::Place> Editor::last_sibling(const dns::Name& owner) const {
  std::string_view domain = owner.text();
  for (const std::string_view prefix : prefixes)
    if (domain.starts_with(prefix)) {
      domain.remove_prefix(prefix.size());
      break;
    }
  for (const std::string_view prefix : prefixes) {
    const Places& places = at_owner(std::string(prefix) + std::string(domain));
    if (!places.empty() && places.back().file == 0) return places.back();
  }
  return std::nullopt;
}

// Would what comes after a record of the main file take nothing from a record put between?
bool Editor::leaves_the_next_alone(const Zone::Place& place) const {
  const ZoneText& content = zone_.files.front().content;
  const std::size_t next = place.record + 1;
  const bool included = std::ranges::any_of(content.directives, [&](const Directive& directive) {
    return directive.before_record == next && std::holds_alternative<Include>(directive.what);
  });
  return !included && (next == content.records.size() || !content.records[next].carries_ttl);
}

std::vector<Editor::Shifts> Editor::shifts() const {
  std::vector<Shifts> all(patches_.size());
  for (std::size_t file = 0; file < patches_.size(); ++file) {
    Shifts& shifts = all[file];
    for (const Patch& one : patches_[file]) {
      // What is put between two lines moves the second; what replaces or precedes a line's own
      // bytes moves only those after it.
      const bool between = one.begin == one.end && !one.pins_owner;
      shifts.emplace_back(2 * one.begin + (between ? 0 : 1),
                          one.text.size() - (one.end - one.begin));
    }
    std::ranges::sort(shifts);
    std::size_t sum = 0;  // wraps around below zero and back
    for (auto& [from, by] : shifts)
      by = sum += by;
  }
  return all;
}

// The record of `result` that `place` has become; none for one that was replaced or removed.
const Record* Editor::moved(const Zone::Place& place, const std::vector<Shifts>& shifts,
                            const Zone& result) const {
  if (replaced_.contains(key(place)) || place.file >= result.files.size()) return nullptr;
  std::size_t begin = zone_.at(place).line.begin;
  const Shifts& known = shifts[place.file];
  const auto after = std::ranges::upper_bound(known, 2 * begin, {}, &Shifts::value_type::first);
  if (after != known.begin()) begin += std::prev(after)->second;
  const auto& records = result.files[place.file].content.records;
  const auto found = std::ranges::lower_bound(
      records, begin, {}, [](const Record& record) { return record.line.begin; });
  return found != records.end() && found->line.begin == begin ? &*found : nullptr;
}

std::string Editor::patched(std::size_t file) const {
  std::vector<Patch> patches = patches_[file];
  // What is inserted at one place keeps the order it was asked for, and comes before what replaces
  // the bytes there.
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

}  // namespace stsctl::providers::zonefile
