#include <fmt/format.h>

#include "base/text.h"
#include "cli/tree.h"

namespace stsctl::cli {

namespace {

std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '-') out += '\\';
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    out += c;
  }
  return out;
}

std::string man_options(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options({})) {
    const std::string name =
        option->get_positional() ? option->get_name() : join(words(*option), ", ");
    const std::string value =
        !option->get_positional() && takes_value(*option) ? " " + option->get_type_name() : "";
    text += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(name), roff(value),
                        roff(option->get_description()));
  }
  return text;
}

}  // namespace

std::string man_page(const CLI::App& app) {
  std::string text = fmt::format(
      ".TH STSCTL 1 \"\" \"stsctl {}\"\n.SH NAME\nstsctl \\- plan and apply MTA\\-STS and "
      "TLS\\-RPT\n.SH SYNOPSIS\n.B stsctl\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR\n.SH DESCRIPTION\n{}\n"
      ".SH OPTIONS\n{}.SH COMMANDS\n",
      STSCTL_VERSION, roff(app.get_description()), man_options(app));
  for (const Entry& entry : entries_of(app)) {
    if (entry.path.empty()) continue;
    text += fmt::format(".SS stsctl {}\n{}\n{}", roff(entry.path),
                        roff(entry.app->get_description()), man_options(*entry.app));
    if (!entry.app->get_footer().empty())
      text += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(entry.app->get_footer()));
  }
  return text + fmt::format(".SH EXIT STATUS\n.nf\n{}\n.fi\n", roff(app.get_footer()));
}

}  // namespace stsctl::cli
