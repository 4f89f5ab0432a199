#pragma once
// From what is published to a configuration that says the same. Pure.

#include <string>
#include <vector>

#include "engine/look.h"

namespace stsctl::cli {

/// The entries of `domains:` that match `facts`, a domain each, and comments on what cannot be
/// taken over as it is.
std::string domains_yaml(const std::vector<engine::Facts>& facts);

}  // namespace stsctl::cli
