#pragma once
// A zone as one or more master files ($INCLUDE), read as record sets and edited as text. Pure but
// for the reading of files, which comes in as a function.

#include <functional>
#include <map>
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
  std::vector<ZoneFile> files;

  /// A record and the file it stands in.
  struct Place {
    std::size_t file;
    std::size_t record;
  };
  std::vector<Place> order;  ///< Every record in the order a server reads them.

  const Record& at(const Place& place) const {
    return files[place.file].content.records[place.record];
  }
  bool is_signed() const;
};

using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Reads a zone: `path` and, below it, what it includes (relative to the including file's folder).
/// Code::invalid for a malformed file or an include cycle, `where` naming the file.
Result<Zone> read_zone(const dns::Name& name, const std::string& path, const ReadFile& read);

/// The record sets at `owners`, decoded; types that stsctl does not manage as Type::other.
Result<std::vector<dns::RecordSet>> record_sets(const Zone& zone,
                                                const std::vector<dns::Name>& owners);

/// The value of one record as RecordSet writes it.
Result<std::string> canonical_value(const Zone& zone, const Zone::Place& place);

/// New texts of the files that change, by path, after `edits` and a new SOA serial. The edits'
/// `before` is not looked at. Every other record is the same afterwards, which is checked by
/// reading the result: Code::unsupported when it cannot be kept so. Empty when nothing changes.
Result<std::map<std::string, std::string>> edit_zone(const Zone& zone,
                                                     const std::vector<plan::RecordEdit>& edits,
                                                     Time now);

}  // namespace stsctl::providers::zonefile
