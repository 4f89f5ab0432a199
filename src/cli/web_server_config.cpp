#include "cli/web_server_config.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "sts/policy.h"

namespace stsctl::cli {

namespace {

constexpr std::string_view content_type = "text/plain; charset=utf-8";
// RFC 8461 §8.2, as `stsctl serve` does.
constexpr std::string_view cache_control = "max-age=60";

// Every other ASCII character means something inside quotes, or in a glob, to one of the servers.
bool is_literal(char c) {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("/._-+@=,:~ ").find(c) != std::string_view::npos;
}

Result<Done> check(const std::string& path) {
  if (std::ranges::all_of(path, is_literal)) return Done{};
  return fail(Code::unsupported, "web servers do not take this path literally", printable(path),
              "letters, digits, blanks and / . _ - + @ = , : ~ are safe");
}

std::string host_of(const PolicySite& site) {
  return site.domain.under("mta-sts").text();
}

std::string caddy_site(const PolicySite& site, std::uint16_t port) {
  const std::filesystem::path file(site.file);
  const std::string tls = site.certificate.empty()
                              ? ""
                              : fmt::format("\ttls \"{}\" \"{}\"\n", site.certificate, site.key);
  return fmt::format(R"(
https://{host}:{port} {{
{tls}	handle {path} {{
		root * "{folder}"
		rewrite * "/{name}"
		header Content-Type "{type}"
		header Cache-Control "{cache}"
		file_server
	}}
	handle {{
		respond 404
	}}
}}
)",
                     fmt::arg("host", host_of(site)), fmt::arg("port", port), fmt::arg("tls", tls),
                     fmt::arg("path", sts::policy_path),
                     fmt::arg("folder", file.parent_path().string()),
                     fmt::arg("name", file.filename().string()), fmt::arg("type", content_type),
                     fmt::arg("cache", cache_control));
}

// The first server block of a port also answers for names that no block has: hence the comparison.
std::string nginx_site(const PolicySite& site, std::uint16_t port) {
  return fmt::format(R"(
server {{
    listen {port} ssl;
    listen [::]:{port} ssl;
    server_name {host};
    ssl_certificate "{certificate}";
    ssl_certificate_key "{key}";
    ssl_protocols TLSv1.2 TLSv1.3;
    if ($host != {host}) {{
        return 404;
    }}
    location = {path} {{
        alias "{file}";
        types {{ }}
        default_type "{type}";
        add_header Cache-Control "{cache}";
    }}
    location / {{
        return 404;
    }}
}}
)",
                     fmt::arg("port", port), fmt::arg("host", host_of(site)),
                     fmt::arg("certificate", site.certificate), fmt::arg("key", site.key),
                     fmt::arg("path", sts::policy_path), fmt::arg("file", site.file),
                     fmt::arg("type", content_type), fmt::arg("cache", cache_control));
}

std::string with_escaped_dots(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '.' ? "\\." : std::string(1, c);
  return out;
}

// As with nginx, the first virtual host answers for unknown names too.
std::string apache_site(const PolicySite& site, std::uint16_t port) {
  const std::filesystem::path file(site.file);
  return fmt::format(R"conf(
<VirtualHost *:{port}>
    ServerName {host}
    SSLEngine on
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    SSLCertificateFile "{certificate}"
    SSLCertificateKeyFile "{key}"
    <If "%{{HTTP_HOST}} !~ /^{host_pattern}\.?(:\d+)?$/i">
        Redirect 404 /
    </If>
    RedirectMatch 404 "^(?!{path_pattern}$)"
    Alias "{path}" "{file}"
    <Directory "{folder}">
        AllowOverride None
        Require all granted
    </Directory>
    <Location "{path}">
        ForceType "{type}"
        <IfModule mod_headers.c>
            Header set Cache-Control "{cache}"
        </IfModule>
    </Location>
</VirtualHost>
)conf",
                     fmt::arg("port", port), fmt::arg("host", host_of(site)),
                     fmt::arg("host_pattern", with_escaped_dots(host_of(site))),
                     fmt::arg("certificate", site.certificate), fmt::arg("key", site.key),
                     fmt::arg("path", sts::policy_path),
                     fmt::arg("path_pattern", with_escaped_dots(std::string(sts::policy_path))),
                     fmt::arg("file", site.file), fmt::arg("folder", file.parent_path().string()),
                     fmt::arg("type", content_type), fmt::arg("cache", cache_control));
}

std::string heading(WebServer server) {
  switch (server) {
    case WebServer::caddy:
      return "# Caddyfile made by 'stsctl render --format caddy'; make it anew after changes.\n";
    case WebServer::nginx:
      return "# Made by 'stsctl render --format nginx'; make it anew after changes.\n"
             "# For the http block; many domains need a larger server_names_hash_max_size.\n";
    case WebServer::apache:
      return "# Made by 'stsctl render --format apache'; make it anew after changes.\n"
             "# Needs mod_ssl, mod_alias and mod_headers, and a Listen for the port.\n";
  }
  return {};
}

}  // namespace

Result<std::string> web_server_config(WebServer server, const std::vector<PolicySite>& sites,
                                      std::uint16_t port) {
  std::string text = heading(server);
  for (const PolicySite& site : sites) {
    for (const std::string* path : {&site.file, &site.certificate, &site.key})
      if (const auto good = check(*path); !good) return fail(good);
    text += server == WebServer::caddy   ? caddy_site(site, port)
            : server == WebServer::nginx ? nginx_site(site, port)
                                         : apache_site(site, port);
  }
  return text;
}

}  // namespace stsctl::cli
