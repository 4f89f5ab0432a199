#pragma once
// Types and data of records in any spelling that a master file allows, RFC 3597 included. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "dns/record_set.h"
#include "providers/zonefile/zone_text.h"

namespace stsctl::providers::zonefile {

/// The mnemonic of a type in upper case: "TXT" for "txt" and, by RFC 3597 §5, for "TYPE16".
std::string canonical_type(std::string_view word);

/// The data of a record as RecordSet writes it. `text` is that of its file. Code::invalid when no
/// server would read it either.
Result<std::string> read_value(std::string_view text, const Record& record, dns::Type type);

/// The type that a record counts as: Type::locked for a CNAME whose target no Name can hold, such
/// as the root.
dns::Type managed_type(std::string_view text, const Record& record);

/// The last number of an SOA record, the TTL of negative answers (RFC 2308 §4).
Result<std::uint32_t> soa_minimum(std::string_view text, const Record& record);

}  // namespace stsctl::providers::zonefile
