#pragma once
// `provider: sftp`: policies in a folder of a server that is reached by OpenSSH.

#include "providers/provider.h"

namespace stsctl::providers::sftp {

/// The registry line.
HostKind kind();

}  // namespace stsctl::providers::sftp
