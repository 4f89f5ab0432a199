#pragma once
// What stands at the owners of many zones, by cross-zone search where that is less work and can be
// believed, else zone by zone. Knows no edit.

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "io/clock.h"
#include "providers/powerdns/client.h"
#include "providers/provider.h"

namespace stsctl::providers::powerdns {

/// Calls may come from any thread.
class View {
 public:
  View(const Client& client, io::Clock& clock) : client_(client), clock_(clock) {}

  /// How many zones the server has, for weighing; 0 while unknown.
  void set_size(std::size_t zones);

  /// The sets at each query's owners, read now; results pair with `queries`. `width`: requests in
  /// flight.
  std::vector<Result<std::vector<ApiSet>>> read(const std::vector<ZoneQuery>& queries,
                                                std::size_t width, const Watch& watch);
  /// The same for one zone from the zone itself, to write there: asked for one name, 4.7 leaves out
  /// disabled records, which a write would then lose.
  Result<std::vector<ApiSet>> read_whole(const ZoneQuery& query) const;

  /// How many requests prepare() and a recent() for each query send; one more when whether the
  /// server can be searched is not known yet.
  std::size_t look_requests(const std::vector<ZoneQuery>& queries) const;
  /// Searches for what a wave of writes will touch, if that is less work than reading each zone.
  void prepare(const std::vector<ZoneQuery>& queries);
  /// The sets at the query's owners, at most five seconds old: from what prepare() found, searched
  /// anew when that is older, or from the zone itself.
  Result<std::vector<ApiSet>> recent(const ZoneQuery& query);
  /// A write to this zone begins: what was found of it is of no more use.
  void forget(const dns::Name& zone);

 private:
  using Matches = std::map<dns::Name, std::vector<ApiSet>>;  // by zone

  Result<std::vector<ApiSet>> read_zone(const ZoneQuery& query) const;
  bool less_work(const std::vector<ZoneQuery>& queries,
                 const std::set<std::string>& patterns) const;
  bool worth_searching(const std::vector<ZoneQuery>& queries,
                       const std::set<std::string>& patterns);
  std::optional<Matches> search(const std::set<std::string>& patterns,
                                const std::stop_token& stop) const;
  static std::vector<ApiSet> matching(const Matches& matches, const ZoneQuery& query);

  const Client& client_;
  io::Clock& clock_;
  mutable std::mutex mutex_;
  std::size_t size_ = 0;
  std::optional<bool> searchable_;
  std::set<std::string> patterns_;  // of the matches
  std::set<dns::Name> fresh_;       // zones not written since
  Matches matches_;
  std::chrono::steady_clock::time_point taken_;
};

}  // namespace stsctl::providers::powerdns
