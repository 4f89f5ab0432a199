#pragma once
// gzip (RFC 1952), within bounds.

#include <string>
#include <string_view>

#include "base/result.h"

namespace stsctl::reports {

/// Does `data` begin as gzip does?
bool is_gzip(std::string_view data);

/// Inflates gzip of one or more members. Code::invalid when it is no gzip, is cut off, or inflates
/// to more than `most` bytes: it stops there, so a bomb costs no more than `most`.
Result<std::string> gunzip(std::string_view data, std::size_t most);

}  // namespace stsctl::reports
