#pragma once
// BIND's $GENERATE: a line that stands for many records. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "providers/zonefile/zone_text.h"

namespace stsctl::providers::zonefile {

/// The records that a $GENERATE makes at `owner` (as Record writes it), as lines of a master file
/// with absolute owner and TTL; relative names in the data are relative to its origin. `text` is
/// that of its file. Code::invalid for a template that BIND refuses, Code::unsupported for more
/// than a thousand records.
Result<std::vector<std::string>> generated_lines(std::string_view text, const Record& generate,
                                                 const std::string& owner);

}  // namespace stsctl::providers::zonefile
