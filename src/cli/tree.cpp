#include "cli/tree.h"

#include "base/text.h"

namespace stsctl::cli {

namespace {

void collect(const CLI::App& app, const std::string& path, std::vector<Entry>& entries) {
  entries.push_back({path, &app});
  for (const CLI::App* sub : commands_of(app))
    collect(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), entries);
}

std::vector<const CLI::Option*> filtered(const CLI::App& app, bool positional) {
  std::vector<const CLI::Option*> options;
  for (const CLI::Option* option : app.get_options({}))
    if (option->get_positional() == positional) options.push_back(option);
  return options;
}

}  // namespace

std::vector<Entry> entries_of(const CLI::App& app) {
  std::vector<Entry> entries;
  collect(app, "", entries);
  return entries;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> commands;
  for (const CLI::App* sub : app.get_subcommands({}))
    if (!sub->get_group().empty()) commands.push_back(sub);
  return commands;
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return filtered(app, false);
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  return filtered(app, true);
}

std::vector<std::string> words(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const std::string& name : option.get_snames())
    all.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    all.push_back("--" + name);
  return all;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

bool takes_file(const CLI::Option& option) {
  return option.get_positional() ? option.get_name() == "FILE"
                                 : option.get_type_name().starts_with("FILE");
}

std::vector<std::string> choices(const CLI::Option& option) {
  // CLI::IsMember describes itself as "{one,two}" behind the name of the type.
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}');
  std::vector<std::string> all;
  if (begin == std::string::npos || end == std::string::npos) return all;
  for (const std::string_view word :
       split(std::string_view(type).substr(begin + 1, end - begin - 1), ','))
    all.emplace_back(word);
  return all;
}

}  // namespace stsctl::cli
