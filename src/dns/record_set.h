#pragma once
// Record sets as values, and the presentation form of TXT. Knows no wire and no provider.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/name.h"

namespace stsctl::dns {

/// The types that matter at the names stsctl touches. `other` is any further type, seen but never
/// written: it can stand in the way of a CNAME. `locked` is a set of any type that must stay as it
/// is (an alias, a routing policy, one that the vendor manages); its one value says what it is, for
/// people: "an alias (A) for d111.cloudfront.net".
enum class Type { a, aaaa, cname, txt, mx, other, locked };

/// "A", "AAAA", "CNAME", "TXT", "MX", "locked"; "other" for the rest.
const char* to_string(Type type);
/// The reverse, any case; every unknown word is Type::other.
Type parse_type(std::string_view text);

/// All records of one type at one name (an RRset, RFC 2181 §5): the unit stsctl reads and writes.
/// Values are sorted and unique. TXT: the character-strings joined, quoting and escapes undone, as
/// bytes. CNAME: the target as Name writes it. A, AAAA: canonical text (RFC 5952).
/// MX: "10 mail.example.com".
struct RecordSet {
  Name owner;
  Type type = Type::txt;
  std::chrono::seconds ttl{0};  ///< 0: the provider's own choice ("auto").
  std::vector<std::string> values;
  bool operator==(const RecordSet&) const = default;
};

/// A set with its values brought into the canonical form that RecordSet asks for.
/// Code::invalid when an address or target cannot be read.
Result<RecordSet> make_record_set(Name owner, Type type, std::chrono::seconds ttl,
                                  std::vector<std::string> values);

/// Stands for a set of that type whose values cannot be read: Type::locked, since what nobody here
/// understands nobody here replaces.
RecordSet unreadable_set(Name owner, std::string_view type);

/// TXT content in master-file form (RFC 1035 §5.1): quoted character-strings of at most 255 bytes,
/// one space between them, `"` and `\` escaped by a backslash, bytes outside 0x20..0x7E as \DDD.
std::string encode_txt(std::string_view value);
/// The same, cut into the raw character-strings of the wire (RFC 1035 §3.3.14); one, empty, for "".
std::vector<std::string> txt_strings(std::string_view value);
/// Undoes encode_txt and every other spelling of it: quoted or bare strings, any cut, \X and \DDD.
/// Text without a quote at its start is one value as it stands when `bare_is_whole` (Cloudflare),
/// else blank-separated bare strings (master files). Code::invalid on an open quote or a bad
/// escape.
Result<std::string> decode_txt(std::string_view text, bool bare_is_whole = false);

}  // namespace stsctl::dns
