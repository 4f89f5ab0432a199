#pragma once
// The zones of a real name server as dig sees them, and the neighbour who changes them by nsupdate.

#include "dns_world.h"

namespace stsctl::contract {

/// As DnsWorld::look(), by a zone transfer.
std::vector<Seen> look(const servers::NameServer& server, const std::string& zone);
/// The zone's serial.
std::uint64_t serial(const servers::NameServer& server, const std::string& zone);
/// As DnsWorld::change().
void change(const servers::NameServer& server, const std::string& zone, const std::string& owner,
            const std::string& type, const std::vector<std::string>& lines);

}  // namespace stsctl::contract
