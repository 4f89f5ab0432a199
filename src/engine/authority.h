#pragma once
// What the zone's own name servers answer, and waiting until they answer what was written.

#include <string>
#include <vector>

#include "engine/confirm.h"

namespace stsctl::engine {

/// One address of a name server.
struct Authority {
  std::string name;  ///< "ns1.example.net"
  io::Nameserver server;
};

/// The servers of the zone that holds `name`: by its own NS records, or those of a name above. At
/// most 16; empty where nobody could be asked or there are none.
std::vector<Authority> authorities(const dns::Name& name, io::Resolver& resolver,
                                   std::uint16_t dns_port);

/// Whether a server that gives this answer has not heard of the edit. TXT must be exactly what was
/// written. Of an address only what was there before tells: a provider that stands in front of the
/// host (Cloudflare's proxy) answers with addresses of its own.
bool is_behind(const plan::RecordEdit& edit, const std::vector<std::string>& answered);

/// Asks the servers of `zone`, less and less often, until none is behind with `edits`. A server
/// that does not answer is not waited for while another does: no resolver gets anything old from
/// it. Code::timeout, naming a server and what it answers, when time is up.
Result<Done> await_records(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits,
                           const ConfirmOptions& options, io::Clock& clock,
                           const std::stop_token& stop);

}  // namespace stsctl::engine
