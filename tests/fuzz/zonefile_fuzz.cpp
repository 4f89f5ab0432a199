// Zone files from outside: reading never crashes; an edit gives the wanted record set and leaves
// all other records as they were, or is refused.
#include <cstdint>
#include <cstdlib>

#include "providers/zonefile/zone.h"

namespace zonefile = stsctl::providers::zonefile;
namespace dns = stsctl::dns;

namespace {

void require(bool law) {
  if (!law) std::abort();
}

stsctl::Result<zonefile::Zone> read(const std::string& text) {
  return zonefile::read_zone(*dns::Name::parse("example.com"), "example.com.zone", "",
                             [&](const std::string& path) -> stsctl::Result<std::string> {
                               if (path == "example.com.zone") return text;
                               return stsctl::fail(stsctl::Code::not_found, "no such file", path);
                             });
}

// How many records there are that are no TXT of ours.
std::size_t others(const zonefile::Zone& zone, const dns::Name& owner) {
  std::size_t count = 0;
  for (const auto& place : zone.order)
    if (zone.at(place).owner != owner.text() || zone.at(place).type != "TXT") ++count;
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto zone = read(text);
  if (!zone) return 0;
  const dns::Name owner = *dns::Name::parse("_mta-sts.example.com");
  const dns::RecordSet wanted{owner,
                              dns::Type::txt,
                              std::chrono::seconds{300},
                              {"v=STSv1; id=a", "with \"quotes\" and \\ and \x01"}};
  const auto texts = zonefile::edit_zone(*zone, {{std::nullopt, wanted}},
                                         stsctl::Time{std::chrono::seconds{1'800'000'000}});
  if (!texts || texts->empty()) return 0;
  const auto edited = read(texts->at("example.com.zone"));
  require(edited.has_value());
  require(others(*edited, owner) == others(*zone, owner));
  const auto sets = zonefile::record_sets(*edited, {owner});
  require(sets.has_value());
  bool found = false;
  for (const dns::RecordSet& set : *sets)
    found = found || set == wanted;
  require(found);
  return 0;
}
