// Zone files from outside, one or two (the second, behind a line "==", is included as "inc"):
// reading never crashes; an edit gives the wanted record set and leaves all other records as they
// were, or is refused.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <tuple>

#include "providers/zonefile/rdata.h"
#include "providers/zonefile/zone.h"

namespace zonefile = stsctl::providers::zonefile;
namespace dns = stsctl::dns;

namespace {

using Files = std::map<std::string, std::string>;

const dns::Name owner = *dns::Name::parse("_mta-sts.example.com");

void require(bool law) {
  if (!law) std::abort();
}

Files files_of(std::string text) {
  constexpr std::string_view separator = "\n==\n";
  const std::size_t at = text.find(separator);
  if (at == std::string::npos) return {{"zone", std::move(text)}};
  return {{"zone", text.substr(0, at + 1)}, {"inc", text.substr(at + separator.size())}};
}

stsctl::Result<zonefile::Zone> read(const Files& files) {
  return zonefile::read_zone(*dns::Name::parse("example.com"), "zone", "",
                             [&](const std::string& path) -> stsctl::Result<std::string> {
                               const auto found = files.find(path);
                               if (found != files.end()) return found->second;
                               return stsctl::fail(stsctl::Code::not_found, "no such file", path);
                             });
}

// Owner, type, TTL and data of every record that is no TXT of ours, the serial left out.
auto others(const zonefile::Zone& zone) {
  std::vector<std::tuple<std::string, std::string, std::uint32_t, std::string>> all;
  for (const auto& place : zone.order) {
    const zonefile::Record& record = zone.at(place);
    if (record.owner == owner.text() && record.type == "TXT") continue;
    std::string data;
    for (std::size_t i = 0; i < record.data.size(); ++i)
      if (record.type != "SOA" || i != 2)
        data += " " + std::string(zonefile::piece(zone.text(place), record.data[i]));
    all.emplace_back(record.owner, record.type, record.ttl, data);
  }
  std::ranges::sort(all);
  return all;
}

void check_edit(Files files, const std::optional<dns::RecordSet>& wanted) {
  const auto zone = read(files);
  const dns::RecordSet named = wanted ? *wanted : dns::RecordSet{owner, dns::Type::txt, {}, {}};
  const auto texts = zonefile::edit_zone(*zone, {{named, wanted}},
                                         stsctl::Time{std::chrono::seconds{1'800'000'000}});
  if (!texts || texts->empty()) return;
  for (const auto& [path, text] : *texts)
    files.at(path) = text;
  const auto edited = read(files);
  require(edited.has_value());
  require(others(*edited) == others(*zone));
  const auto sets = zonefile::record_sets(*edited, {owner});
  require(sets.has_value());
  std::optional<dns::RecordSet> found;
  for (const dns::RecordSet& set : *sets)
    if (set.type == dns::Type::txt) found = set;
  require(found == wanted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Files files = files_of(std::string(data, data + size));
  const auto zone = read(files);
  if (!zone) return 0;
  static_cast<void>(zonefile::first_seal(*zone));
  static_cast<void>(zonefile::record_sets(
      *zone, {owner, *dns::Name::parse("mta-sts.h12.example.com"), zone->name}));
  check_edit(files, dns::RecordSet{owner,
                                   dns::Type::txt,
                                   std::chrono::seconds{300},
                                   {"v=STSv1; id=a", "with \"quotes\" and \\ and \x01"}});
  check_edit(files, std::nullopt);
  return 0;
}
