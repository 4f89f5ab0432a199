#include "providers/zonefile/zone_text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::zonefile {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "300", "1h30m" (BIND's units) in seconds; none if it is no TTL.
std::optional<std::uint32_t> parse_ttl(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || number > UINT32_MAX) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    std::uint64_t factor = 1;
    if (!text.empty()) {
      constexpr std::string_view units = "smhdw";
      constexpr std::uint64_t factors[] = {1, 60, 3600, 86400, 604800};
      const std::size_t unit = units.find(lower(text.substr(0, 1)));
      if (unit == std::string_view::npos) return std::nullopt;
      factor = factors[unit];
      text.remove_prefix(1);
    }
    total += number * factor;
    if (total > INT32_MAX) return std::nullopt;  // RFC 2181 §8
  }
  return static_cast<std::uint32_t>(total);
}

bool is_class(std::string_view text) {
  const std::string word = lower(text);
  return word == "in" || word == "ch" || word == "hs";
}

// A logical line cut into tokens.
struct Line {
  Span span;
  bool starts_blank = false;
  std::vector<Span> tokens;
  std::vector<bool> in_parentheses;  // was one open where the token begins?
  std::vector<Span> marks;           // parentheses
};

// Cuts the text into logical lines: parentheses join lines, ';' begins a comment.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t line_number() const { return number_; }

  Result<Done> next(Line& line) {
    line.tokens.clear();
    line.in_parentheses.clear();
    line.marks.clear();
    line.span.begin = at_;
    line.starts_blank = text_[at_] == ' ' || text_[at_] == '\t';
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++at_;
        ++number_;
        if (depth == 0) break;
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

 private:
  std::unexpected<Error> error(const char* what) const {
    return fail(Code::invalid, fmt::format("line {}: {}", number_, what));
  }

  Result<Done> token(Line& line) {
    const std::size_t begin = at_;
    const bool quoted = text_[at_] == '"';
    if (quoted) ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' && quoted) return error("a '\"' is never closed");
      if (quoted ? c == '"' : std::string_view(" \t\r\n;()\"").find(c) != std::string_view::npos)
        break;
      at_ += c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n' ? 2U : 1U;
    }
    if (quoted) {
      if (at_ >= text_.size()) return error("a '\"' is never closed");
      ++at_;
    }
    line.tokens.push_back({begin, at_});
    return Done{};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t number_ = 1;
};

// Turns lines into records, carrying owner, origin and TTL along.
class Parser {
 public:
  Parser(std::string_view text, Context context) : text_(text), context_(std::move(context)) {}

  Result<ZoneText> parse() {
    Lexer lexer(text_);
    Line line;
    while (!lexer.at_end()) {
      const std::size_t number = lexer.line_number();
      Result<Done> read = lexer.next(line);
      if (read && !line.tokens.empty())
        read =
            word(line, 0).starts_with('$') && !line.starts_blank ? directive(line) : record(line);
      if (!read && read.error().what.starts_with("line ")) return fail(read);
      if (!read) return fail(Code::invalid, fmt::format("line {}: {}", number, read.error().what));
    }
    return std::move(zone_);
  }

 private:
  std::string_view word(const Line& line, std::size_t index) const {
    const Span span = line.tokens[index];
    return text_.substr(span.begin, span.end - span.begin);
  }

  std::string_view unquoted(const Line& line, std::size_t index) const {
    std::string_view text = word(line, index);
    return text.starts_with('"') ? text.substr(1, text.size() - 2) : text;
  }

  Result<Done> directive(const Line& line) {
    const std::string name = lower(word(line, 0));
    if (name == "$generate") return Done{};
    if (line.tokens.size() < 2) return fail(Code::invalid, name + " without a value");
    if (name == "$origin") {
      context_.origin = absolute_name(word(line, 1), context_.origin);
    } else if (name == "$ttl") {
      context_.default_ttl = parse_ttl(word(line, 1));
      if (!context_.default_ttl) return fail(Code::invalid, "$TTL is no number of seconds");
    } else if (name == "$include") {
      Include include{zone_.records.size(), std::string(unquoted(line, 1)), context_};
      if (line.tokens.size() > 2)
        include.context.origin = absolute_name(word(line, 2), context_.origin);
      zone_.includes.push_back(std::move(include));
    } else {
      return fail(Code::invalid, fmt::format("unknown directive {}", printable(name)));
    }
    return Done{};
  }

  Result<Done> record(const Line& line) {
    Record record{.line = line.span, .inherits_owner = line.starts_blank};
    std::size_t at = 0;
    if (!line.starts_blank) context_.owner = absolute_name(word(line, at++), context_.origin);
    if (context_.owner.empty()) return fail(Code::invalid, "the first record has no owner");
    record.owner = context_.owner;
    std::optional<std::uint32_t> ttl;
    for (; at < line.tokens.size(); ++at) {
      if (is_class(word(line, at))) continue;
      const auto value = parse_ttl(word(line, at));
      if (!value || ttl) break;
      ttl = value;
      record.ttl_token = line.tokens[at];
    }
    if (at >= line.tokens.size()) return fail(Code::invalid, "the record has no type");
    if (ttl) context_.last_ttl = ttl;
    // RFC 2308 §4: $TTL first; without it, the TTL stated last.
    record.ttl = ttl.value_or(context_.default_ttl.value_or(context_.last_ttl.value_or(0)));
    record.type = std::string(word(line, at));
    std::ranges::transform(record.type, record.type.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    record.type_token = line.tokens[at];
    record.in_parentheses = line.in_parentheses[at];
    record.origin = context_.origin;
    record.data.assign(line.tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                       line.tokens.end());
    record.data_range = data_range(record, line);
    zone_.is_signed = zone_.is_signed || record.type == "RRSIG";
    zone_.records.push_back(std::move(record));
    return Done{};
  }

  static Span data_range(const Record& record, const Line& line) {
    Span range{record.type_token.end, record.type_token.end};
    const auto include = [&](const Span& span) {
      if (span.begin < record.type_token.end) return;
      range.begin =
          range.begin == record.type_token.end ? span.begin : std::min(range.begin, span.begin);
      range.end = std::max(range.end, span.end);
    };
    for (const Span& token : record.data)
      include(token);
    for (const Span& mark : line.marks)
      include(mark);
    return range;
  }

  std::string_view text_;
  Context context_;
  ZoneText zone_;
};

// Undoes \DDD and \X where the result is a plain letter, digit, '-' or '_', so that no spelling of
// an owned name is missed; other escapes stay, and so never equal a plain name.
std::string without_harmless_escapes(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\') {
      out += name[i];
      continue;
    }
    const bool decimal = i + 3 < name.size() && is_digit(name[i + 1]) && is_digit(name[i + 2]) &&
                         is_digit(name[i + 3]);
    const std::size_t length = decimal ? 4 : 2;
    const int value =
        decimal ? (name[i + 1] - '0') * 100 + (name[i + 2] - '0') * 10 + (name[i + 3] - '0')
        : i + 1 < name.size() ? name[i + 1]
                              : '\\';
    const char c = static_cast<char>(value);
    const bool plain = value < 128 && (is_digit(c) || (c >= 'a' && c <= 'z') ||
                                       (c >= 'A' && c <= 'Z') || c == '-' || c == '_');
    if (plain)
      out += c;
    else
      out += name.substr(i, length);
    i += length - 1;
  }
  return out;
}

}  // namespace

std::string absolute_name(std::string_view written, std::string_view origin) {
  if (written == "@") return std::string(origin);
  std::string name = lower(without_harmless_escapes(written));
  if (name.ends_with('.') && !name.ends_with("\\.")) {
    name.pop_back();
    return name;
  }
  if (origin.empty()) return name;
  return name + "." + std::string(origin);
}

Result<ZoneText> parse_zone_text(std::string_view text, Context context) {
  return Parser(text, std::move(context)).parse();
}

}  // namespace stsctl::providers::zonefile
