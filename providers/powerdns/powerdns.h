#pragma once
// The HTTP API of the PowerDNS authoritative server.

#include "providers/provider.h"

namespace stsctl::providers::powerdns {

DnsKind kind();

}  // namespace stsctl::providers::powerdns
