#pragma once
// The worlds of rfc2136: one a server, behind dns_proxy.py.

#include "dns_world.h"

namespace stsctl::contract {

using StartServer = std::unique_ptr<servers::NameServer> (*)(const std::vector<ZoneSeed>&,
                                                             servers::ServerClock);

/// Adds the world "rfc2136_SERVER".
bool add_rfc2136_world(const std::string& server, StartServer program,
                       std::map<Need, std::string> lacks = {});

}  // namespace stsctl::contract
