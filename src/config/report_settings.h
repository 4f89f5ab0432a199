#pragma once
// The `reports` section.

#include "config/config.h"
#include "config/reader.h"

namespace stsctl::config {

/// Reads the section. Every fault becomes a diagnostic; what is right is in the result.
ReportSettings read_report_settings(Reader& reader, const Node& node);

/// A file beside the configuration file `path`.
std::string beside(const std::string& path, const std::string& file);

}  // namespace stsctl::config
