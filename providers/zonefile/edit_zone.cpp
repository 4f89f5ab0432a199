// An edit of a zone, and a reading of the result that proves every other record unchanged.

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/zonefile/editor.h"
#include "providers/zonefile/rdata.h"
#include "providers/zonefile/zone.h"

namespace stsctl::providers::zonefile {

namespace {

// Each pass of pinning mends what the one before could not know; more than a few is a fault.
constexpr int most_passes = 4;

// A record as a server sees it, for comparing zones.
struct Seen {
  std::string owner;
  std::string type;
  std::uint32_t ttl;
  std::vector<std::string> data;
  auto operator<=>(const Seen&) const = default;
};

using Named = std::map<std::pair<std::string, dns::Type>, const plan::RecordEdit*>;

Named named_by(const std::vector<plan::RecordEdit>& edits) {
  Named named;
  for (const plan::RecordEdit& edit : edits) {
    const dns::RecordSet& set = subject(edit);
    named[{set.owner.text(), set.type}] = &edit;
  }
  return named;
}

Seen seen(const Zone& zone, const Zone::Place& place) {
  const Record& record = zone.at(place);
  const std::string& text = zone.text(place);
  Seen one{record.owner, record.type, record.ttl, {record.origin}};
  if (record.generate) {
    one.owner = piece(text, record.generate->owner);
    one.data.push_back(fmt::format("$GENERATE {}-{}/{}", record.generate->first,
                                   record.generate->last, record.generate->step));
  }
  for (std::size_t i = 0; i < record.data.size(); ++i)
    if (record.type != "SOA" || i != 2) one.data.emplace_back(piece(text, record.data[i]));
  return one;
}

// Every record that no edit names, the SOA's serial left out.
std::vector<Seen> others(const Zone& zone, const Named& named) {
  std::vector<Seen> all;
  for (const Zone::Place& place : zone.order) {
    const Record& record = zone.at(place);
    if (!named.contains({record.owner, managed_type(zone.text(place), record)}))
      all.push_back(seen(zone, place));
  }
  std::ranges::sort(all);
  return all;
}

// Servers refuse a whole zone for this (RFC 1034 §3.6.2).
Result<Done> no_company_for_a_cname(const Zone& zone, const Named& named) {
  std::map<std::string, std::pair<bool, std::size_t>> owners;  // has it a CNAME; how many records
  for (const auto& [key, edit] : named)
    owners[key.first];
  const auto count = [&](const std::string& owner, const std::string& type) {
    const auto found = owners.find(owner);
    if (found == owners.end() || type == "RRSIG" || type == "NSEC") return;
    found->second.first = found->second.first || type == "CNAME";
    ++found->second.second;
  };
  for (const Zone::Place& place : zone.order)
    count(zone.at(place).owner, zone.at(place).type);
  for (const auto& [owner, state] : owners) {
    const auto generated = generated_at(zone, owner);
    if (!generated) return fail(generated);
    for (const Generated& one : *generated)
      count(owner, one.record.type);
  }
  for (const auto& [owner, state] : owners)
    if (state.first && state.second > 1)
      return fail(
          Code::conflict,
          fmt::format("{} would have a CNAME beside another record, and no server loads that",
                      owner),
          zone.files.front().path,
          "remove the other record, or run plan again to see what is there");
  return Done{};
}

// Nobody would be served what is written below a delegation.
Result<Done> nothing_where_others_answer(const Zone& zone, const Named& named) {
  for (const auto& [key, edit] : named) {
    const auto cut = edit->after ? cut_over(zone, key.first) : std::nullopt;
    if (cut)
      return fail(Code::conflict,
                  fmt::format("the zone leaves {} to other servers by the {} record at {}",
                              key.first, zone.at(*cut).type, printable(zone.at(*cut).owner)),
                  zone.where(*cut), "run plan again to see what is there");
  }
  return Done{};
}

Result<Done> verify(const Zone& before, const Zone& after, const Named& named) {
  const auto unsafe = [&](const char* why) {
    return fail(Code::unsupported, fmt::format("the file cannot be edited safely: {}", why),
                before.files.front().path,
                "give its records explicit owners and put a $TTL line at its top");
  };
  if (const Result<Done> alone = no_company_for_a_cname(after, named); !alone) return alone;
  if (const Result<Done> ours = nothing_where_others_answer(after, named); !ours) return ours;
  if (others(before, named) != others(after, named)) return unsafe("another record would change");
  std::set<dns::Name> owners;
  std::size_t wanted = 0;
  for (const auto& [key, edit] : named) {
    owners.insert(edit->after ? edit->after->owner : edit->before->owner);
    wanted += edit->after ? 1U : 0U;
  }
  const auto sets = record_sets(after, {owners.begin(), owners.end()});
  if (!sets) return fail(sets);
  std::size_t right = 0;
  for (const dns::RecordSet& set : *sets) {
    const auto found = named.find({set.owner.text(), set.type});
    if (found == named.end()) continue;
    if (found->second->after != set) return unsafe("a record would not read back as wanted");
    ++right;
  }
  return right == wanted ? Result<Done>(Done{}) : unsafe("a record would be missing");
}

// The zone as it would read with `texts` in place of its files.
Result<Zone> reread(const Zone& zone, const std::map<std::string, std::string>& texts) {
  const auto read = [&](const std::string& path) -> Result<std::string> {
    if (const auto found = texts.find(path); found != texts.end()) return found->second;
    for (const ZoneFile& file : zone.files)
      if (file.path == path) return file.text;
    return fail(Code::not_found, "no such file", path);
  };
  return read_zone(zone.name, zone.files.front().path, zone.include_folder, read);
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
  Result<Zone> result = reread(zone, editor.texts());
  for (int pass = 0; pass < most_passes && result && editor.pin(*result); ++pass)
    result = reread(zone, editor.texts());
  if (!result) return fail(result);
  if (const Result<Done> right = verify(zone, *result, named_by(edits)); !right) return fail(right);
  return editor.texts();
}

}  // namespace stsctl::providers::zonefile
