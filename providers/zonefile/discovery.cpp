#include "providers/zonefile/discovery.h"

namespace stsctl::providers::zonefile {

namespace {

// One listing, not a stat for every zone.
Result<ZonePaths> find_files(const std::string& pattern, io::Files& files) {
  const std::size_t at = pattern.find(placeholder);
  const std::string before = pattern.substr(0, at);
  const std::string after = pattern.substr(at + placeholder.size());
  const auto paths = files.glob(glob_quoted(before) + "*" + glob_quoted(after));
  if (!paths) return fail(paths);
  ZonePaths zones;
  for (const std::string& path : *paths) {
    const Result<dns::Name> name =
        dns::Name::parse(path.substr(before.size(), path.size() - before.size() - after.size()));
    if (name) zones[*name].push_back(path);
  }
  return zones;
}

}  // namespace

std::string filled(const std::string& text, const dns::Name& zone) {
  std::string out = text;
  for (std::size_t at = out.find(placeholder); at != std::string::npos;
       at = out.find(placeholder, at + zone.text().size()))
    out.replace(at, placeholder.size(), zone.text());
  return out;
}

std::string glob_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

Result<ZonePaths> discover(const std::string& pattern, const std::vector<std::string>& listed,
                           io::Files& files) {
  Result<ZonePaths> found = find_files(pattern, files);
  if (listed.empty()) return found;
  ZonePaths zones;
  for (const std::string& text : listed) {
    const Result<dns::Name> name = dns::Name::parse(text);
    if (!name) return fail_at(name, "zones");
    // A folder may be closed to listing and yet let its files be read.
    const auto paths = found ? found->find(*name) : ZonePaths::iterator{};
    if (found && paths != found->end())
      zones[*name] = paths->second;
    else
      zones[*name] = {filled(pattern, *name)};
  }
  return zones;
}

}  // namespace stsctl::providers::zonefile
