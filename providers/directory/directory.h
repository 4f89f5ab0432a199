#pragma once
// `provider: directory`: policies in a folder that a web server on this machine serves.

#include "providers/provider.h"

namespace stsctl::providers::directory {

/// The registry line.
HostKind kind();

}  // namespace stsctl::providers::directory
