#pragma once
// Name servers that load master files of a test's folder, and are told to load them again.

#include <memory>
#include <string>
#include <vector>

#include "servers/name_server.h"

namespace stsctl::servers {

/// Which server, and how it is told that a file changed.
enum class ZoneFileServerKind {
  bind,         ///< rndc reload ZONE
  bind_signal,  ///< SIGHUP
  bind_inline,  ///< rndc reload ZONE; BIND signs what it loads (inline-signing)
  knot,         ///< knotc zone-reload ZONE
  nsd,          ///< nsd-control reload ZONE
};

/// One running server; its process goes with it, the files stay.
class ZoneFileServer : public NameServer {
 public:
  /// The command that tells it to load a zone again; "{zone}" stands for the zone's name.
  const std::vector<std::string>& reload() const { return reload_; }

 protected:
  std::vector<std::string> reload_;
};

/// Serves ZONE.zone of the folder `files` for each zone. Relative $INCLUDE paths start there.
std::unique_ptr<ZoneFileServer> start_on_zone_files(ZoneFileServerKind kind,
                                                    const std::string& files,
                                                    const std::vector<std::string>& zones);

}  // namespace stsctl::servers
