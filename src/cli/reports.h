#pragma once
// The commands of `stsctl reports`.

#include "cli/command.h"

namespace stsctl::cli {

void add_reports_import(CLI::App& group, Context& context);
void add_reports_summary(CLI::App& group, Context& context);

}  // namespace stsctl::cli
