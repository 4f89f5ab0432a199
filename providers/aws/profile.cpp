#include "providers/aws/profile.h"

#include <functional>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::aws {

namespace {

// Where the keys below a section's head go; null: they are of no use here.
using FindSection = std::function<Section*(std::string_view name)>;

std::string_view without_quotes(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

Result<Done> read_sections(std::string_view text, const std::string& path,
                           const FindSection& find) {
  Section* section = nullptr;
  bool inside = false;
  std::size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (content.front() == '[' && content.find(']') != std::string_view::npos) {
      section = find(trim(content.substr(1, content.find(']') - 1)));
      inside = true;
      continue;
    }
    if (inside && indented) continue;  // belongs to the key before
    const std::size_t equals = content.find('=');
    if (!inside || equals == std::string_view::npos || equals == 0)
      // Not quoted: the line may hold a key.
      return fail(Code::invalid, "this line is no section and no 'key = value'",
                  fmt::format("{}:{}", path, number));
    if (section != nullptr)
      section->insert_or_assign(lower(trim(content.substr(0, equals))),
                                std::string(trim(content.substr(equals + 1))));
  }
  return Done{};
}

}  // namespace

std::optional<std::string> Profile::get(const std::string& key) const {
  for (const Section* section : {&credentials, &config}) {
    const auto found = section->find(key);
    if (found != section->end() && !found->second.empty()) return found->second;
  }
  return std::nullopt;
}

Result<Done> read_config(std::string_view text, const std::string& path, Profiles& profiles) {
  return read_sections(text, path, [&](std::string_view name) -> Section* {
    constexpr std::string_view word = "profile";
    if (name == "default") return &profiles["default"].config;
    const bool is_profile = name.starts_with(word) && name.size() > word.size() &&
                            (name[word.size()] == ' ' || name[word.size()] == '\t');
    if (!is_profile) return nullptr;
    return &profiles[std::string(without_quotes(trim(name.substr(word.size()))))].config;
  });
}

Result<Done> read_credentials(std::string_view text, const std::string& path, Profiles& profiles) {
  return read_sections(text, path, [&](std::string_view name) {
    return &profiles[std::string(without_quotes(name))].credentials;
  });
}

}  // namespace stsctl::providers::aws
