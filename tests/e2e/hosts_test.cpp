// The program publishes to each policy host; the policy is fetched back as a mail sender does it,
// from a web server over the same files, in front of the same store or over what is deployed, or
// from the host itself, by a client that verifies the certificate.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/process.h"
#include "servers/cloudflare_emulator.h"
#include "servers/emulator.h"
#include "servers/github.h"
#include "servers/sshd.h"
#include "servers/swift.h"
#include "servers/web_server.h"
#include "servers/workerd.h"

namespace stsctl {
namespace {

namespace fs = std::filesystem;
using servers::NginxRole;
using testing::HasSubstr;
using testing::Not;

constexpr const char* aws_secret = "aws-secret-of-no-worth";

constexpr const char* zone =
    "$TTL 1h\n@ IN SOA ns1 hostmaster 1 1d 2h 4w 5m\n@ NS ns1\n@ MX 10 mail\nns1 A 192.0.2.1\n"
    "mail A 192.0.2.25\n";

std::string policy(const std::string& domain, const std::string& mode) {
  return fmt::format("version: STSv1\r\nmode: {}\r\nmx: mail.{}\r\nmax_age: 86400\r\n", mode,
                     domain);
}

constexpr const char* github_token = "ghp_token-of-no-worth";
constexpr const char* site_names = "DNS:mta-sts.example.com,DNS:mta-sts.example.org";
constexpr const char* address = ", address: {cname: web.example.net}";

// A server that takes policies into `root`, or stores them behind `url`, or serves them itself;
// what `hosts:` says of it.
struct Host {
  std::string entry;
  std::shared_ptr<void> server = nullptr;
  std::string url = {};
  std::uint16_t port = 0;  // 0: a web server over `root`, or in front of `url`, serves them
  std::function<void()> deploy = [] {};  // Brings them into `root` where the server does not.
};

struct HostKind {
  std::string name;
  std::function<Host(const std::string& root, const servers::TestCa& ca)> start;
};

void PrintTo(const HostKind& kind, std::ostream* out) {
  *out << kind.name;
}

Host start_sftp(const std::string& root, const servers::TestCa& /*ca*/) {
  const auto sshd = std::make_shared<servers::Sshd>();
  return {fmt::format("provider: sftp, host: 127.0.0.1, port: {}, user: {}, identity: {}, "
                      "known_hosts: {}, root: {}{}",
                      sshd->port(), servers::plain_user(), sshd->key(), sshd->known_hosts(), root,
                      address),
          sshd};
}

Host dav(const char* provider, std::shared_ptr<servers::WebServer> server,
         const servers::TestCa& ca) {
  return {fmt::format("provider: {}, url: \"https://localhost:{}/mta-sts.{{domain}}/.well-known/"
                      "mta-sts.txt\", user: {}, password: \"${{env:DAV_PASSWORD}}\", ca_file: {}{}",
                      provider, server->port(), servers::dav_user(), ca.file(), address),
          server};
}

void use_keys(const std::string& access_key, const std::string& secret_key) {
  setenv("AWS_ACCESS_KEY_ID", access_key.c_str(), 1);
  setenv("AWS_SECRET_ACCESS_KEY", secret_key.c_str(), 1);
}

// A bucket that everybody may read, behind CloudFront as far as the host knows.
Host start_s3(const std::string& /*root*/, const servers::TestCa& /*ca*/) {
  const std::string identity = fmt::format(
      R"("identity": {{"keys": [{{"access_key": "AKIATEST", "secret_key": "{}"}}]}})", aws_secret);
  const auto store = std::make_shared<servers::Emulator>("s3.py");
  store->load(R"({"buckets": {"policies": {"public": true}}, )" + identity + "}");
  const auto edges = std::make_shared<servers::Emulator>("cloudfront.py");
  edges->load(R"({"distributions": ["E2QWRUHAPOMQZL"], "polls": 0, )" + identity + "}");
  use_keys("AKIATEST", aws_secret);
  return {fmt::format("provider: s3, bucket: policies, region: us-east-1, endpoint: \"{}\", "
                      "distribution: E2QWRUHAPOMQZL, cloudfront_endpoint: \"{}\"{}",
                      store->url(), edges->url(), address),
          std::make_shared<std::pair<decltype(store), decltype(edges)>>(store, edges),
          store->url() + "/policies"};
}

Host start_swift(const std::string& /*root*/, const servers::TestCa& /*ca*/) {
  const auto store = std::make_shared<servers::Swift>();
  store->make_bucket("policies");
  use_keys(servers::swift_access_key(), servers::swift_secret_key());
  const std::string url = fmt::format("http://127.0.0.1:{}", store->port());
  return {fmt::format("provider: s3, bucket: policies, region: us-east-1, endpoint: \"{}\"{}", url,
                      address),
          store, url + "/v1/AUTH_test/policies"};
}

// The API, and the runtime of Workers with the script that the API is given.
Host start_workers(const std::string& /*root*/, const servers::TestCa& ca) {
  constexpr const char* account = "0123456789abcdef0123456789abcdef";
  struct Cloudflare {
    servers::CloudflareEmulator api;
    std::unique_ptr<servers::Workerd> edge;
  };
  const auto cloudflare = std::make_shared<Cloudflare>();
  cloudflare->api.load(fmt::format(
      R"({{"accounts": [{{"id": "{}", "name": "Example"}}], "tokens": [{{"value": "{}"}}],
          "zones": [{{"name": "example.com"}}, {{"name": "example.org"}}]}})",
      account, servers::cloudflare_token));
  cloudflare->edge = std::make_unique<servers::Workerd>(
      cloudflare->api.port(), account, servers::cloudflare_token, ca.issue(site_names));
  setenv("CLOUDFLARE_API_TOKEN", servers::cloudflare_token, 1);
  return {fmt::format("provider: cloudflare-workers, endpoint: \"{}\", account: \"{}\", "
                      "token: \"${{env:CLOUDFLARE_API_TOKEN}}\"",
                      cloudflare->api.endpoint(), account),
          cloudflare,
          {},
          cloudflare->edge->port()};
}

// A GitHub with empty repositories.
std::shared_ptr<servers::GitHub> start_github(const servers::TestCa& ca,
                                              const std::string& repositories) {
  const auto github = std::make_shared<servers::GitHub>(ca, std::vector<std::string>{});
  github->emulator().load(fmt::format(
      R"({{"tokens": {{"{}": {{"login": "mail", "permissions": {{"contents": "write", "pages": "read"}}}}}},)"
      R"("repositories": {}}})",
      github_token, repositories));
  return github;
}

std::string github_entry(const servers::GitHub& github, const servers::TestCa& ca,
                         const std::string& more) {
  return fmt::format(
      "provider: github, endpoint: \"{}\", token: \"${{env:GITHUB_TOKEN}}\", ca_file: "
      "{}, write_interval: 0s, edge_delay: 0s, {}{}",
      github.url(), ca.file(), more, address);
}

void clone(const servers::GitHub& github, const std::string& repository, const std::string& to) {
  fs::remove_all(to);
  servers::run({"git", "clone", "-q", github.git_folder(repository), to});
}

// What Pages does: a site has the name that CNAME says, and Jekyll leaves out what begins with a
// dot.
Host start_github_pages(const std::string& root, const servers::TestCa& ca) {
  const std::vector<std::string> sites{"mail/mta-sts-example.com", "mail/mta-sts-example.org"};
  const auto github = start_github(
      ca,
      fmt::format(R"({{"{}": {{"pages": {{}}}}, "{}": {{"pages": {{}}}}}})", sites[0], sites[1]));
  return {github_entry(*github, ca, "repository: \"mail/mta-sts-{domain}\""),
          github,
          {},
          0,
          [github, sites, root] {
            for (const std::string& site : sites) {
              std::string name = github->file(site, "CNAME").value_or("nobody\n");
              name.pop_back();
              clone(*github, site, root + "/" + name);
              if (!github->file(site, ".nojekyll"))
                fs::remove_all(fmt::format("{}/{}/.well-known", root, name));
            }
          }};
}

Host start_github_repository(const std::string& root, const servers::TestCa& ca) {
  const auto github = start_github(ca, R"({"mail/policies": {}})");
  return {github_entry(*github, ca, "layout: repository, repository: mail/policies"),
          github,
          {},
          0,
          [github, root] { clone(*github, "mail/policies", root); }};
}

const std::vector<HostKind>& host_kinds() {
  static const std::vector<HostKind> kinds{
      {"directory",
       [](const std::string& root, const servers::TestCa&) {
         return Host{"provider: directory, root: " + root + address, nullptr};
       }},
      {"github_pages", start_github_pages},
      {"github_repository", start_github_repository},
      {"sftp", start_sftp},
      {"webdav_apache",
       [](const std::string& root, const servers::TestCa& ca) {
         return dav("webdav", servers::start_apache_dav(root, ca), ca);
       }},
      {"webdav_nginx",
       [](const std::string& root, const servers::TestCa& ca) {
         return dav("webdav", servers::start_nginx(NginxRole::dav, root, ca), ca);
       }},
      {"http_put",
       [](const std::string& root, const servers::TestCa& ca) {
         return dav("http-put", servers::start_nginx(NginxRole::put, root, ca), ca);
       }},
      {"s3", start_s3},
      {"s3_swift", start_swift},
      {"cloudflare_workers", start_workers},
  };
  return kinds;
}

class Publishing : public testing::TestWithParam<HostKind> {
 protected:
  Publishing() {
    fs::create_directory(root());
    servers::give_to_plain_user(root());
    fs::create_directory(folder_.file("zones"));
    for (const char* const domain : {"example.com", "example.org"})
      std::ofstream(folder_.file(fmt::format("zones/{}.zone", domain))) << zone;
    host_ = GetParam().start(root(), ca_);
    const bool in_front = !host_.url.empty();
    if (host_.port == 0)
      site_ = servers::start_nginx(in_front ? NginxRole::front : NginxRole::site,
                                   in_front ? host_.url : root(), ca_, site_names);
    setenv("DAV_PASSWORD", servers::dav_password().c_str(), 1);
    setenv("GITHUB_TOKEN", github_token, 1);
  }

  std::string root() const { return folder_.file("www"); }

  void configure(const std::string& mode) const {
    folder_.write(
        "stsctl.yaml",
        fmt::format("version: 1\ndns:\n  files: {{provider: zonefile, directory: zones}}\n"
                    "hosts:\n  web: {{{}}}\n"
                    "defaults: {{dns: files, host: web, tlsrpt: {{rua: "
                    "[\"mailto:tls@example.net\"]}}}}\ndomains:\n"
                    "  example.com: {{policy: {{mode: {}, max_age: 1d, mx: "
                    "[mail.example.com]}}}}\n"
                    "  example.org: {{policy: {{mode: {}, max_age: 1d, mx: "
                    "[mail.example.org]}}}}\n",
                    host_.entry, mode, mode));
  }

  io::Exit stsctl(std::vector<std::string> words) const {
    words.insert(words.begin(),
                 {STSCTL_BINARY, "--config", folder_.file("stsctl.yaml"), "--resolver", "none"});
    const auto exit = io::real_process()->run(words, {}, std::chrono::seconds(120));
    if (!exit) throw std::runtime_error(to_string(exit.error()));
    for (const std::string& secret :
         {servers::dav_password(), servers::swift_secret_key(), std::string(aws_secret),
          std::string(servers::cloudflare_token), std::string(github_token)})
      EXPECT_THAT(exit->output + exit->errors, Not(HasSubstr(secret)));
    return *exit;
  }

  // Head and body of the answer, as curl gets it once the certificate is verified.
  std::string fetch(const std::string& domain, const std::string& ca_file) const {
    const std::string name = "mta-sts." + domain;
    const std::uint16_t port = site_ ? site_->port() : host_.port;
    const auto exit =
        io::real_process()->run({"curl", "-sS", "-i", "--http1.1", "--cacert", ca_file, "--resolve",
                                 fmt::format("{}:{}:127.0.0.1", name, port),
                                 fmt::format("https://{}:{}/.well-known/mta-sts.txt", name, port)},
                                {}, std::chrono::seconds(60));
    if (!exit) throw std::runtime_error(to_string(exit.error()));
    return exit->status == 0 ? exit->output : exit->errors;
  }

  void expect_served(const std::string& mode) const {
    for (const std::string domain : {"example.com", "example.org"}) {
      const std::string answer = fetch(domain, ca_.file());
      EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK"));
      EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain"));
      // A store sends what the host stored along; a web server over files says it by itself.
      if (!host_.url.empty()) EXPECT_THAT(answer, HasSubstr("Cache-Control: max-age=300"));
      EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), policy(domain, mode));
    }
  }

  servers::Folder folder_;
  servers::TestCa ca_;
  Host host_;
  std::unique_ptr<servers::WebServer> site_;
};

TEST_P(Publishing, PutsPoliciesWhereSendersFetchThem) {
  for (const char* const mode : {"testing", "enforce"}) {
    configure(mode);
    EXPECT_EQ(stsctl({"plan", "--detailed-exitcode"}).status, 2);  // there are changes
    const io::Exit applied = stsctl({"apply", "--yes"});
    ASSERT_EQ(applied.status, 0) << applied.output << applied.errors;
    host_.deploy();
    expect_served(mode);
    const io::Exit again = stsctl({"plan", "--detailed-exitcode"});
    EXPECT_EQ(again.status, 0) << again.output << again.errors;
  }
  const servers::TestCa other;
  EXPECT_THAT(fetch("example.com", other.file()), HasSubstr("certificate"));  // it does verify
}

INSTANTIATE_TEST_SUITE_P(Hosts, Publishing, testing::ValuesIn(host_kinds()),
                         [](const auto& entry) { return entry.param.name; });

}  // namespace
}  // namespace stsctl
