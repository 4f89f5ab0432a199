#include <ostream>

#include "cli/command.h"
#include "engine/accounts.h"

namespace stsctl::cli {

void add_schema(CLI::App& app, Context& context) {
  add_command(app, context, "schema", "Print the JSON Schema of the configuration, for editors",
              "  stsctl schema > stsctl.schema.json", [&context] {
                context.world.out << config::json_schema(engine::builtin_catalog());
                return exit_done;
              });
}

}  // namespace stsctl::cli
