#pragma once
// What the big mailbox providers document as their mx patterns. Knows no YAML.

#include <string>
#include <string_view>
#include <vector>

namespace stsctl::config {

/// A word for `preset:` and what it stands for.
struct Preset {
  std::string name;             ///< "google-workspace".
  std::string description;      ///< Whose it is and where they document it.
  std::vector<std::string> mx;  ///< Patterns, as parse_mx_pattern reads them.
};

/// All presets, by name.
const std::vector<Preset>& presets();
/// The preset of that name, or null.
const Preset* find_preset(std::string_view name);

}  // namespace stsctl::config
