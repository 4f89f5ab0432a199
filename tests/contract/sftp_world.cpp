// sftp: Debian's sshd with internal-sftp, behind a wire that can be cut.

#include <fstream>

#include "host_files.h"
#include "providers/sftp/sftp.h"
#include "servers/sshd.h"

namespace stsctl::contract {
namespace {

// A line of a private key file that nobody else has.
std::string key_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  for (int i = 0; i < 4; ++i)
    std::getline(in, line);
  return line;
}

class SftpWorld final : public FilesWorld {
 public:
  void start(Layout layout) override {
    FilesWorld::start(layout);
    wire_ = std::make_unique<servers::Relay>(sshd_.port());
  }

  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                      const io::Services& services) override {
    Settings settings;
    settings.set("host", std::string("127.0.0.1"), "");
    settings.set("port", std::int64_t{wire_->port()}, "");
    settings.set("user", servers::plain_user(), "");
    settings.set("identity", access.good_credentials ? sshd_.key() : sshd_.other_key(), "");
    settings.set("known_hosts", sshd_.known_hosts(wire_->port()), "");
    settings.set("root", root(), "");
    settings.set("path", path_template(), "");
    settings.set("timeout", access.timeout.count(), "");
    return providers::sftp::kind().make(settings, services);
  }

  std::vector<std::string> secrets() const override {
    return {key_line(sshd_.key()), key_line(sshd_.other_key())};
  }
  servers::Relay& wire() override { return *wire_; }

 private:
  servers::Sshd sshd_;
  std::unique_ptr<servers::Relay> wire_;
};

const bool added = add_host_world({
    .name = "sftp",
    .make = [] { return std::make_unique<SftpWorld>(); },
    .lacks = lacks({}),
});

}  // namespace
}  // namespace stsctl::contract
