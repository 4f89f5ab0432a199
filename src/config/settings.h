#pragma once
// Provider settings: checked against their specs, secrets resolved.

#include <string>
#include <vector>

#include "config/config.h"
#include "config/reader.h"

namespace stsctl::config {

/// Reads the mapping of one account. Every fault becomes a diagnostic; what is right is in the
/// result. Relative paths are taken from the folder of the reader's file.
Settings read_settings(Reader& reader, const Node& mapping, const std::vector<SettingSpec>& specs,
                       const Sources& sources);

}  // namespace stsctl::config
