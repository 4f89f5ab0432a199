// directory: a folder of this machine, no server.

#include <pwd.h>
#include <sys/fsuid.h>

#include "host_files.h"
#include "providers/directory/directory.h"
#include "servers/sshd.h"

namespace stsctl::contract {
namespace {

using Body = std::optional<std::string>;

// Touches files as an ordinary user, since nothing is forbidden to root. The threads that a call
// starts inherit it.
class AsPlainUser {
 public:
  AsPlainUser() {
    if (!servers::is_root()) return;
    const passwd* user = getpwnam(servers::plain_user().c_str());
    setfsgid(user->pw_gid);
    setfsuid(user->pw_uid);
  }
  ~AsPlainUser() {
    if (!servers::is_root()) return;
    setfsuid(0);
    setfsgid(0);
  }
  AsPlainUser(const AsPlainUser&) = delete;
  AsPlainUser& operator=(const AsPlainUser&) = delete;
};

class PlainHost final : public providers::PolicyHost {
 public:
  explicit PlainHost(std::unique_ptr<PolicyHost> host) : host_(std::move(host)) {}
  std::vector<Result<Body>> read(const std::vector<dns::Name>& domains,
                                 const providers::Watch& watch) override {
    const AsPlainUser user;
    return host_->read(domains, watch);
  }
  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const providers::Watch& watch) override {
    const AsPlainUser user;
    return host_->write(edits, watch);
  }
  std::optional<plan::Address> address(const dns::Name& domain) const override {
    return host_->address(domain);
  }

 private:
  std::unique_ptr<PolicyHost> host_;
};

class DirectoryWorld final : public FilesWorld {
 public:
  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& /*access*/,
                                                      const io::Services& services) override {
    Settings settings;
    settings.set("root", root(), "");
    settings.set("path", path_template(), "");
    auto host = providers::directory::kind().make(settings, services);
    if (!host) return host;
    return std::make_unique<PlainHost>(std::move(*host));
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
