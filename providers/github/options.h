#pragma once
// What both layouts are configured with.

#include <optional>
#include <string>

#include "plan/desired.h"
#include "providers/github/wire.h"

namespace stsctl::providers::github {

/// The settings but for the account's.
struct Options {
  std::string repository;  ///< "OWNER/NAME"; with Pages {domain} may stand in NAME.
  std::string branch;
  std::optional<Person> person;
  std::optional<plan::Address> address;
  Duration edge_delay{0};
};

}  // namespace stsctl::providers::github
