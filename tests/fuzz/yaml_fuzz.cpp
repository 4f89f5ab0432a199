// Configurations from outside: nothing crashes or hangs; there is a configuration or an error, and
// no diagnostic can drive a terminal.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "engine/accounts.h"

namespace config = stsctl::config;

namespace {
void require(bool law) {
  if (!law) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const config::Loaded loaded = config::load(
      "stsctl.yaml", stsctl::engine::builtin_catalog(),
      {.read = [&](const std::string& path, std::size_t) -> stsctl::Result<std::string> {
         if (path == "stsctl.yaml") return text;
         return stsctl::fail(stsctl::Code::not_found, "no such file", path);
       },
       .glob = [](const std::string& pattern) { return std::vector<std::string>{pattern}; },
       .env = [](const std::string&) { return std::optional<std::string>("value"); }});
  bool failed = false;
  for (const config::Diagnostic& one : loaded.diagnostics) {
    failed = failed || one.severity == config::Diagnostic::Severity::error;
    for (const std::string_view line : stsctl::split(config::format(one), '\n'))
      require(stsctl::printable(line) == line);
  }
  require(loaded.config.has_value() != failed);
  return 0;
}
