#pragma once
// YAML text as a light tree that knows its places. The one place that knows yaml-cpp is yaml.cpp.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stsctl::config {

/// A place in a file, from 1.
struct Mark {
  std::size_t line = 0;
  std::size_t column = 0;
};

struct Entry;

/// One YAML node. Aliases are expanded.
struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  Mark mark;
  std::string text;            ///< scalar
  bool quoted = false;         ///< scalar: written in quotes, so never a number
  std::vector<Node> items;     ///< sequence
  std::vector<Entry> entries;  ///< mapping, in order

  /// The value of `key`, or null.
  const Node* find(std::string_view key) const;
};

/// A key, which is a scalar, and its value.
struct Entry {
  Node key;
  Node value;
};

/// A fault of the YAML itself.
struct YamlFault {
  Mark mark;
  std::string message;
  std::string hint;
};

/// Limits that keep hostile text harmless.
struct YamlLimits {
  std::size_t depth = 32;
  std::size_t nodes = 2'000'000;      ///< As written; 250,000 domains have about as many.
  std::size_t alias_nodes = 100'000;  ///< Nodes that aliases may add to what is written.
};

/// Reads one document. Duplicate keys are faults; all are reported, syntax errors end the reading.
/// Empty text is a null node.
std::pair<Node, std::vector<YamlFault>> parse_yaml(const std::string& text,
                                                   const YamlLimits& limits);

}  // namespace stsctl::config
