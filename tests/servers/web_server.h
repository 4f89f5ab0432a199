#pragma once
// The web servers of Debian, over a folder: Apache and nginx as WebDAV servers, nginx as the web
// server of policies. All by TLS, as servers::plain_user().

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "servers/running.h"
#include "servers/test_ca.h"

namespace stsctl::servers {

/// What opens the WebDAV servers.
std::string dav_user();
std::string dav_password();
std::string dav_token();

class WebServer {
 public:
  virtual ~WebServer() = default;
  std::uint16_t port() const { return port_; }
  std::string log() const;
  /// The requests answered so far: "PUT /a/b 201".
  std::vector<std::string> requests() const;

 protected:
  WebServer() : port_(free_port()) {}
  void start(const std::vector<std::string>& argv);
  const Folder& folder() const { return folder_; }

 private:
  Folder folder_;
  std::uint16_t port_;
  std::unique_ptr<Running> running_;
};

/// mod_dav over `root`, with the compression of text that Debian switches on.
std::unique_ptr<WebServer> start_apache_dav(const std::string& root, const TestCa& ca);

/// What an nginx does.
enum class NginxRole {
  dav,    ///< WebDAV, with the module dav-ext.
  put,    ///< PUT and DELETE alone; makes missing folders.
  site,   ///< Serves ROOT/HOST for every HOST; the certificate is for `names`.
  front,  ///< The same, where ROOT is a base URL that it passes requests on to.
};
std::unique_ptr<WebServer> start_nginx(NginxRole role, const std::string& root, const TestCa& ca,
                                       const std::string& names = "DNS:localhost,IP:127.0.0.1");

}  // namespace stsctl::servers
