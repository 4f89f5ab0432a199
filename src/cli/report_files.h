#pragma once
// Where the reports commands find their store and settings.

#include <optional>
#include <string>

#include "cli/session.h"
#include "reports/store.h"

namespace stsctl::cli {

/// The settings of the reports commands: of a configuration, or of none, for which --store is
/// enough.
struct ReportFiles {
  std::string store;
  std::optional<config::Config> config;
};

/// Reads the configuration, if there is one; `store` is what --store says. None when something was
/// wrong, which has then been printed: exit_usage.
std::optional<ReportFiles> find_report_files(const Context& context, const std::string& store);

/// Opens the store; none when it cannot be, which has then been printed: exit_failed.
std::optional<reports::Store> open_store(const Context& context, const std::string& path,
                                         reports::Database::Mode mode);

}  // namespace stsctl::cli
