#pragma once
// The text of the Worker that answers with policies: written for people who open the dashboard, and
// read back. Pure; knows no API.

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/name.h"

namespace stsctl::providers::cloudflare {

/// Bodies by mail domain.
using Policies = std::map<dns::Name, std::string>;

/// An ES module that answers https://mta-sts.DOMAIN/.well-known/mta-sts.txt with the body of each
/// domain, byte for byte, GET and HEAD only, and everything else with 404. Equal policies, equal
/// bytes.
std::string render_script(const Policies& policies);

/// The policies in what render_script() made; Code::refused for any other text, since what somebody
/// else wrote, or changed, is not ours to replace.
Result<Policies> read_script(std::string_view text);

}  // namespace stsctl::providers::cloudflare
