#include "providers/powerdns/view.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <unordered_set>

#include "base/parallel.h"

namespace stsctl::providers::powerdns {

namespace {

// The labels in front of the domain, at which stsctl's records stand.
constexpr std::array<std::string_view, 3> labels{"_mta-sts.", "_smtp._tls.", "mta-sts."};

constexpr std::chrono::seconds longest_age{5};
// A search looks at every zone of the server, a read at one: about as much work for the server as
// for so many zones searched.
constexpr std::size_t zones_worth_one_read = 50;
constexpr std::size_t always_worth = 2000;

std::set<std::string> patterns_for(const std::vector<ZoneQuery>& queries) {
  std::set<std::string> patterns;
  for (const ZoneQuery& query : queries)
    for (const dns::Name& owner : query.owners) {
      const auto label = std::ranges::find_if(
          labels, [&](std::string_view one) { return owner.text().starts_with(one); });
      // An owner of another kind is searched by itself, which will hardly be worth it.
      patterns.insert(label == labels.end() ? owner.text() : std::string(*label) + "*");
    }
  return patterns;
}

std::vector<ApiSet> only_at(std::vector<ApiSet> sets, const std::vector<dns::Name>& owners) {
  const std::unordered_set<dns::Name> wanted(owners.begin(), owners.end());
  std::erase_if(sets, [&](const ApiSet& set) { return !wanted.contains(set.owner); });
  return sets;
}

}  // namespace

void View::set_size(std::size_t zones) {
  const std::scoped_lock lock(mutex_);
  size_ = zones;
}

bool View::less_work(const std::vector<ZoneQuery>& queries,
                     const std::set<std::string>& patterns) const {
  if (queries.size() <= patterns.size()) return false;
  return size_ <= always_worth || size_ / zones_worth_one_read <= queries.size();
}

// Asks, once, whether a search can be believed.
bool View::worth_searching(const std::vector<ZoneQuery>& queries,
                           const std::set<std::string>& patterns) {
  if (!less_work(queries, patterns)) return false;
  if (!searchable_) {
    const Result<bool> told = client_.searchable();
    if (!told) return false;
    searchable_ = *told;
  }
  return *searchable_;
}

std::optional<View::Matches> View::search(const std::set<std::string>& patterns,
                                          const std::stop_token& stop) const {
  const std::vector<std::string> list(patterns.begin(), patterns.end());
  auto answers = parallel_map(list, list.size(), stop,
                              [&](const std::string& pattern) { return client_.search(pattern); });
  Matches all;
  for (auto& found : answers) {
    if (!found || !*found) return std::nullopt;
    for (auto& [zone, sets] : (*found)->zones)
      std::ranges::move(sets, std::back_inserter(all[zone]));
  }
  return all;
}

std::vector<ApiSet> View::matching(const Matches& matches, const ZoneQuery& query) {
  const auto found = matches.find(query.zone);
  return found == matches.end() ? std::vector<ApiSet>{} : only_at(found->second, query.owners);
}

Result<std::vector<ApiSet>> View::read_zone(const ZoneQuery& query) const {
  const std::string id = query.zone.text() + ".";
  if (query.owners.size() > 1) {
    Result<std::vector<ApiSet>> all = client_.zone(id);
    if (all) return only_at(std::move(*all), query.owners);
    // The zone may be too large for one answer.
    if (all.error().code != Code::protocol) return fail(all);
  }
  std::vector<ApiSet> sets;
  for (const dns::Name& owner : query.owners) {
    Result<std::vector<ApiSet>> some = client_.zone(id, &owner);
    if (!some) return fail(some);
    // Servers that know no filter send the whole zone.
    std::ranges::move(only_at(std::move(*some), {owner}), std::back_inserter(sets));
  }
  return sets;
}

Result<std::vector<ApiSet>> View::read_whole(const ZoneQuery& query) const {
  Result<std::vector<ApiSet>> all = client_.zone(query.zone.text() + ".");
  if (!all) return fail(all);
  return only_at(std::move(*all), query.owners);
}

std::vector<Result<std::vector<ApiSet>>> View::read(const std::vector<ZoneQuery>& queries,
                                                    std::size_t width, const Watch& watch) {
  const std::set<std::string> patterns = patterns_for(queries);
  std::vector<Result<std::vector<ApiSet>>> results;
  results.reserve(queries.size());
  bool by_search = false;
  {
    const std::scoped_lock lock(mutex_);
    by_search = !watch.stop.stop_requested() && worth_searching(queries, patterns);
  }
  if (by_search) {
    if (const auto matches = search(patterns, watch.stop)) {
      for (const ZoneQuery& query : queries) {
        results.emplace_back(matching(*matches, query));
        watch.advanced(query.owners.size());
      }
      return results;
    }
  }
  auto parts = parallel_map(queries, width, watch.stop, [&](const ZoneQuery& query) {
    auto sets = read_zone(query);
    watch.advanced(query.owners.size());
    return sets;
  });
  for (auto& part : parts)
    results.push_back(part ? std::move(*part)
                           : fail(Code::cancelled, "stopped before it was read"));
  return results;
}

std::size_t View::look_requests(const std::vector<ZoneQuery>& queries) const {
  const std::set<std::string> patterns = patterns_for(queries);
  const std::scoped_lock lock(mutex_);
  return less_work(queries, patterns) && searchable_.value_or(true) ? patterns.size()
                                                                    : queries.size();
}

void View::prepare(const std::vector<ZoneQuery>& queries) {
  std::set<std::string> patterns = patterns_for(queries);
  const std::scoped_lock lock(mutex_);
  fresh_.clear();
  matches_.clear();
  patterns_.clear();
  if (!worth_searching(queries, patterns)) return;
  const auto now = clock_.steady();
  auto matches = search(patterns, {});
  if (!matches) return;
  for (const ZoneQuery& query : queries)
    fresh_.insert(query.zone);
  patterns_ = std::move(patterns);
  matches_ = std::move(*matches);
  taken_ = now;  // the age counts from before the search
}

Result<std::vector<ApiSet>> View::recent(const ZoneQuery& query) {
  {
    const std::scoped_lock lock(mutex_);
    const std::set<std::string> wanted = patterns_for({query});
    if (fresh_.contains(query.zone) && std::ranges::includes(patterns_, wanted)) {
      const auto now = clock_.steady();
      if (now - taken_ > longest_age) {
        auto matches = search(patterns_, {});
        if (!matches) return read_whole(query);
        matches_ = std::move(*matches);
        taken_ = now;
      }
      return matching(matches_, query);
    }
  }
  return read_whole(query);
}

void View::forget(const dns::Name& zone) {
  const std::scoped_lock lock(mutex_);
  fresh_.erase(zone);
}

}  // namespace stsctl::providers::powerdns
