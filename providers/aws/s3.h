#pragma once
// Amazon S3 and stores that speak its language, as a host of policies.

#include "providers/provider.h"

namespace stsctl::providers::aws {

HostKind s3_kind();

}  // namespace stsctl::providers::aws
