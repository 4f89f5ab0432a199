#pragma once
// `provider: webdav` and `provider: http-put`: policies at a web server that takes them by HTTP.

#include "providers/provider.h"

namespace stsctl::providers::webdav {

/// The registry lines.
HostKind kind();
HostKind put_kind();

}  // namespace stsctl::providers::webdav
