#pragma once
// A master file (RFC 1035 §5.1) cut into logical lines and tokens that know their place. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::providers::zonefile {

/// A piece of the text: bytes [begin, end).
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

inline std::string_view piece(std::string_view text, const Span& span) {
  return text.substr(span.begin, span.end - span.begin);
}

/// A logical line: parentheses join lines, ';' begins a comment.
struct Line {
  Span span;               ///< With its line end.
  std::size_t number = 0;  ///< Of its first line, from 1.
  bool starts_blank = false;
  std::vector<Span> tokens;          ///< Quoted ones with their quotes.
  std::vector<bool> in_parentheses;  ///< Was one open where the token begins?
  std::vector<Span> marks;           ///< The parentheses themselves.
};

/// Cuts a text into logical lines as BIND's lexer does.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  /// Reads the next line into `line`, whose memory is used again. Code::invalid with "line N: …".
  Result<Done> next(Line& line);

 private:
  std::unexpected<Error> error(const char* what) const;
  Result<Done> token(Line& line);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t number_ = 1;
};

/// A number of digits only; none if it is not, or past 2^32-1.
std::optional<std::uint32_t> parse_number(std::string_view text);

/// "300" or, in BIND's units, "1h30m": seconds. A number past 2^31-1 counts as 0 (RFC 2181 §8).
/// None if it is no TTL.
std::optional<std::uint32_t> parse_ttl(std::string_view text);

/// Which line (from 1) the byte at `offset` stands in.
std::size_t line_number(std::string_view text, std::size_t offset);

}  // namespace stsctl::providers::zonefile
