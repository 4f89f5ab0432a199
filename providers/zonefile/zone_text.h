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
#include <variant>
#include <vector>

#include "base/result.h"
#include "providers/zonefile/lexer.h"

namespace stsctl::providers::zonefile {

/// What makes a line a $GENERATE: the numbers that its templates are filled with.
struct Generate {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t step = 1;
  Span owner;  ///< The template of the owner names.
};

/// One record, with everything that a line may leave to an earlier one filled in.
struct Record {
  Span line;                    ///< The whole logical line, with its line end.
  bool inherits_owner = false;  ///< It begins with a blank: the owner of the record before.
  std::string owner;         ///< Absolute, lower case, no final dot, escapes undone where harmless.
  std::uint32_t ttl = 0;     ///< What a server gives it; filled in by read_zone().
  bool carries_ttl = false;  ///< It has the TTL of the record before.
  std::optional<std::uint32_t> stated_ttl;
  Span ttl_token;    ///< Where there is a stated_ttl.
  std::string type;  ///< Mnemonic in upper case, "TXT" for TYPE16 too.
  Span type_token;
  bool in_parentheses = false;  ///< A parenthesis is open before the data begins.
  std::string origin;           ///< What relative names in the data are relative to.
  std::vector<Span> data;       ///< The data's tokens; quoted ones with their quotes.
  Span data_range;              ///< From the first token or parenthesis of the data to the last.
  std::optional<Generate> generate;  ///< Then there is no owner, and the data is a template.
};

/// What a file begins with. An $INCLUDE hands it in and gets nothing back.
struct Context {
  std::string origin;                ///< Absolute, lower case, no final dot.
  std::optional<std::string> owner;  ///< Of the last record; none before the first.
};

/// An $INCLUDE line.
struct Include {
  std::string path;  ///< As written.
  Context context;   ///< What the file it names begins with.
};

/// A $TTL line, in seconds.
struct DefaultTtl {
  std::uint32_t seconds = 0;
};

/// A line that stands between the records.
struct Directive {
  std::size_t before_record = 0;  ///< Index into ZoneText::records.
  std::variant<Include, DefaultTtl> what;
};

/// One file, read.
struct ZoneText {
  std::vector<Record> records;  ///< And $GENERATE lines.
  std::vector<Directive> directives;
};

/// Reads one file. Code::invalid with "line N: …" for what no server would load either.
Result<ZoneText> parse_zone_text(std::string_view text, Context context);

/// An owner or target as written, made absolute: "@", relative, or with a final dot; lower case.
std::string absolute_name(std::string_view written, std::string_view origin);

/// Lower case, with \DDD and \X undone where the result is a letter, digit, '-' or '_'.
std::string plain_name(std::string_view written);

}  // namespace stsctl::providers::zonefile
