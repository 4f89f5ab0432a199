#include "providers/reload.h"

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers {

namespace {

constexpr Duration deadline{60};
constexpr std::size_t most_said = 500;

}  // namespace

SettingSpec reload_setting() {
  return {.name = "reload",
          .type = SettingType::list,
          .description = "Program and arguments run once after policies changed, without a shell."};
}

Result<Done> run_reload(io::Process& process, const Settings::List& argv, const std::string& hint) {
  if (argv.empty()) return Done{};
  const Result<io::Exit> exit = process.run(argv, {}, deadline);
  if (!exit) return fail_at(exit, "reload");
  if (exit->status == 0) return Done{};
  const std::string said(trim(exit->errors.empty() ? exit->output : exit->errors));
  return fail(Code::internal,
              fmt::format("'{}' ended with status {}: {}", join(argv, " "), exit->status,
                          printable(said.substr(0, most_said))),
              "reload", hint);
}

}  // namespace stsctl::providers
