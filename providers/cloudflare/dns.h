#pragma once
// Zones at Cloudflare.

#include "providers/provider.h"

namespace stsctl::providers::cloudflare {

DnsKind dns_kind();

}  // namespace stsctl::providers::cloudflare
