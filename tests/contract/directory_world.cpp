// directory: a folder of this machine, no server.

#include "host_files.h"
#include "providers/directory/directory.h"

namespace stsctl::contract {
namespace {

class DirectoryWorld final : public FilesWorld {
 public:
  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& /*access*/,
                                                      const io::Services& services) override {
    Settings settings;
    settings.set("root", root(), "");
    settings.set("path", path_template(), "");
    auto host = providers::directory::kind().make(settings, services);
    if (!host) return host;
    return as_plain_user(std::move(*host));
  }
};

const bool added = add_host_world({
    .name = "directory",
    .make = [] { return std::make_unique<DirectoryWorld>(); },
    .lacks = lacks({{HostNeed::credentials, "files of this machine need none"},
                    {HostNeed::wire, "there is no connection"}}),
});

}  // namespace
}  // namespace stsctl::contract
