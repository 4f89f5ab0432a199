#pragma once
// A zone as one or more master files ($INCLUDE), read as record sets and edited as text. Pure but
// for the reading of files, which comes in as a function.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "dns/record_set.h"
#include "plan/plan.h"
#include "providers/zonefile/zone_text.h"

namespace stsctl::providers::zonefile {

/// One file of a zone.
struct ZoneFile {
  std::string path;
  std::string text;
  ZoneText content;
};

/// All files of a zone; the first is the main one.
struct Zone {
  dns::Name name;
  std::string include_folder;
  std::vector<ZoneFile> files = {};

  /// A record and the file it stands in.
  struct Place {
    std::size_t file;
    std::size_t record;
  };
  std::vector<Place> order = {};      ///< Every record in the order a server reads them.
  std::vector<Place> generates = {};  ///< Those of `order` that are $GENERATE lines.
  /// By owner, the records below which the zone does not answer: NS but for its own, and DNAME.
  std::map<std::string, Place, std::less<>> cuts = {};

  const Record& at(const Place& place) const {
    return files[place.file].content.records[place.record];
  }
  const std::string& text(const Place& place) const { return files[place.file].text; }
  /// "FILE:LINE", for messages.
  std::string where(const Place& place) const;
};

using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Reads a zone as BIND does: `path` and, below it, what it includes. A relative $INCLUDE is looked
/// for in `include_folder` (BIND's and NSD's working directory), then beside the including file (as
/// Knot does). Code::invalid for a malformed file, a missing or circular include, a record without
/// a TTL, and none or more than one SOA record, `where` naming the file.
Result<Zone> read_zone(const dns::Name& name, const std::string& path,
                       const std::string& include_folder, const ReadFile& read);

/// The record sets at `owners`, decoded, $GENERATE lines carried out; types that stsctl does not
/// manage as Type::other; as Type::locked a CNAME whose target no dns::Name can hold, and all that
/// stands at a name which the zone does not answer for (cut_over()).
Result<std::vector<dns::RecordSet>> record_sets(const Zone& zone,
                                                const std::vector<dns::Name>& owners);

/// The value of one record as RecordSet writes it.
Result<std::string> canonical_value(const Zone& zone, const Zone::Place& place);

/// The record by which the zone leaves `owner` to others, so that what it says there is never
/// served: an NS at or above it (RFC 1034 §4.2.1) or a DNAME above it (RFC 6672 §2.4).
std::optional<Zone::Place> cut_over(const Zone& zone, std::string_view owner);

/// A record that a $GENERATE makes.
struct Generated {
  Record record;
  std::string text;  ///< What the record's spans are of.
  Zone::Place line;  ///< The $GENERATE.
};

/// What the $GENERATE lines of a zone make at `owner`.
Result<std::vector<Generated>> generated_at(const Zone& zone, const std::string& owner);

/// The first record that signs or digests the zone, so that an edit would break it: RRSIG, NSEC,
/// NSEC3, NSEC3PARAM, DNSKEY, ZONEMD (RFC 8976).
std::optional<Zone::Place> first_seal(const Zone& zone);

/// New texts of the files that change, by path, after `edits` and a new SOA serial. The edits'
/// `before` is not looked at. Every other record is the same afterwards, which is checked by
/// reading the result: Code::unsupported when it cannot be kept so, or when a record to be changed
/// comes from a $GENERATE; Code::conflict when a CNAME would stand beside another record or a
/// record where the zone does not answer. Empty when nothing changes.
Result<std::map<std::string, std::string>> edit_zone(const Zone& zone,
                                                     const std::vector<plan::RecordEdit>& edits,
                                                     Time now);

}  // namespace stsctl::providers::zonefile
