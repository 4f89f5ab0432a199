#include "cli/report_files.h"

#include <ostream>

#include "base/text.h"

namespace stsctl::cli {

std::optional<ReportFiles> find_report_files(const Context& context, const std::string& store) {
  const auto state = context.world.services.files.state(context.globals.config);
  const bool absent = !state && state.error().code == Code::not_found;
  ReportFiles files{.store = store, .config = {}};
  if (absent && !store.empty()) return files;
  files.config = load_config(context, Secrets::left_out);
  if (!files.config) {
    if (absent) context.world.err << "hint: without a configuration, name the store by --store\n";
    return std::nullopt;
  }
  if (store.empty()) files.store = files.config->reports.store;
  return files;
}

std::optional<reports::Store> open_store(const Context& context, const std::string& path,
                                         reports::Database::Mode mode) {
  Result<reports::Store> store = reports::Store::open(path, mode);
  if (store) return std::move(*store);
  Error error = store.error();
  if (error.code == Code::not_found) error.hint = "'stsctl reports import PATH' fills a first one";
  context.world.err << "stsctl: " << printable(to_string(error)) << '\n';
  return std::nullopt;
}

}  // namespace stsctl::cli
