#include "providers/cloudflare/zones.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::cloudflare {

namespace {

Result<Zone> usable(const Zone& zone) {
  const std::string& name = zone.name.text();
  if (!zone.is_active())
    return fail(Code::unsupported,
                fmt::format("the zone {} is '{}' at Cloudflare, in account {}: nobody is answered "
                            "from it",
                            name, printable(zone.status), zone.account()),
                {},
                "set the domain's name servers to those Cloudflare names, or use the account "
                "where the zone is active");
  if (zone.type == "secondary")
    return fail(Code::unsupported,
                fmt::format("the zone {} is a secondary at Cloudflare: its records come from its "
                            "primary",
                            name),
                {}, "name the account of the primary server for this domain");
  if (zone.type == "partial" || zone.type == "internal")
    return fail(Code::unsupported,
                fmt::format("the zone {} has the setup '{}' at Cloudflare: the public is answered "
                            "from elsewhere",
                            name, zone.type),
                {}, "name the account that serves this domain");
  return zone;
}

// Of several zones of one name the one in use.
Result<Zone> choose(const std::vector<Zone>& zones) {
  const auto first = std::ranges::find_if(zones, &Zone::is_active);
  if (first == zones.end()) return usable(zones.front());
  const auto second = std::find_if(first + 1, zones.end(), std::mem_fn(&Zone::is_active));
  if (second == zones.end()) return usable(*first);
  return fail(Code::conflict,
              fmt::format("there are two zones {}, in the accounts {} and {}", first->name.text(),
                          first->account(), second->account()),
              {}, "name the right one with 'account'");
}

}  // namespace

ZoneIndex::ZoneIndex(std::vector<Zone> zones) {
  for (Zone& zone : zones) {
    std::vector<Zone>& list = zones_[zone.name];
    // A list that changes while it is paged through may show one of them twice.
    if (std::ranges::find(list, zone.id, &Zone::id) == list.end()) list.push_back(std::move(zone));
  }
  for (const auto& [name, list] : zones_) {
    names_.push_back(name);
    if (std::ranges::any_of(list, &Zone::is_active)) active_.push_back(name);
  }
}

Result<Zone> ZoneIndex::find(const dns::Name& name) const {
  // A zone that is not in use hides none that is.
  const dns::Name* zone = dns::longest_zone(active_, name);
  if (zone == nullptr) zone = dns::longest_zone(names_, name);
  if (zone == nullptr) return fail(Code::not_found, "no zone holds this name", name.text());
  Result<Zone> chosen = choose(zones_.at(*zone));
  if (!chosen) return fail_at(chosen, name.text());
  return chosen;
}

}  // namespace stsctl::providers::cloudflare
