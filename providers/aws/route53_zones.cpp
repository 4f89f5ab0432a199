#include "providers/aws/route53_zones.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/aws/route53_order.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::size_t sets_a_page = 300;    // the most there are
constexpr std::size_t sets_at_a_name = 20;  // more than a name has, but for routing policies

std::unexpected<Error> stopped() {
  return fail(Code::cancelled, "stopped before it was read");
}

std::unexpected<Error> no_progress() {
  return fail(Code::protocol, "the service lists the same page again", {},
              "does 'endpoint' name Route 53?");
}

// The name itself and every name above it, the longest first.
std::vector<dns::Name> self_and_parents(const dns::Name& name) {
  std::vector<dns::Name> names{name};
  while (const auto parent = names.back().parent())
    names.push_back(*parent);
  return names;
}

bool any_found(const dns::Name& name,
               const std::unordered_map<std::string, std::vector<HostedZone>>& found) {
  return std::ranges::any_of(self_and_parents(name),
                             [&](const dns::Name& one) { return found.contains(one.text()); });
}

}  // namespace

Result<Done> ZoneIndex::sweep(const std::vector<dns::Name>& wanted, const std::stop_token& stop,
                              Found& found) {
  const std::unordered_set<dns::Name> names(wanted.begin(), wanted.end());
  Sweep sweep(wanted);
  std::optional<ZoneMarker> marker;
  while (sweep.left() > 0) {
    if (stop.stop_requested()) return stopped();
    const ZoneMarker begin = marker.value_or(ZoneMarker{sweep.next().text() + ".", {}});
    Result<ZonePage> page = client_.zones(begin);
    if (!page) return fail(page);
    if (page->next && *page->next == begin) return no_progress();
    std::vector<std::string> listed;
    for (HostedZone& zone : page->zones) {
      listed.push_back(zone.name);
      const Result<dns::Name> name = dns::Name::parse(zone.name);
      if (name && names.contains(*name)) found[name->text()].push_back(std::move(zone));
    }
    const Result<Done> passed = sweep.pass(listed, page->next ? page->next->name : "");
    if (!passed) return fail(passed);
    marker = page->next && sweep.goes_on_at(page->next->name) ? page->next : std::nullopt;
  }
  return Done{};
}

std::vector<Result<dns::Name>> ZoneIndex::find(const std::vector<dns::Name>& names,
                                               const std::stop_token& stop) {
  std::set<dns::Name> wanted;
  for (const dns::Name& name : names)
    for (const dns::Name& one : self_and_parents(name))
      if (one.parent()) wanted.insert(one);
  Found found;
  Result<Done> swept = sweep({wanted.begin(), wanted.end()}, stop, found);
  // Hardly anybody's zone is a top-level domain: looked for only where nothing else is.
  std::set<dns::Name> top_level;
  for (const dns::Name& name : names)
    if (swept && !any_found(name, found)) top_level.insert(self_and_parents(name).back());
  if (!top_level.empty()) swept = sweep({top_level.begin(), top_level.end()}, stop, found);
  std::vector<Result<dns::Name>> zones;
  zones.reserve(names.size());
  for (const dns::Name& name : names)
    zones.push_back(swept ? choose(name, found) : fail(swept));
  return zones;
}

// The longest public zone; a private one is seen inside its networks only, where no sender is.
Result<dns::Name> ZoneIndex::choose(const dns::Name& name, const Found& found) {
  bool only_private = false;
  for (const dns::Name& candidate : self_and_parents(name)) {
    const auto place = found.find(candidate.text());
    if (place == found.end()) continue;
    std::vector<HostedZone> zones = place->second;
    std::erase_if(zones, [](const HostedZone& zone) { return zone.is_private; });
    only_private = only_private || zones.empty();
    if (zones.empty()) continue;
    if (zones.size() > 1)
      return fail(Code::conflict,
                  fmt::format("the account has more than one public zone {}: {} and {}",
                              candidate.text(), zones[0].id, zones[1].id),
                  name.text(),
                  "delete the one that the domain is not delegated to; compare the name servers");
    if (!zones[0].owner.empty())
      return fail(Code::unsupported,
                  fmt::format("the zone {} ({}) is kept by {}: its records cannot be changed here",
                              candidate.text(), zones[0].id, printable(zones[0].owner)),
                  name.text());
    const std::scoped_lock lock(mutex_);
    known_.insert_or_assign(candidate, zones[0]);
    return candidate;
  }
  return fail(Code::not_found,
              only_private ? "the account has only a private zone for this name"
                           : "the account has no zone for this name",
              name.text(), "create a public zone, or name another 'dns' account for the domain");
}

Result<HostedZone> ZoneIndex::zone(const dns::Name& name) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto place = known_.find(name); place != known_.end()) return place->second;
  }
  const Result<dns::Name> found = find({name}, {}).front();
  if (!found) return fail(found);
  const std::scoped_lock lock(mutex_);
  if (const auto place = known_.find(name); place != known_.end()) return place->second;
  return fail(Code::not_found, "the account has no zone of this name", name.text());
}

Result<SetsByOwner> read_owners(Route53Client& client, const HostedZone& zone,
                                const std::vector<dns::Name>& owners, const std::stop_token& stop) {
  SetsByOwner found;
  std::unordered_map<std::string, dns::Name> names;
  for (const dns::Name& owner : owners) {
    found.try_emplace(owner);
    names.emplace(owner.text(), owner);
  }
  Sweep sweep(owners);
  std::optional<RecordMarker> marker;
  while (sweep.left() > 0) {
    if (stop.stop_requested()) return stopped();
    const RecordMarker begin = marker.value_or(RecordMarker{sweep.next().text() + ".", {}, {}});
    const std::size_t most = sweep.left() == 1 ? sets_at_a_name : sets_a_page;
    Result<RecordPage> page = client.record_sets(zone, begin, most);
    if (!page) return fail(page);
    if (page->next && *page->next == begin) return no_progress();
    std::vector<std::string> listed;
    for (ApiSet& set : page->sets) {
      listed.push_back(set.name);
      const auto owner = names.find(plain_name(set.name));
      if (owner != names.end()) found[owner->second].push_back(std::move(set));
    }
    const Result<Done> passed = sweep.pass(listed, page->next ? page->next->name : "");
    if (!passed) return fail(passed);
    marker = page->next && sweep.goes_on_at(page->next->name) ? page->next : std::nullopt;
  }
  return found;
}

}  // namespace stsctl::providers::aws
