#pragma once
// A master file (RFC 1035 §5) as entries that know their place in the text, so that an editor can
// change a record and leave every other byte alone. Pure. libldns parses records too, but drops
// comments and layout and reads no $INCLUDE, hence our own reader; tests check it with
// named-checkzone.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::providers::zonefile {

/// A piece of the text: bytes [begin, end).
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// One record, with everything that a line may leave to an earlier one filled in.
struct Record {
  Span line;                    ///< The whole logical line, with its line end.
  bool inherits_owner = false;  ///< It begins with a blank: the owner of the record before.
  std::string owner;      ///< Absolute, lower case, no final dot, escapes undone where harmless.
  std::uint32_t ttl = 0;  ///< Its own, or $TTL, or that of the record before.
  std::optional<Span> ttl_token;
  std::string type;  ///< Upper case: "TXT".
  Span type_token;
  bool in_parentheses = false;  ///< A parenthesis is open before the data begins.
  std::string origin;           ///< What relative names in the data are relative to.
  std::vector<Span> data;       ///< The data's tokens; quoted ones with their quotes.
  Span data_range;              ///< From the first token or parenthesis of the data to the last.
};

/// What a file begins with, and what is carried on behind an $INCLUDE.
struct Context {
  std::string origin;                        ///< Absolute, lower case, no final dot.
  std::string owner;                         ///< Of the last record; empty before the first.
  std::optional<std::uint32_t> default_ttl;  ///< $TTL
  std::optional<std::uint32_t> last_ttl;     ///< Of the last record that had one.
};

/// An $INCLUDE line: where it interrupts the records, and what the file it names begins with.
struct Include {
  std::size_t before_record = 0;  ///< Index into ZoneText::records.
  std::string path;               ///< As written.
  Context context;
};

/// One file, read.
struct ZoneText {
  std::vector<Record> records;
  std::vector<Include> includes;
  bool is_signed = false;  ///< It holds RRSIG records.
};

/// Reads one file. Code::invalid with "line N: …" for what no server would load either.
Result<ZoneText> parse_zone_text(std::string_view text, Context context);

/// An owner or target as written, made absolute: "@", relative, or with a final dot; lower case.
std::string absolute_name(std::string_view written, std::string_view origin);

}  // namespace stsctl::providers::zonefile
