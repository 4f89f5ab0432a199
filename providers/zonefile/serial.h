#pragma once
// The SOA serial (RFC 1035 §3.3.13, RFC 1982). Pure.

#include <cstdint>

#include "base/time.h"

namespace stsctl::providers::zonefile {

/// The serial after `serial`, counted the way it is: YYYYMMDDnn by date, seconds since 1970, or one
/// up. Always later in the sense of RFC 1982, never 0.
std::uint32_t next_serial(std::uint32_t serial, Time now);

}  // namespace stsctl::providers::zonefile
