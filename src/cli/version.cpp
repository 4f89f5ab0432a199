#include <ostream>

#include "cli/command.h"

namespace stsctl::cli {

void add_version(CLI::App& app, Context& context) {
  add_command(app, context, "version", "Print the version", "  stsctl version", [&context] {
    context.world.out << "stsctl " STSCTL_VERSION "\n";
    return exit_done;
  });
}

}  // namespace stsctl::cli
