#include "providers/zonefile/zone_text.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/zonefile/rdata.h"

namespace stsctl::providers::zonefile {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view unquoted(std::string_view token) {
  return token.starts_with('"') ? token.substr(1, token.size() - 2) : token;
}

// The number of a class: "IN", "CLASS1"; none if it is no class.
std::optional<unsigned> parse_class(std::string_view word) {
  constexpr std::pair<std::string_view, unsigned> names[] = {
      {"in", 1}, {"ch", 3}, {"chaos", 3}, {"hs", 4}, {"hesiod", 4}};
  const std::string name = lower(word);
  for (const auto& [known, number] : names)
    if (name == known) return number;
  return name.starts_with("class") ? parse_number(std::string_view(name).substr(5)) : std::nullopt;
}

// "1-100" or "1-100/2" (BIND's $GENERATE).
bool parse_range(std::string_view text, Generate& generate) {
  const std::size_t slash = text.find('/');
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash > slash) return false;
  const auto first = parse_number(text.substr(0, dash));
  const auto last = parse_number(text.substr(dash + 1, slash - dash - 1));
  const auto step =
      slash == std::string_view::npos ? std::optional(1U) : parse_number(text.substr(slash + 1));
  if (!first || !last || !step || *last < *first || *last > INT32_MAX || *step == 0) return false;
  generate.first = *first;
  generate.last = *last;
  generate.step = *step;
  return true;
}

// Turns lines into records, carrying owner and origin along.
class Parser {
 public:
  Parser(std::string_view text, Context context) : text_(text), context_(std::move(context)) {}

  Result<ZoneText> parse() {
    Lexer lexer(text_);
    Line line;
    while (!lexer.at_end()) {
      if (const Result<Done> cut = lexer.next(line); !cut) return fail(cut);
      if (line.tokens.empty()) continue;
      const bool is_directive = word(line, 0).starts_with('$') && !line.starts_blank;
      const Result<Done> read = is_directive ? directive(line) : record(line);
      if (!read)
        return fail(read.error().code, fmt::format("line {}: {}", line.number, read.error().what));
    }
    return std::move(zone_);
  }

 private:
  std::string_view word(const Line& line, std::size_t index) const {
    return piece(text_, line.tokens[index]);
  }

  Result<Done> directive(const Line& line) {
    const std::string name = lower(word(line, 0));
    if (name == "$generate") return generate(line);
    if (line.tokens.size() < 2) return fail(Code::invalid, name + " without a value");
    const std::string_view value = word(line, 1);
    if (name == "$origin") {
      context_.origin = absolute_name(value, context_.origin);
    } else if (name == "$ttl") {
      const auto seconds = parse_ttl(value);
      if (!seconds) return fail(Code::invalid, "$TTL is no number of seconds");
      add(DefaultTtl{*seconds});
    } else if (name == "$include") {
      Include include{std::string(unquoted(value)), context_};
      if (line.tokens.size() > 2)
        include.context.origin = absolute_name(word(line, 2), context_.origin);
      add(std::move(include));
    } else if (name != "$date") {  // BIND writes it into secondaries' files
      return fail(Code::invalid, fmt::format("unknown directive {}", printable(name)));
    }
    return Done{};
  }

  void add(std::variant<Include, DefaultTtl> what) {
    zone_.directives.push_back({zone_.records.size(), std::move(what)});
  }

  Result<Done> record(const Line& line) {
    Record record{.line = line.span, .inherits_owner = line.starts_blank};
    std::size_t at = 0;
    if (!line.starts_blank) context_.owner = absolute_name(word(line, at++), context_.origin);
    if (!context_.owner) return fail(Code::invalid, "the first record has no owner");
    record.owner = *context_.owner;
    return rest(line, at, std::move(record));
  }

  // $GENERATE range owner [TTL] [class] type data, the data in one token.
  Result<Done> generate(const Line& line) {
    if (line.tokens.size() < 5)
      return fail(Code::invalid, "$GENERATE needs range, owner and record");
    Generate generate{.owner = line.tokens[2]};
    if (!parse_range(word(line, 1), generate))
      return fail(Code::invalid, "$GENERATE has no range such as 1-100 or 1-100/2");
    if (const Result<Done> read = rest(line, 3, {.line = line.span, .generate = generate}); !read)
      return read;
    if (zone_.records.back().data.size() != 1)
      return fail(Code::invalid, "$GENERATE takes its data as one word or in quotes");
    return Done{};
  }

  // What follows the owner: TTL and class in either order, type and data.
  Result<Done> rest(const Line& line, std::size_t at, Record record) {
    bool has_class = false;
    for (; at < line.tokens.size(); ++at) {
      const auto cls = parse_class(word(line, at));
      const auto ttl = cls ? std::nullopt : parse_ttl(word(line, at));
      if (cls && *cls != 1)
        return fail(Code::invalid, fmt::format("class {} in a zone of class IN", word(line, at)));
      if (!(cls && !has_class) && !(ttl && !record.stated_ttl)) break;
      has_class = has_class || cls;
      if (!ttl) continue;
      record.stated_ttl = ttl;
      record.ttl_token = line.tokens[at];
    }
    if (at >= line.tokens.size()) return fail(Code::invalid, "the record has no type");
    record.type = canonical_type(word(line, at));
    record.type_token = line.tokens[at];
    record.in_parentheses = line.in_parentheses[at];
    record.origin = context_.origin;
    record.data.assign(line.tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                       line.tokens.end());
    record.data_range = data_range(record, line);
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

}  // namespace

// Other escapes stay, and so never equal a plain name: no spelling of an owned name is missed.
std::string plain_name(std::string_view written) {
  std::string out;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] != '\\') {
      out += written[i];
      continue;
    }
    const bool decimal = i + 3 < written.size() && is_digit(written[i + 1]) &&
                         is_digit(written[i + 2]) && is_digit(written[i + 3]);
    const std::size_t length = decimal ? 4 : 2;
    const int value = decimal ? (written[i + 1] - '0') * 100 + (written[i + 2] - '0') * 10 +
                                    (written[i + 3] - '0')
                      : i + 1 < written.size() ? written[i + 1]
                                               : '\\';
    const char c = static_cast<char>(value);
    const bool plain =
        value >= 0 && value < 128 &&
        (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_');
    if (plain)
      out += c;
    else
      out += written.substr(i, length);
    i += length - 1;
  }
  return lower(out);
}

std::string absolute_name(std::string_view written, std::string_view origin) {
  if (written == "@") return std::string(origin);
  std::string name = plain_name(written);
  if (name.ends_with('.')) {
    const std::size_t last = name.find_last_not_of('\\', name.size() - 2);
    const std::size_t escapes = name.size() - 2 - last;
    if (name.size() == 1 || escapes % 2 == 0) {
      name.pop_back();
      return name;
    }
  }
  if (origin.empty()) return name;
  return name + "." + std::string(origin);
}

Result<ZoneText> parse_zone_text(std::string_view text, Context context) {
  return Parser(text, std::move(context)).parse();
}

}  // namespace stsctl::providers::zonefile
