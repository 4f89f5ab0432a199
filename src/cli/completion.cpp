// Shell completions, made from the tree of commands itself, so that they cannot go stale. The three
// scripts do the same: find the command, then look what the word before asks for, then offer
// commands, options and files.

#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/tree.h"

namespace stsctl::cli {

namespace {

bool takes_file(const CLI::App& app) {
  return std::ranges::any_of(positionals_of(app),
                             [](const CLI::Option* one) { return cli::takes_file(*one); });
}

// What may stand in place of a command's arguments.
std::vector<std::string> argument_choices(const CLI::App& app) {
  std::vector<std::string> all;
  for (const CLI::Option* option : positionals_of(app))
    for (std::string& word : choices(*option))
      all.push_back(std::move(word));
  return all;
}

std::string quoted(const std::string& text) {
  return "'" + replaced(text, "'", "'\\''") + "'";
}

// "'plan'|'apply'", a pattern of case.
std::string alternatives(const std::vector<std::string>& all) {
  std::vector<std::string> each;
  for (const std::string& one : all)
    each.push_back(quoted(one));
  return join(each, "|");
}

std::vector<std::string> paths_of(const CLI::App& app) {
  std::vector<std::string> paths;
  for (const Entry& entry : entries_of(app))
    if (!entry.path.empty()) paths.push_back(entry.path);
  return paths;
}

// Commands that take a file as argument.
std::vector<std::string> paths_with_file(const CLI::App& app) {
  std::vector<std::string> paths;
  for (const Entry& entry : entries_of(app))
    if (takes_file(*entry.app)) paths.push_back(entry.path);
  return paths;
}

// The arms of a case over "COMMAND OPTION" for options that take a value; `files` and `nothing` are
// what an arm does then, `words` is followed by the words allowed.
struct Arms {
  std::string files;
  std::string words;
  std::string nothing;
};
std::string value_arms(const CLI::App& app, const Arms& arms) {
  std::string text;
  for (const Entry& entry : entries_of(app))
    for (const CLI::Option* option : options_of(*entry.app)) {
      if (!takes_value(*option)) continue;
      std::vector<std::string> spelled;
      for (const std::string& word : words(*option))
        spelled.push_back(entry.path + " " + word);
      const std::vector<std::string> allowed = choices(*option);
      const std::string action = cli::takes_file(*option) ? arms.files
                                 : allowed.empty()        ? arms.nothing
                                                   : replaced(arms.words, "{}", join(allowed, " "));
      text += fmt::format("    ({}) {} ;;\n", alternatives(spelled), action);
    }
  return text;
}

std::vector<std::string> candidates(const CLI::App& app) {
  std::vector<std::string> all = argument_choices(app);
  for (const CLI::App* sub : commands_of(app))
    all.push_back(sub->get_name());
  for (const CLI::Option* option : options_of(app))
    for (std::string& word : words(*option))
      all.push_back(std::move(word));
  return all;
}

std::string bash(const CLI::App& app) {
  std::string cases;
  for (const Entry& entry : entries_of(app))
    cases +=
        fmt::format("    ('{}') words='{}' ;;\n", entry.path, join(candidates(*entry.app), " "));
  return fmt::format(
      R"(# bash completion for stsctl; made by 'stsctl completion bash'
_stsctl_files() {{
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$1"))
}}
_stsctl() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local command= next words= i
  [ "$word" = = ] && word=
  [ "$previous" = = ] && previous=${{COMP_WORDS[COMP_CWORD-2]}}
  for ((i = 1; i < COMP_CWORD; ++i)); do
    next="${{command:+$command }}${{COMP_WORDS[i]}}"
    case $next in ({}) command=$next ;; esac
  done
  COMPREPLY=()
  case "$command $previous" in
{}  esac
  case $command in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ "${{#COMPREPLY[@]}}" -gt 0 ] || case $command in ({}) _stsctl_files "$word" ;; esac
}}
complete -F _stsctl stsctl
)",
      alternatives(paths_of(app)),
      value_arms(app, {.files = "_stsctl_files \"$word\"; return",
                       .words = "COMPREPLY=($(compgen -W '{}' -- \"$word\")); return",
                       .nothing = "return"}),
      cases, alternatives(paths_with_file(app)));
}

// "'name:what it is'", as _describe takes it.
std::string described(const std::string& name, const std::string& what) {
  return quoted(name + ":" + what);
}

std::string zsh_arm(const Entry& entry) {
  std::vector<std::string> commands;
  for (const std::string& word : argument_choices(*entry.app))
    commands.push_back(quoted(word));
  for (const CLI::App* sub : commands_of(*entry.app))
    commands.push_back(described(sub->get_name(), sub->get_description()));
  std::vector<std::string> options;
  for (const CLI::Option* option : options_of(*entry.app))
    for (const std::string& word : words(*option))
      options.push_back(described(word, option->get_description()));
  return fmt::format("    ('{}')\n      arguments=({})\n      options=({})\n      ;;\n", entry.path,
                     join(commands, " "), join(options, " "));
}

std::string zsh(const CLI::App& app) {
  std::string cases;
  for (const Entry& entry : entries_of(app))
    cases += zsh_arm(entry);
  return fmt::format(
      R"(#compdef stsctl
# zsh completion for stsctl; made by 'stsctl completion zsh'
_stsctl() {{
  local command= next i previous=${{words[CURRENT-1]}}
  local -a arguments options
  if [[ $PREFIX == --*=* ]]; then
    previous=${{PREFIX%%=*}}
    compset -P '*='
  fi
  for ((i = 2; i < CURRENT; ++i)); do
    next="${{command:+$command }}${{words[i]}}"
    case $next in ({}) command=$next ;; esac
  done
  case "$command $previous" in
{}  esac
  case $command in
{}  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
    return
  fi
  (( $#arguments )) && _describe argument arguments
  case $command in ({}) _files ;; esac
}}
if [[ $funcstack[1] == _stsctl ]]; then _stsctl "$@"; else compdef _stsctl stsctl; fi
)",
      alternatives(paths_of(app)),
      value_arms(app, {.files = "_files; return",
                       .words = "compadd -- {}; return",
                       .nothing = "_message value; return"}),
      cases, alternatives(paths_with_file(app)));
}

std::string fish_quoted(const std::string& text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_option(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames())
    text += " -s " + name;
  for (const std::string& name : option.get_lnames())
    text += " -l " + name;
  if (cli::takes_file(option))
    text += " -r -F";
  else if (takes_value(option))
    text += " -x";
  if (const auto allowed = choices(option); !allowed.empty())
    text += " -a " + fish_quoted(join(allowed, " "));
  return text + " -d " + fish_quoted(option.get_description());
}

std::string fish(const CLI::App& app) {
  std::string text = fmt::format(
      R"(# fish completion for stsctl; made by 'stsctl completion fish'
function __stsctl_at
  set -l command
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$command $word")
    contains -- $next {} && set command $next
  end
  test "$command" = "$argv"
end
complete -c stsctl -f
)",
      replaced(alternatives(paths_of(app)), "|", " "));
  for (const Entry& entry : entries_of(app)) {
    const std::string line =
        fmt::format("complete -c stsctl -n {}", fish_quoted(("__stsctl_at " + entry.path)));
    for (const CLI::App* sub : commands_of(*entry.app))
      text += fmt::format("{} -a {} -d {}\n", line, sub->get_name(),
                          fish_quoted(sub->get_description()));
    for (const CLI::Option* option : options_of(*entry.app))
      text += line + fish_option(*option) + "\n";
    if (const auto allowed = argument_choices(*entry.app); !allowed.empty())
      text += fmt::format("{} -a {}\n", line, fish_quoted(join(allowed, " ")));
    if (takes_file(*entry.app)) text += line + " -F\n";
  }
  return text;
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
                                 context.world.out << man_page(app);
                                 return exit_done;
                               });
  page->group("");
}

}  // namespace stsctl::cli
