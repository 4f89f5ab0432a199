#pragma once
// The settings `address` and `edge_delay` of policy hosts: which record mta-sts.DOMAIN needs, and
// what a cache in front may do.

#include <optional>

#include "base/settings.h"
#include "plan/desired.h"

namespace stsctl::providers {

SettingSpec address_setting();

/// The address that the settings give; none of its parts set when they give none. Code::invalid
/// when an address cannot be read, or a CNAME is given beside addresses (RFC 1034 §3.6.2).
Result<plan::Address> read_address(const Settings& settings);
/// The address if any of its parts is set.
std::optional<plan::Address> if_any(const plan::Address& address);

SettingSpec edge_delay_setting();

}  // namespace stsctl::providers
