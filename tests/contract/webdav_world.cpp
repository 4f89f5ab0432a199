// webdav: Apache's mod_dav and nginx's, which differ; http-put: nginx that takes PUT and DELETE.
// Each by TLS, behind a wire that can be cut.

#include <fmt/format.h>

#include "base/digest.h"
#include "host_files.h"
#include "providers/webdav/webdav.h"
#include "servers/web_server.h"

namespace stsctl::contract {
namespace {

constexpr const char* wrong_password = "wrong-password-of-no-worth";

const servers::TestCa& test_ca() {
  static const servers::TestCa ca;
  return ca;
}

class WebDavWorld final : public FilesWorld {
 public:
  using Start = std::unique_ptr<servers::WebServer> (*)(const std::string& root);

  WebDavWorld(providers::HostKind host, Start start_server)
      : host_(std::move(host)), server_(start_server(root())) {}

  void start(Layout layout) override {
    FilesWorld::start(layout);
    wire_ = std::make_unique<servers::Relay>(server_->port());
  }

  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                      const io::Services& services) override {
    Settings settings;
    const std::string password = access.good_credentials ? servers::dav_password() : wrong_password;
    services.log.hide(password);  // as for every secret that is configured
    settings.set("url", fmt::format("https://localhost:{}/{}", wire_->port(), path_template()), "");
    settings.set("user", servers::dav_user(), "");
    settings.set("password", password, "");
    settings.set("ca_file", test_ca().file(), "");
    settings.set("timeout", access.timeout.count(), "");
    return host_.make(settings, services);
  }

  std::vector<std::string> secrets() const override {
    return {servers::dav_password(), wrong_password,
            base64(servers::dav_user() + ":" + servers::dav_password()),
            base64(servers::dav_user() + ":" + wrong_password)};
  }
  servers::Relay& wire() override { return *wire_; }

 private:
  providers::HostKind host_;
  std::unique_ptr<servers::WebServer> server_;
  std::unique_ptr<servers::Relay> wire_;
};

const bool apache = add_host_world({
    .name = "webdav_apache",
    .make =
        [] {
          return std::make_unique<WebDavWorld>(
              providers::webdav::kind(),
              [](const std::string& root) { return servers::start_apache_dav(root, test_ca()); });
        },
    .lacks = lacks({}),
});

const bool nginx = add_host_world({
    .name = "webdav_nginx",
    .make =
        [] {
          return std::make_unique<WebDavWorld>(
              providers::webdav::kind(), [](const std::string& root) {
                return servers::start_nginx(servers::NginxRole::dav, root, test_ca());
              });
        },
    .lacks = lacks({}),
});

const bool put = add_host_world({
    .name = "webdav_put",
    .make =
        [] {
          return std::make_unique<WebDavWorld>(
              providers::webdav::put_kind(), [](const std::string& root) {
                return servers::start_nginx(servers::NginxRole::put, root, test_ca());
              });
        },
    .lacks = lacks({}),
});

}  // namespace
}  // namespace stsctl::contract
