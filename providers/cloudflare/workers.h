#pragma once
// One Cloudflare Worker that answers for many domains, as a host of policies.

#include "providers/provider.h"

namespace stsctl::providers::cloudflare {

HostKind workers_kind();

}  // namespace stsctl::providers::cloudflare
