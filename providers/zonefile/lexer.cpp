#include "providers/zonefile/lexer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::zonefile {

namespace {

// "1h30m"; the units in any order, each with its number.
std::optional<std::uint32_t> parse_units(std::string_view text) {
  constexpr std::string_view units = "smhdw";
  constexpr std::uint64_t factors[] = {1, 60, 3600, 86400, 604800};
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    const std::size_t unit = text.empty() ? std::string_view::npos : units.find(lower(text)[0]);
    if (unit == std::string_view::npos) return std::nullopt;
    text.remove_prefix(1);
    total += number * factors[unit];
    if (total > UINT32_MAX) return std::nullopt;
  }
  return static_cast<std::uint32_t>(total);
}

}  // namespace

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> parse_ttl(std::string_view text) {
  if (text.empty()) return std::nullopt;
  auto seconds = parse_number(text);
  if (!seconds) seconds = parse_units(text);
  return seconds && *seconds > INT32_MAX ? 0 : seconds;
}

std::size_t line_number(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

Result<Done> Lexer::next(Line& line) {
  line.tokens.clear();
  line.in_parentheses.clear();
  line.marks.clear();
  line.span.begin = at_;
  line.number = number_;
  line.starts_blank = text_[at_] == ' ' || text_[at_] == '\t';
  int depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      ++number_;
      if (depth == 0) break;
    } else if (c == '\r' && text_.substr(at_ + 1, 1) != "\n") {
      // Servers differ: to BIND it ends the line, to others it is a blank.
      return error("a carriage return without its line feed");
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
    } else if (c == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '(' || c == ')') {
      line.marks.push_back({at_, at_ + 1});
      depth += c == '(' ? 1 : -1;
      if (depth < 0) return error("a ')' without its '('");
      ++at_;
    } else {
      line.in_parentheses.push_back(depth > 0);
      if (const Result<Done> read = token(line); !read) return read;
    }
  }
  if (depth > 0) return error("a '(' is never closed");
  line.span.end = at_;
  return Done{};
}

std::unexpected<Error> Lexer::error(const char* what) const {
  return fail(Code::invalid, fmt::format("line {}: {}", number_, what));
}

Result<Done> Lexer::token(Line& line) {
  const std::size_t begin = at_;
  const bool quoted = text_[at_] == '"';
  if (quoted) ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n' && quoted) return error("a '\"' is never closed");
    if (quoted ? c == '"' : std::string_view(" \t\r\n;()\"").find(c) != std::string_view::npos)
      break;
    const bool escapes =
        c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n' && text_[at_ + 1] != '\r';
    at_ += escapes ? 2U : 1U;
  }
  if (quoted) {
    if (at_ >= text_.size()) return error("a '\"' is never closed");
    ++at_;
  }
  line.tokens.push_back({begin, at_});
  return Done{};
}

}  // namespace stsctl::providers::zonefile
