#pragma once
// Any primary that takes signed DNS UPDATE (RFC 2136, RFC 8945): BIND, Knot, PowerDNS.

#include "providers/provider.h"

namespace stsctl::providers::rfc2136 {

DnsKind kind();

}  // namespace stsctl::providers::rfc2136
