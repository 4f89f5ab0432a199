#pragma once
// `provider: github`: policies in GitHub repositories, for GitHub Pages or for another system that
// deploys them.

#include "providers/provider.h"

namespace stsctl::providers::github {

/// The registry line.
HostKind kind();

}  // namespace stsctl::providers::github
