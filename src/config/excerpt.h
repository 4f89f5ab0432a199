#pragma once
// Lines of a configuration as a diagnostic may show them. Pure.

#include <cstddef>
#include <string>

namespace stsctl::config {

/// One line of a file and a column of it, from 1.
struct Excerpt {
  std::string line;
  std::size_t column = 1;
  bool operator==(const Excerpt&) const = default;
};

/// The line with "***" for each value whose key sounds secret ("api_key", "secret", "token"), read
/// as text: the YAML may be broken, or the key unknown. References (${env:NAME}) stay.
Excerpt without_secrets(const Excerpt& excerpt);

}  // namespace stsctl::config
