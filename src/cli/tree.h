#pragma once
// The tree of commands as shells and the man page see it. Made from CLI11's own, so that what is
// written from it cannot go stale.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace stsctl::cli {

/// A command and the words that lead to it: "", "plan", "id explain".
struct Entry {
  std::string path;
  const CLI::App* app;
};

/// The program and every command that --help shows, parents first.
std::vector<Entry> entries_of(const CLI::App& app);
/// The commands right below one.
std::vector<const CLI::App*> commands_of(const CLI::App& app);
/// Its options, without the positional arguments; or those alone.
std::vector<const CLI::Option*> options_of(const CLI::App& app);
std::vector<const CLI::Option*> positionals_of(const CLI::App& app);

/// How an option is written: "-o", "--output".
std::vector<std::string> words(const CLI::Option& option);
/// Does a value follow it?
bool takes_value(const CLI::Option& option);
/// Is its value, or is the argument, the name of a file?
bool takes_file(const CLI::Option& option);
/// The words it allows; none: anything.
std::vector<std::string> choices(const CLI::Option& option);

/// The man page, in roff.
std::string man_page(const CLI::App& app);

}  // namespace stsctl::cli
