#include <fmt/format.h>

#include "base/text.h"
#include "config/config.h"

namespace stsctl::config {

std::string format(const Diagnostic& diagnostic) {
  std::string text = printable(diagnostic.file);
  if (diagnostic.line > 0) text += fmt::format(":{}:{}", diagnostic.line, diagnostic.column);
  text += diagnostic.severity == Diagnostic::Severity::error ? ": error: " : ": warning: ";
  text += printable(diagnostic.message);
  if (!diagnostic.excerpt.empty())
    text += fmt::format("\n    {}\n    {:>{}}", diagnostic.excerpt, "^",
                        std::max<std::size_t>(1, diagnostic.caret));
  if (!diagnostic.hint.empty()) text += "\n  hint: " + printable(diagnostic.hint);
  return text;
}

}  // namespace stsctl::config
