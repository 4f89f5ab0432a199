#include "config/reader.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::config {

namespace {

const char* kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "text";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
  }
  return "nothing";
}

// RFC 1123 §2.1: no top-level domain is all digits, so that nobody takes one for the other.
bool is_address(const dns::Name& name) {
  return name.labels().back().find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Reader::Reader(std::string file, std::string text, std::vector<Diagnostic>& diagnostics)
    : file_(std::move(file)), text_(std::move(text)), diagnostics_(diagnostics) {
  line_starts_.push_back(0);
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1))
    line_starts_.push_back(at + 1);
}

std::string Reader::where(const Mark& mark) const {
  return fmt::format("{}:{}:{}", file_, mark.line, mark.column);
}

std::optional<Mark> Reader::mark_at(std::string_view where) const {
  if (!where.starts_with(file_ + ":")) return std::nullopt;
  where.remove_prefix(file_.size() + 1);
  Mark mark;
  const auto line = std::from_chars(where.begin(), where.end(), mark.line);
  if (line.ec != std::errc{} || line.ptr == where.end() || *line.ptr != ':') return std::nullopt;
  const auto column = std::from_chars(line.ptr + 1, where.end(), mark.column);
  if (column.ec != std::errc{} || column.ptr != where.end()) return std::nullopt;
  return mark;
}

void Reader::error(const Mark& mark, std::string message, std::string hint) {
  ++errors_;
  add(Diagnostic::Severity::error, mark, std::move(message), std::move(hint));
}

void Reader::warning(const Mark& mark, std::string message, std::string hint) {
  add(Diagnostic::Severity::warning, mark, std::move(message), std::move(hint));
}

Excerpt Reader::excerpt(const Mark& mark) const {
  if (mark.line == 0 || mark.line > line_starts_.size()) return {{}, mark.column};
  const std::size_t begin = line_starts_[mark.line - 1];
  const std::size_t end = std::min(text_.find('\n', begin), text_.size());
  std::string line = text_.substr(begin, end - begin);
  if (line.ends_with('\r')) line.pop_back();
  for (const auto& [hidden_line, column] : hidden_)
    if (hidden_line == mark.line && column <= line.size())
      line = line.substr(0, column - 1) + "***";
  return without_secrets({std::move(line), mark.column});
}

void Reader::add(Diagnostic::Severity severity, const Mark& mark, std::string message,
                 std::string hint) {
  constexpr std::size_t widest = 120;
  constexpr std::size_t longest_message = 500;
  auto [line, caret] = excerpt(mark);
  std::ranges::replace(line, '\t', ' ');
  if (line.size() > widest) {
    const std::size_t begin = caret > widest / 2 ? caret - widest / 2 : 0;
    const std::string lead = begin > 0 ? "..." : "";
    const std::string tail = begin + widest < line.size() ? "..." : "";
    line = lead + line.substr(std::min(begin, line.size()), widest) + tail;
    caret = caret - begin + lead.size();
  }
  diagnostics_.push_back({severity, file_, mark.line, mark.column,
                          shortened(std::move(message), longest_message), printable(line), caret,
                          std::move(hint)});
}

const Node* Reader::mapping(const Node& node, std::string_view what) {
  if (node.kind == Node::Kind::mapping) return &node;
  error(node.mark, fmt::format("{} must be a mapping, and is {}", what, kind_name(node)));
  return nullptr;
}

std::optional<std::string> Reader::text_of(const Node& node, std::string_view what) {
  if (node.kind == Node::Kind::scalar) {
    if (node.text.find("${env:") == std::string::npos &&
        node.text.find("${file:") == std::string::npos)
      return node.text;
    error(node.mark, fmt::format("{} takes no ${{env:…}} or ${{file:…}}", what),
          "they stand for secrets in the settings under 'dns' and 'hosts' only");
    return std::nullopt;
  }
  error(node.mark, fmt::format("{} must be one value, and is {}", what, kind_name(node)));
  return std::nullopt;
}

std::optional<bool> Reader::boolean(const Node& node, std::string_view what) {
  const bool plain = node.kind == Node::Kind::scalar && !node.quoted;
  if (plain && (node.text == "true" || node.text == "false")) return node.text == "true";
  error(node.mark, fmt::format("{} must be true or false", what));
  return std::nullopt;
}

std::optional<Duration> Reader::duration(const Node& node, std::string_view what) {
  const auto text = text_of(node, what);
  if (!text) return std::nullopt;
  const Result<Duration> duration = parse_duration(*text);
  if (duration) return *duration;
  error(node.mark, fmt::format("{}: {}", what, duration.error().what), duration.error().hint);
  return std::nullopt;
}

std::optional<std::int64_t> Reader::integer(const Node& node, std::string_view what,
                                            std::int64_t least, std::int64_t most) {
  const auto text = text_of(node, what);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, problem] = std::from_chars(text->data(), end, number);
  if (problem == std::errc{} && rest == end && number >= least && number <= most) return number;
  error(node.mark, fmt::format("{} must be a whole number from {} to {}", what, least, most));
  return std::nullopt;
}

std::optional<dns::Name> Reader::name(const Node& node, std::string_view what) {
  const auto text = text_of(node, what);
  if (!text) return std::nullopt;
  const Result<dns::Name> name = dns::Name::parse(*text);
  if (!name) {
    error(node.mark, name.error().what);
  } else if (is_address(*name)) {
    error(node.mark, fmt::format("{} is a name, and {} an IP address", what, name->text()));
  } else {
    return *name;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, Mark>> Reader::list(const Node& node, std::string_view what) {
  std::vector<std::pair<std::string, Mark>> all;
  const auto take = [&](const Node& item) {
    if (auto text = text_of(item, what)) all.emplace_back(std::move(*text), item.mark);
  };
  if (node.kind == Node::Kind::sequence)
    for (const Node& item : node.items)
      take(item);
  else
    take(node);
  return all;
}

void Reader::check_keys(const Node& mapping, const std::vector<std::string>& known,
                        std::string_view what) {
  for (const auto& [key, value] : mapping.entries) {
    if (std::ranges::find(known, key.text) != known.end() || key.text == "<<") continue;
    const auto near = nearest(key.text, known);
    error(key.mark, fmt::format("unknown key '{}' in {}", printable(key.text), what),
          near ? fmt::format("did you mean '{}'?", *near)
               : fmt::format("known are: {}", join(known, ", ")));
  }
}

}  // namespace stsctl::config
