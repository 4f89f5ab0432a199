#pragma once
// Amazon Route 53.

#include "providers/provider.h"

namespace stsctl::providers::aws {

DnsKind route53_kind();

}  // namespace stsctl::providers::aws
