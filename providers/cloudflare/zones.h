#pragma once
// Which of an account's zones holds a name, and whether its records can be written there. Pure.

#include <map>
#include <string>
#include <vector>

#include "providers/cloudflare/wire.h"

namespace stsctl::providers::cloudflare {

/// The zones of one listing.
class ZoneIndex {
 public:
  explicit ZoneIndex(std::vector<Zone> zones);

  /// The zone in use with the longest name that holds `name`. Code::not_found when there is none,
  /// Code::conflict, naming both accounts, when two of them have it in use; Code::unsupported when
  /// it is not in use, or its records come from elsewhere.
  Result<Zone> find(const dns::Name& name) const;
  bool empty() const { return names_.empty(); }

 private:
  std::map<dns::Name, std::vector<Zone>> zones_;
  std::vector<dns::Name> names_;   ///< Sorted.
  std::vector<dns::Name> active_;  ///< Those in use, sorted.
};

}  // namespace stsctl::providers::cloudflare
