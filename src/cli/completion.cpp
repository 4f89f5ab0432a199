// Shell completions and the man page, made from the tree of commands itself, so that they cannot go
// stale.

#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"

namespace stsctl::cli {

namespace {

// A command as the shells see it: "id explain", its options, its subcommands.
struct Entry {
  std::string path;
  const CLI::App* app;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Entry>& entries) {
  entries.push_back({path, &app});
  for (const CLI::App* sub : app.get_subcommands({}))
    if (!sub->get_group().empty())
      collect(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), entries);
}

std::vector<Entry> entries_of(const CLI::App& app) {
  std::vector<Entry> entries;
  collect(app, "", entries);
  return entries;
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  std::vector<const CLI::Option*> options;
  for (const CLI::Option* option : app.get_options({}))
    if (!option->get_positional()) options.push_back(option);
  return options;
}

std::vector<std::string> words(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const std::string& name : option.get_snames())
    all.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    all.push_back("--" + name);
  return all;
}

std::vector<std::string> candidates(const CLI::App& app) {
  std::vector<std::string> all;
  for (const CLI::App* sub : app.get_subcommands({}))
    if (!sub->get_group().empty()) all.push_back(sub->get_name());
  for (const CLI::Option* option : options_of(app))
    for (std::string& word : words(*option))
      all.push_back(std::move(word));
  return all;
}

std::string bash(const CLI::App& app) {
  std::string cases;
  std::string paths;
  for (const Entry& entry : entries_of(app)) {
    cases +=
        fmt::format("    '{}') words='{}' ;;\n", entry.path, join(candidates(*entry.app), " "));
    if (!entry.path.empty()) paths += fmt::format("'{}'|", entry.path);
  }
  paths.pop_back();
  return fmt::format(R"(# bash completion for stsctl; made by 'stsctl completion bash'
_stsctl() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} path= words= next i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    next="${{path:+$path }}${{COMP_WORDS[i]}}"
    case $next in {}) path=$next ;; esac
  done
  case ${{COMP_WORDS[COMP_CWORD-1]}} in
    -c|--config|-o|--output|--policy) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'error warn info debug' -- "$word")); return ;;
  esac
  case $path in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ "${{#COMPREPLY[@]}}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}}
complete -F _stsctl stsctl
)",
                     paths, cases);
}

std::string zsh(const CLI::App& app) {
  return "#compdef stsctl\n# made by 'stsctl completion zsh'\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash(app);
}

std::string fish_quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return "'" + out + "'";
}

// When is a completion of this command wanted?
std::string fish_condition(const Entry& entry) {
  if (entry.path.empty()) return "__fish_use_subcommand";
  std::string condition;
  for (const std::string_view word : split(entry.path, ' '))
    condition +=
        fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word);
  return condition;
}

std::string fish(const CLI::App& app) {
  std::string text = "# fish completion for stsctl; made by 'stsctl completion fish'\n";
  for (const Entry& entry : entries_of(app)) {
    const std::string when = fish_quoted(fish_condition(entry));
    for (const CLI::App* sub : entry.app->get_subcommands({}))
      if (!sub->get_group().empty())
        text += fmt::format("complete -c stsctl -n {} -f -a {} -d {}\n", when, sub->get_name(),
                            fish_quoted(sub->get_description()));
    for (const CLI::Option* option : options_of(*entry.app)) {
      text += fmt::format("complete -c stsctl -n {}", when);
      for (const std::string& name : option->get_snames())
        text += " -s " + name;
      for (const std::string& name : option->get_lnames())
        text += " -l " + name;
      if (option->get_items_expected_max() > 0) text += " -r";
      text += fmt::format(" -d {}\n", fish_quoted(option->get_description()));
    }
  }
  return text;
}

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
    const std::string value = !option->get_positional() && option->get_items_expected_max() > 0
                                  ? " " + option->get_type_name()
                                  : "";
    text += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(name), roff(value),
                        roff(option->get_description()));
  }
  return text;
}

std::string man(const CLI::App& app) {
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

}  // namespace

void add_completion(CLI::App& app, Context& context) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command =
      add_command(app, context, "completion", "Print the completions of a shell",
                  "  stsctl completion bash > /usr/share/bash-completion/completions/stsctl",
                  [&app, &context, shell] {
                    context.world.out << (*shell == "bash"  ? bash(app)
                                          : *shell == "zsh" ? zsh(app)
                                                            : fish(app));
                    return exit_done;
                  });
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  // For the build, which installs it; no command of a user's.
  CLI::App* page = add_command(app, context, "man", "Print the man page", "  stsctl man | man -l -",
                               [&app, &context] {
                                 context.world.out << man(app);
                                 return exit_done;
                               });
  page->group("");
}

}  // namespace stsctl::cli
