// github: the emulator's real Git repositories, by TLS and behind a wire that can be cut. Once with
// a repository for each domain, which Pages serves, once with the policies of all in one
// repository.

#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host_world.h"
#include "providers/github/github.h"
#include "servers/github.h"
#include "servers/test_ca.h"

namespace stsctl::contract {
namespace {

using nlohmann::json;

constexpr const char* token = "ghp_token-of-no-worth";
constexpr const char* wrong_token = "ghp_wrong-one-of-no-worth";
constexpr const char* readme = "README.md";

const servers::TestCa& test_ca() {
  static const servers::TestCa ca;
  return ca;
}

class GitHubWorld : public HostWorld {
 public:
  /// `latency`: seconds before each answer.
  explicit GitHubWorld(const std::string& latency) : server_(test_ca(), {"--latency", latency}) {}

  void start(Layout layout) override {
    layout_ = layout;
    server_.emulator().clear_faults();
    json state = repositories();
    state["tokens"] = {{token, {{"login", "mail-team"}, {"scopes", {"public_repo"}}}}};
    server_.emulator().load(state.dump());
    const std::string& url = server_.url();
    wire_ = std::make_unique<servers::Relay>(
        static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1))));
  }

  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                      const io::Services& services) override {
    Settings settings;
    const std::string shown = access.good_credentials ? token : wrong_token;
    services.log.hide(shown);  // as for every secret that is configured
    settings.set("endpoint", fmt::format("https://localhost:{}", wire_->port()), "");
    settings.set("token", shown, "");
    settings.set("ca_file", test_ca().file(), "");
    settings.set("timeout", access.timeout.count(), "");
    settings.set("rate", "none", "");
    settings.set("write_interval", std::int64_t{0}, "");
    choose_layout(settings);
    return providers::github::kind().make(settings, services);
  }

  std::optional<std::string> stored(const std::string& domain) override {
    return server_.file(repository_of(domain), path_of(domain));
  }
  void put(const std::string& domain, const std::string& body) override {
    server_.commit(repository_of(domain), {{path_of(domain), body}});
  }
  void drop(const std::string& domain) override {
    server_.commit(repository_of(domain), {{path_of(domain), std::nullopt}});
  }
  void put_folder(const std::string& domain) override {
    server_.commit(repository_of(domain), {{path_of(domain) + "/file", "in a folder"}});
  }

  std::vector<std::string> secrets() const override { return {token, wrong_token}; }
  servers::Relay& wire() override { return *wire_; }

 protected:
  virtual json repositories() const = 0;
  virtual void choose_layout(Settings& settings) const = 0;
  virtual std::string repository_of(const std::string& domain) const = 0;
  virtual std::string path_of(const std::string& domain) const = 0;

  Layout layout() const { return layout_; }
  const servers::GitHub& server() const { return server_; }

 private:
  servers::GitHub server_;
  std::unique_ptr<servers::Relay> wire_;
  Layout layout_ = Layout::usual;
};

class PagesWorld final : public GitHubWorld {
 public:
  PagesWorld() : GitHubWorld("0") {}

  std::vector<std::string> leftovers(const std::vector<std::string>& domains) override {
    std::map<std::string, std::string> domain_of;
    for (const std::string& domain : domains)
      domain_of.emplace(repository_of(domain), domain);
    std::vector<std::string> others;
    for (const auto& [repository, files] : server().all_files())
      for (const auto& [path, content] : files) {
        const auto domain = domain_of.find(repository);
        const bool known = domain != domain_of.end();
        const bool expected =
            path == readme || (path == ".nojekyll" && content.empty()) ||
            (known && path == path_of(domain->second)) ||
            (known && path == "CNAME" && content == fmt::format("mta-sts.{}\n", domain->second));
        if (!expected) others.push_back(repository + ": " + path);
      }
    return others;
  }

  // GitHub answers as if the repository were not there.
  void forbid_reading(const std::string& domain) override { change(domain, "private"); }
  void forbid_writing(const std::string& domain) override { change(domain, "archived"); }

 protected:
  json repositories() const override {
    return {{"others", {{"name", "octocat/mta-sts-.*"}, {"pages", json::object()}}}};
  }
  void choose_layout(Settings& settings) const override {
    settings.set("repository", repository_of("{domain}"), "");
  }
  std::string repository_of(const std::string& domain) const override {
    return "octocat/mta-sts-" + domain;
  }
  std::string path_of(const std::string& /*domain*/) const override {
    return ".well-known/mta-sts.txt";
  }

 private:
  void change(const std::string& domain, const char* fact) const {
    const json change{{"repository", repository_of(domain)}, {fact, true}};
    server().emulator().load(json{{"change", change}}.dump());
  }
};

class RepositoryWorld final : public GitHubWorld {
 public:
  // As far away as GitHub is, so that what readers see meanwhile is seen often.
  RepositoryWorld() : GitHubWorld("0.02") {}

  std::vector<std::string> leftovers(const std::vector<std::string>& domains) override {
    std::map<std::string, std::string> files = server().files(repository_of(""));
    for (const std::string& domain : domains)
      files.erase(path_of(domain));
    files.erase(readme);
    std::vector<std::string> others;
    for (const auto& [path, content] : files)
      others.push_back(path);
    return others;
  }

 protected:
  json repositories() const override {
    return {{"repositories", {{repository_of(""), json::object()}}}};
  }
  void choose_layout(Settings& settings) const override {
    settings.set("layout", "repository", "");
    settings.set("repository", repository_of(""), "");
    settings.set("path", path_of("{domain}"), "");
  }
  std::string repository_of(const std::string& /*domain*/) const override {
    return "octocat/policies";
  }
  std::string path_of(const std::string& domain) const override {
    return layout() == Layout::flat ? fmt::format("policies/{}.txt", domain)
                                    : fmt::format("mta-sts.{}/.well-known/mta-sts.txt", domain);
  }
};

constexpr const char* endless = "the service has no end of room";

const bool pages = add_host_world({
    .name = "github_pages",
    .make = [] { return std::make_unique<PagesWorld>(); },
    .lacks = {{HostNeed::disk, endless}, {HostNeed::layouts, "Pages serves one path of a site"}},
    .fleet = 400,
    .hidden = {Code::not_found},
});

const bool repository = add_host_world({
    .name = "github_repository",
    .make = [] { return std::make_unique<RepositoryWorld>(); },
    .lacks = {{HostNeed::disk, endless},
              {HostNeed::permissions, "a token may do the same to all files of a repository"}},
    .together = true,
});

}  // namespace
}  // namespace stsctl::contract
