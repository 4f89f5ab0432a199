#include "config/yaml.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"

namespace stsctl::config {

namespace {

// Ends the reading from inside a callback; caught below.
struct Stop {
  YamlFault fault;
};

Mark mark_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items)
    count += count_nodes(item);
  for (const auto& [key, value] : node.entries)
    count += 1 + count_nodes(value);
  return count;
}

// Where in `text` the mark stands; at most its end.
std::size_t offset_of(const std::string& text, const Mark& mark) {
  std::size_t begin = 0;
  for (std::size_t line = 1; line < mark.line; ++line) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return text.size();
    begin = end + 1;
  }
  return std::min(begin + mark.column - 1, text.size());
}

// Does the scalar at `mark` begin with a quote that nothing closes? yaml-cpp 0.7 lets the end of
// the file close it, and so takes all that follows for text.
bool has_open_quote(const std::string& text, const Mark& mark) {
  if (mark.line == 0) return false;
  std::size_t at = offset_of(text, mark);
  // Anchor and tag stand before it.
  while (at < text.size() && (text[at] == '&' || text[at] == '!'))
    at = text.find_first_not_of(" \t\r\n", text.find_first_of(" \t\r\n", at));
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return false;
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    const bool escapes = quote == '"' ? text[at] == '\\' : text.compare(at, 2, "''") == 0;
    if (escapes)
      ++at;
    else if (text[at] == quote)
      return false;
  }
  return true;
}

// A brace or bracket whose end is missing, in the words of yaml-cpp 0.7; else nothing.
const char* open_end(const std::string& message) {
  if (message == "end of map flow not found") return "this '{' is never closed";
  if (message == "end of sequence flow not found") return "this '[' is never closed";
  return nullptr;
}

// The usual reason why text is no YAML.
std::string syntax_hint(const std::string& text) {
  const bool tabs = text.starts_with('\t') || text.find("\n\t") != std::string::npos;
  return tabs ? "YAML is indented by blanks, never by tabs" : "";
}

// Builds the tree from yaml-cpp's events.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const YamlLimits& limits) : limits_(limits) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add({.kind = Node::Kind::null, .mark = mark_of(mark)}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node{.kind = Node::Kind::scalar, .mark = mark_of(mark), .text = value};
    node.quoted = tag == "!";
    if (!node.quoted && (value == "~" || value == "null")) node.kind = Node::Kind::null;
    last_scalar_ = node.mark;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw Stop{{mark_of(mark), "an alias inside what it stands for", ""}};
    alias_nodes_ += count_nodes(found->second);
    if (alias_nodes_ > limits_.alias_nodes)
      throw Stop{{mark_of(mark), fmt::format("aliases add more than {} nodes", limits_.alias_nodes),
                  "write the repeated part once, under 'defaults' or a group"}};
    Node copy = found->second;
    copy.mark = mark_of(mark);
    add(std::move(copy), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open({.kind = Node::Kind::sequence, .mark = mark_of(mark)}, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open({.kind = Node::Kind::mapping, .mark = mark_of(mark)}, anchor);
  }
  void OnMapEnd() override { close(); }

  Node take() { return std::move(root_); }
  /// Where the last text began.
  Mark last_scalar() const { return last_scalar_; }
  /// Where what is still open began.
  Mark innermost() const { return levels_.empty() ? Mark{} : levels_.back().node.mark; }
  std::vector<YamlFault> faults;

 private:
  struct Level {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Node> key;
    std::unordered_map<std::string, Mark> keys;
  };

  void open(Node node, YAML::anchor_t anchor) {
    if (levels_.size() >= limits_.depth)
      throw Stop{{node.mark, fmt::format("nested deeper than {} levels", limits_.depth), ""}};
    levels_.push_back({std::move(node), anchor, std::nullopt, {}});
  }

  void close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    add(std::move(level.node), level.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (++nodes_ > limits_.nodes)
      throw Stop{{node.mark, fmt::format("more than {} nodes in one file", limits_.nodes),
                  "spread the domains over several files, which 'include' reads"}};
    if (anchor != 0) anchors_[anchor] = node;
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == Node::Kind::sequence) {
      level.node.items.push_back(std::move(node));
    } else if (!level.key) {
      level.key = std::move(node);
    } else {
      add_entry(level, std::move(node));
    }
  }

  void add_entry(Level& level, Node value) {
    Node key = std::move(*level.key);
    level.key.reset();
    if (key.kind != Node::Kind::scalar) {
      faults.push_back({key.mark, "a key must be plain text", ""});
      return;
    }
    if (key.text == "<<" && !key.quoted)
      faults.push_back({key.mark, "merge keys (<<) are not read",
                        "put what is shared under 'defaults' or a group"});
    const auto [known, fresh] = level.keys.try_emplace(key.text, key.mark);
    if (!fresh) {
      faults.push_back({key.mark,
                        fmt::format("duplicate key '{}', first in line {}", printable(key.text),
                                    known->second.line),
                        ""});
      return;
    }
    level.node.entries.push_back({std::move(key), std::move(value)});
  }

  const YamlLimits& limits_;
  std::vector<Level> levels_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  std::size_t alias_nodes_ = 0;
  Mark last_scalar_;
  Node root_;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.text == key) return &value;
  return nullptr;
}

std::pair<Node, std::vector<YamlFault>> parse_yaml(const std::string& text,
                                                   const YamlLimits& limits) {
  Builder builder(limits);
  std::optional<YamlFault> syntax;
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(builder)) {
      Builder further(limits);
      if (parser.HandleNextDocument(further))
        builder.faults.push_back({further.take().mark, "a second document begins here",
                                  "keep one document a file; 'include' reads more files"});
    }
  } catch (const Stop& stop) {
    builder.faults.push_back(stop.fault);
  } catch (const YAML::Exception& bad) {
    // What is missed is found out somewhere behind it, often at the end of the file.
    const char* open = open_end(bad.msg);
    if (open != nullptr && builder.innermost().line > 0)
      syntax = {builder.innermost(), std::string("not YAML: ") + open, ""};
    else
      syntax = {mark_of(bad.mark), "not YAML: " + printable(bad.msg), syntax_hint(text)};
  }
  if (has_open_quote(text, builder.last_scalar()))
    syntax = {builder.last_scalar(), "not YAML: this quote is never closed", ""};
  if (syntax) builder.faults.push_back(std::move(*syntax));
  return {builder.take(), std::move(builder.faults)};
}

}  // namespace stsctl::config
