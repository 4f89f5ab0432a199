#include "providers/zonefile/generate.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::zonefile {

namespace {

constexpr std::size_t most_lines = 1000;  // for one owner

// One piece of a template: text as it stands, or where a number comes.
struct Part {
  std::string literal;
  bool is_number = false;
  std::int64_t offset = 0;
  std::uint32_t width = 0;
  char base = 'd';  // d, o, x, X; n, N: hexadecimal digits in reverse, a dot between each two
};

std::unexpected<Error> malformed(std::string_view text) {
  return fail(Code::invalid, fmt::format("'{}' is no template of $GENERATE", printable(text)));
}

// "offset[,width[,base]]"
bool parse_modifiers(std::string_view text, Part& part) {
  const std::vector<std::string_view> fields = split(text, ',');
  if (fields.size() > 3) return false;
  std::int32_t offset = 0;
  std::string_view digits = fields[0];
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return false;
  part.offset = offset;
  if (fields.size() < 2) return true;
  const auto width = parse_number(fields[1]);
  if (!width || *width > 255) return false;  // longer than any name
  part.width = *width;
  if (fields.size() < 3) return true;
  part.base = fields[2].size() == 1 ? fields[2][0] : ' ';
  return std::string_view("doxXnN").find(part.base) != std::string_view::npos;
}

Result<std::vector<Part>> parse_template(std::string_view text) {
  std::vector<Part> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& literal = parts.back().literal;
    if (text[i] == '\\') {
      literal += text.substr(i, 2);
      ++i;
    } else if (text[i] != '$') {
      literal += text[i];
    } else if (text.substr(i + 1, 1) == "$") {
      literal += '$';
      ++i;
    } else {
      Part number{.is_number = true};
      if (text.substr(i + 1, 1) == "{") {
        const std::size_t end = text.find('}', i);
        if (end == std::string_view::npos ||
            !parse_modifiers(text.substr(i + 2, end - i - 2), number))
          return malformed(text);
        i = end;
      }
      parts.push_back(number);
      parts.emplace_back();
    }
  }
  return parts;
}

std::string nibbles(std::uint32_t value, std::size_t width, char base) {
  const std::string_view digits = base == 'n' ? "0123456789abcdef" : "0123456789ABCDEF";
  std::string out;
  do {
    out += digits[value & 0xfU];
    value >>= 4U;
    // A width counts the dots too.
    if (value != 0 || out.size() < width) out += '.';
  } while (value != 0 || out.size() < width);
  return out;
}

std::string number_text(const Part& part, std::uint32_t number) {
  const auto value = static_cast<std::int32_t>(number + part.offset);
  const auto bits = static_cast<std::uint32_t>(value);
  switch (part.base) {
    case 'o':
      return fmt::format("{:0{}o}", bits, part.width);
    case 'x':
      return fmt::format("{:0{}x}", bits, part.width);
    case 'X':
      return fmt::format("{:0{}X}", bits, part.width);
    case 'n':
    case 'N':
      return nibbles(bits, part.width, part.base);
    default:
      return fmt::format("{:0{}d}", value, part.width);
  }
}

std::string fill(const std::vector<Part>& parts, std::uint32_t number) {
  std::string out;
  for (const Part& part : parts)
    out += part.is_number ? number_text(part, number) : part.literal;
  return out;
}

// What `text` is as a number of this part, before its offset; none if it is none.
std::optional<std::int64_t> read_number(const Part& part, std::string_view text) {
  std::string digits(text);
  const bool reversed = part.base == 'n' || part.base == 'N';
  if (reversed) {
    std::erase(digits, '.');
    std::ranges::reverse(digits);
  }
  const int base = part.base == 'd' ? 10 : part.base == 'o' ? 8 : 16;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  return base == 10 ? value : static_cast<std::int32_t>(value);
}

// The numbers of the range for which the template gives `owner`: read out of it, not tried, since a
// range may be as long as two thousand million.
std::vector<std::uint32_t> numbers_for(const Generate& range, const std::vector<Part>& parts,
                                       std::string_view origin, const std::string& owner) {
  std::vector<std::uint32_t> numbers;
  const std::string head = plain_name(parts.front().literal);
  if (!owner.starts_with(head)) return numbers;
  const std::string_view rest = std::string_view(owner).substr(head.size());
  for (std::size_t length = 1; length <= rest.size(); ++length) {
    const auto value = read_number(parts[1], rest.substr(0, length));
    if (!value) continue;
    const std::int64_t number = *value - parts[1].offset;
    if (number < range.first || number > range.last || (number - range.first) % range.step != 0)
      continue;
    const auto found = static_cast<std::uint32_t>(number);
    if (absolute_name(fill(parts, found), origin) == owner &&
        std::ranges::find(numbers, found) == numbers.end())
      numbers.push_back(found);
  }
  return numbers;
}

// Of a quoted template, without the quotes and the escapes that quotes in it need.
std::string unquoted(std::string_view token) {
  if (!token.starts_with('"')) return std::string(token);
  std::string out;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    if (token[i] == '\\') {
      ++i;
      if (token[i] != '"') out += '\\';
    }
    out += token[i];
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> generated_lines(std::string_view text, const Record& generate,
                                                 const std::string& owner) {
  const Generate& range = *generate.generate;
  const auto parts = parse_template(piece(text, range.owner));
  if (!parts) return fail(parts);
  std::vector<std::string> lines;
  std::vector<std::uint32_t> numbers;
  if (parts->size() > 1) {
    numbers = numbers_for(range, *parts, generate.origin, owner);
  } else if (absolute_name(parts->front().literal, generate.origin) == owner) {
    // Without a number in its owner it makes all its records there.
    if ((range.last - range.first) / range.step >= most_lines)
      return fail(Code::unsupported,
                  fmt::format("$GENERATE makes more than {} records at {}", most_lines, owner));
    for (std::uint64_t number = range.first; number <= range.last; number += range.step)
      numbers.push_back(static_cast<std::uint32_t>(number));
  }
  const auto data = parse_template(unquoted(piece(text, generate.data.front())));
  if (!data) return fail(data);
  for (const std::uint32_t number : numbers)
    lines.push_back(
        fmt::format("{}. {} {} {}\n", owner, generate.ttl, generate.type, fill(*data, number)));
  return lines;
}

}  // namespace stsctl::providers::zonefile
