#include "servers/web_server.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "base/digest.h"
#include "servers/sshd.h"

namespace stsctl::servers {

namespace {

constexpr const char* log_format = "%m %U %>s";

std::string hash_of_password() {
  std::string hash = run({"openssl", "passwd", "-apr1", "-stdin"}, dav_password() + "\n");
  while (hash.ends_with('\n'))
    hash.pop_back();
  return hash;
}

class Apache final : public WebServer {
 public:
  Apache(const std::string& root, const TestCa& ca) {
    const TestCa::Pair pair = ca.issue("DNS:localhost,IP:127.0.0.1");
    const std::string users = folder().write("users", dav_user() + ":" + hash_of_password() + "\n");
    std::string conf = fmt::format(
        "ServerRoot {0}\nServerName localhost\nListen 127.0.0.1:{1}\nPidFile {0}/pid\n"
        "ErrorLog {0}/log\nLogFormat \"{2}\" short\nDefaultRuntimeDir {0}\nMutex file:{0}\n",
        folder().path(), port(), log_format);
    for (const char* const module :
         {"mpm_event", "authz_core", "authn_core", "authn_file", "authz_user", "auth_basic", "dav",
          "dav_fs", "dir", "mime", "ssl", "deflate", "filter"})
      conf += fmt::format("LoadModule {0}_module /usr/lib/apache2/modules/mod_{0}.so\n", module);
    conf += fmt::format(
        "CustomLog {0}/requests short\nTypesConfig /dev/null\nAddType text/plain .txt\n"
        "DavLockDB {0}/locks\nDocumentRoot {1}\n"
        "SSLEngine on\nSSLCertificateFile {2}\nSSLCertificateKeyFile {3}\n"
        "<Directory {1}>\n  Dav On\n  AddOutputFilterByType DEFLATE text/plain\n"
        "  AuthType Basic\n  AuthName policies\n  AuthUserFile {4}\n  <RequireAny>\n"
        "    Require valid-user\n    Require expr \"%{{HTTP:Authorization}} == 'Bearer {5}'\"\n"
        "  </RequireAny>\n</Directory>\n",
        folder().path(), root, pair.certificate, pair.key, users, dav_token());
    // One process, so that it ends with its id.
    give_to_plain_user(pair.key);
    start({"/usr/sbin/apache2", "-X", "-f", folder().write("httpd.conf", conf)});
  }
};

class Nginx final : public WebServer {
 public:
  Nginx(NginxRole role, const std::string& root, const TestCa& ca, const std::string& names) {
    const TestCa::Pair pair = ca.issue(names);
    give_to_plain_user(pair.key);
    const std::string users = folder().write("users", dav_user() + ":" + hash_of_password() + "\n");
    const std::string conf = fmt::format(
        "load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;\n"
        "daemon off;\nmaster_process off;\nerror_log {0}/log;\npid {0}/pid;\n"
        "events {{ worker_connections 512; }}\nhttp {{\n"
        "  log_format short '$request_method $uri $status';\n  access_log {0}/requests short;\n"
        "  client_body_temp_path {6};\n  proxy_temp_path {0}/proxy;\n"
        "  fastcgi_temp_path {0}/fastcgi;\n  uwsgi_temp_path {0}/uwsgi;\n"
        "  scgi_temp_path {0}/scgi;\n  types {{ text/plain txt; }}\n  gzip on;\n"
        "  gzip_types text/plain;\n  gzip_min_length 1;\n"
        "  map $http_authorization $realm {{ 'Bearer {1}' off; default policies; }}\n"
        "  server {{\n    listen 127.0.0.1:{2} ssl http2;\n    ssl_certificate {3};\n"
        "    ssl_certificate_key {4};\n{5}  }}\n}}\n",
        folder().path(), dav_token(), port(), pair.certificate, pair.key,
        location(role, root, users),
        // On the disk of the files: a rename puts a body into its place.
        role == NginxRole::front ? folder().file("body")
                                 : fmt::format("{}/../body-{}", root, port()));
    start({"/usr/sbin/nginx", "-c", folder().write("nginx.conf", conf), "-p", folder().path()});
  }

 private:
  static std::string location(NginxRole role, const std::string& root, const std::string& users) {
    if (role == NginxRole::site) return fmt::format("    location / {{ root {}/$host; }}\n", root);
    if (role == NginxRole::front)
      return fmt::format("    location / {{ proxy_pass {}/$host$request_uri; }}\n", root);
    const std::string methods =
        role == NginxRole::dav
            ? "dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS;"
            : "dav_methods PUT DELETE; create_full_put_path on;";
    return fmt::format(
        "    location / {{\n      root {};\n      auth_basic $realm;\n      auth_basic_user_file "
        "{};\n"
        "      {}\n      dav_access user:rw group:r all:r;\n      client_max_body_size 2m;\n    "
        "}}\n",
        root, users, methods);
  }
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::string dav_user() {
  return "policies";
}
std::string dav_password() {
  return "dav-password-of-no-worth";
}
std::string dav_token() {
  return "dav-token-of-no-worth";
}

void WebServer::start(const std::vector<std::string>& argv) {
  const std::string out = folder_.write("out", {});
  running_ = std::make_unique<Running>(as_plain_user(argv), out);
  if (!wait_until([&] { return accepts(port_) || !running_->alive(); }) || !running_->alive())
    throw std::runtime_error(argv.front() + " does not start: " + read_file(out) + log());
}

std::string WebServer::log() const {
  return read_file(folder_.file("log"));
}

std::vector<std::string> WebServer::requests() const {
  std::ifstream in(folder_.file("requests"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

std::unique_ptr<WebServer> start_apache_dav(const std::string& root, const TestCa& ca) {
  return std::make_unique<Apache>(root, ca);
}

std::unique_ptr<WebServer> start_nginx(NginxRole role, const std::string& root, const TestCa& ca,
                                       const std::string& names) {
  return std::make_unique<Nginx>(role, root, ca, names);
}

}  // namespace stsctl::servers
