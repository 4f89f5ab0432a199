#pragma once
// The configuration of other people's web servers for policies in files. Pure: text out.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/name.h"

namespace stsctl::cli {

enum class WebServer { caddy, nginx, apache };

/// One policy and the certificate of its host.
struct PolicySite {
  dns::Name domain;
  std::string file;         ///< The policy, an absolute path.
  std::string certificate;  ///< PEM with its chain; empty (Caddy only): obtained by the server.
  std::string key;
};

/// What makes the server answer https://mta-sts.DOMAIN/.well-known/mta-sts.txt on `port` with the
/// file, status 200 and text/plain, and everything else on these names with 404. Code::unsupported
/// for a path with a character that one of the servers would not take literally.
Result<std::string> web_server_config(WebServer server, const std::vector<PolicySite>& sites,
                                      std::uint16_t port);

}  // namespace stsctl::cli
