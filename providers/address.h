#pragma once
// The `address` setting of policy hosts: which record mta-sts.DOMAIN needs.

#include "base/settings.h"
#include "plan/desired.h"

namespace stsctl::providers {

SettingSpec address_setting();

/// The address that the settings give; none of its parts set when they give none. Code::invalid
/// when an address cannot be read, or a CNAME is given beside addresses (RFC 1034 §3.6.2).
Result<plan::Address> read_address(const Settings& settings);

}  // namespace stsctl::providers
