#pragma once
// `provider: zonefile`: zones as master files on this machine, as BIND, Knot and NSD read them.

#include "providers/provider.h"

namespace stsctl::providers::zonefile {

/// The registry line.
DnsKind kind();

}  // namespace stsctl::providers::zonefile
