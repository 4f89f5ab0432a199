#pragma once
// Between the JSON of PowerDNS's HTTP API (version 1) and record sets. Pure; knows no connection.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"

namespace stsctl::providers::powerdns {

/// A zone as GET /zones lists it.
struct ZoneInfo {
  dns::Name name;
  std::string id;    ///< As it stands in a path: "example.com.".
  std::string kind;  ///< "Native", "Master", "Slave", "Producer", "Consumer".

  /// Do its records come from elsewhere (Slave, Consumer)?
  bool is_secondary() const;
  /// Does it tell secondaries of changes (Master, Producer)?
  bool is_primary() const;
};

/// One record of a set: what is served, or kept but disabled.
struct ApiRecord {
  std::string content;
  bool disabled = false;
  bool operator==(const ApiRecord&) const = default;
};

/// A record set as the API keeps it, disabled records included.
struct ApiSet {
  dns::Name owner;
  std::string type;
  Duration ttl{0};
  std::vector<ApiRecord> records;
  bool operator==(const ApiSet&) const = default;
};

/// GET /zones. Zones whose names no mail domain can have ("0/25.2.0.192.in-addr.arpa") are left
/// out. Code::protocol when the text is not what the API sends; so do all that follow.
Result<std::vector<ZoneInfo>> parse_zones(std::string_view text);

/// GET /zones/{id}: the record sets that hold a record. Where a name was asked for, 4.7 lists sets
/// without records, of any name, that only have comments: they do not exist.
Result<std::vector<ApiSet>> parse_zone(std::string_view text);

/// What GET /search-data?object_type=record found: sets by zone.
struct Found {
  std::map<dns::Name, std::vector<ApiSet>> zones;
  std::size_t records = 0;  ///< Matches in all.
};
Result<Found> parse_search(std::string_view text);

/// GET /config: do all the server's backends search their records? LMDB before 5.0 and others
/// answer every search with nothing, so only those known to search count.
Result<bool> parse_searchable(std::string_view text);

/// The sets in canonical form; those without an enabled record are left out. Type::locked where
/// content cannot be read, such as what somebody wrote into the database: that stops its own domain
/// only.
std::vector<dns::RecordSet> record_sets(const std::vector<ApiSet>& sets);

/// The body of the PATCH that makes `edits` true where `live` stands at their owners; empty when
/// all are done. Values that stay keep their spelling; disabled records and, as far as the API
/// lets us, comments stay. Removals stand first. Code::invalid for a TTL that the API would store
/// wrongly (4.7 takes -1 for 4294967295).
Result<std::string> patch_body(const std::vector<ApiSet>& live,
                               const std::vector<plan::RecordEdit>& edits);

/// What the body of a failed request says: the JSON member "error", or the text itself.
std::string error_text(std::string_view body);

}  // namespace stsctl::providers::powerdns
