// serve: the web server built in, in this process, and the folder it serves from, behind a wire
// that can be cut. A reload is a call.

#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "fakes/fake_process.h"
#include "host_files.h"
#include "io/curl_http.h"
#include "providers/serve/serve.h"
#include "serve/server.h"
#include "servers/running.h"

namespace stsctl::contract {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_file = std::size_t{4} << 20U;

class ServeWorld final : public FilesWorld {
 public:
  ServeWorld() {
    process_.work = [this] { reload(); };
    auto opened = serve::Server::open({.listeners = {{.address = {.host = "127.0.0.1"}}},
                                       .threads = 2,
                                       .clock = *clock_,
                                       .log = log_},
                                      std::make_shared<serve::Policies>());
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    server_ = std::move(*opened);
    server_->start();
    const std::string url = server_->urls().front();
    port_ = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
  }

  void start(Layout layout) override {
    FilesWorld::start(layout);
    reload();
    wire_ = std::make_unique<servers::Relay>(port_);
  }

  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                      const io::Services& services) override {
    Settings settings;
    settings.set("endpoint", fmt::format("http://127.0.0.1:{}", wire_->port()), "");
    settings.set("root", root(), "");
    settings.set("path", path_template(), "");
    settings.set("reload", Settings::List{"reload"}, "");
    settings.set("timeout", access.timeout.count(), "");
    auto host = providers::serve::kind().make(settings, {.files = services.files,
                                                         .process = process_,
                                                         .clock = services.clock,
                                                         .dns = services.dns,
                                                         .http = services.http,
                                                         .log = services.log,
                                                         .stop = services.stop,
                                                         .env = services.env});
    if (!host) return host;
    return as_plain_user(std::move(*host));
  }

  // What is served, not what lies in the folder.
  std::optional<std::string> stored(const std::string& domain) override {
    io::Request request = io::get(fmt::format("http://127.0.0.1:{}/.well-known/mta-sts.txt", port_),
                                  {{"Host", "mta-sts." + domain}});
    const auto reply = http_->send(request);
    if (!reply) throw std::runtime_error(to_string(reply.error()));
    if (reply->status == 500) return FilesWorld::stored(domain);  // the server may not read it
    return reply->status == 200 ? std::optional(reply->body) : std::nullopt;
  }

  void put(const std::string& domain, const std::string& body) override {
    FilesWorld::put(domain, body);
    reload();
  }
  void drop(const std::string& domain) override {
    FilesWorld::drop(domain);
    reload();
  }
  void put_folder(const std::string& domain) override {
    FilesWorld::put_folder(domain);
    reload();
  }
  void forbid_reading(const std::string& domain) override {
    FilesWorld::forbid_reading(domain);
    reload();
  }
  servers::Relay& wire() override { return *wire_; }

 private:
  // Reads every policy below the root, as the command does those of its configuration.
  void reload() {
    const AsPlainUser user;
    auto policies = std::make_shared<serve::Policies>();
    const std::string pattern = root() + "/" + path_template();
    const std::size_t at = pattern.find("{domain}");
    const std::string before = pattern.substr(0, at);
    const std::string after = pattern.substr(at + 8);
    for (const fs::directory_entry& entry :
         fs::directory_iterator(fs::path(before).parent_path())) {
      std::string domain = entry.path().string().substr(before.size());
      if (after.starts_with(".")) domain.resize(domain.size() - after.size());
      const auto body = files_->read(before + domain + after, longest_file);
      if (body)
        policies->set(*dns::Name::parse(domain), *body);
      else if (body.error().code != Code::not_found)
        policies->set_unknown(*dns::Name::parse(domain));
    }
    server_->set_policies(std::move(policies));
  }

  std::unique_ptr<io::Files> files_ = io::real_files();
  std::unique_ptr<io::Clock> clock_ = io::real_clock();
  std::unique_ptr<io::Http> http_ = io::real_http();
  std::ostringstream said_;
  io::Log log_{said_};
  fakes::FakeProcess process_;
  std::uint16_t port_ = 0;
  std::unique_ptr<serve::Server> server_;
  std::unique_ptr<servers::Relay> wire_;
};

const bool added = add_host_world({
    .name = "serve",
    .make = [] { return std::make_unique<ServeWorld>(); },
    .lacks = lacks({{HostNeed::credentials, "policies are for everybody to read"}}),
});

}  // namespace
}  // namespace stsctl::contract
