#include "cli/reports.h"

#include "cli/command.h"

namespace stsctl::cli {

void add_reports(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("reports", "TLS-RPT reports that senders sent");
  group->require_subcommand(1);
  add_reports_import(*group, context);
  add_reports_summary(*group, context);
}

}  // namespace stsctl::cli
