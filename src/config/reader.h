#pragma once
// Reading values out of nodes, with a diagnostic for each that is wrong. Knows no key of ours.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/excerpt.h"
#include "config/yaml.h"

namespace stsctl::config {

/// One file being read: its text for excerpts, and where its diagnostics go.
class Reader {
 public:
  Reader(std::string file, std::string text, std::vector<Diagnostic>& diagnostics);

  const std::string& file() const { return file_; }
  const std::string& text() const { return text_; }
  std::string where(const Mark& mark) const;
  /// The reverse; none for what is no place in this file.
  std::optional<Mark> mark_at(std::string_view where) const;

  void error(const Mark& mark, std::string message, std::string hint = {});
  /// How many errors were reported so far.
  std::size_t errors() const { return errors_; }
  void warning(const Mark& mark, std::string message, std::string hint = {});
  /// The text at `mark` is a secret: excerpts of its line end there.
  void hide(const Mark& mark) { hidden_.insert({mark.line, mark.column}); }

  /// The kinds asked for; null and an error when the node is another. A node that is null is an
  /// error too.
  const Node* mapping(const Node& node, std::string_view what);
  std::optional<std::string> text_of(const Node& node, std::string_view what);
  std::optional<bool> boolean(const Node& node, std::string_view what);
  std::optional<Duration> duration(const Node& node, std::string_view what);
  /// A whole number from `least` to `most`.
  std::optional<std::int64_t> integer(const Node& node, std::string_view what, std::int64_t least,
                                      std::int64_t most);
  std::optional<dns::Name> name(const Node& node, std::string_view what);
  /// A list of strings; one string counts as a list of one. Pairs of text and place.
  std::vector<std::pair<std::string, Mark>> list(const Node& node, std::string_view what);

  /// Reports every key of a mapping that is not among `known`, with the nearest one.
  void check_keys(const Node& mapping, const std::vector<std::string>& known,
                  std::string_view what);

 private:
  void add(Diagnostic::Severity severity, const Mark& mark, std::string message, std::string hint);
  Excerpt excerpt(const Mark& mark) const;

  std::string file_;
  std::string text_;
  std::vector<std::size_t> line_starts_;
  std::vector<Diagnostic>& diagnostics_;
  std::size_t errors_ = 0;
  std::set<std::pair<std::size_t, std::size_t>> hidden_;
};

}  // namespace stsctl::config
