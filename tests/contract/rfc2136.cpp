#include "rfc2136.h"

#include <nlohmann/json.hpp>

#include "emulated_world.h"
#include "providers/rfc2136/rfc2136.h"
#include "server_eyes.h"

namespace stsctl::contract {
namespace {

using servers::NameServer;
using servers::TsigKey;

constexpr int servfail = 2;
constexpr int refused = 5;

TsigKey wrong_key() {
  TsigKey key = servers::writer_key();
  key.secret = "d3Jvbmcgc2VjcmV0IG9mIG5vIHdvcnRoIHdoYXRldmVyIQ==";
  return key;
}

class Rfc2136World final : public EmulatedWorld {
 public:
  explicit Rfc2136World(StartServer program) : start_(program) {}

  void start(const std::vector<ZoneSeed>& zones) override {
    if (server_ && !server_->api().empty()) {
      servers::refill_powerdns(*server_, zones);
    } else if (!server_ || zones != zones_ || server_->soas(zones) != soas_) {
      // Only a server whose zones were changed is started anew.
      server_ = start_(zones, servers::ServerClock::right);
      zones_ = zones;
      soas_ = server_->soas(zones);
    }
    if (!proxy_) proxy_ = std::make_unique<servers::Emulator>("dns_proxy.py");
    proxy_->load(nlohmann::json{{"upstream", server_->port()}}.dump());
    port_ = nlohmann::json::parse(proxy_->dump()).at("port");
    heal();
    forget();
  }

  Result<std::unique_ptr<providers::DnsProvider>> open(const Access& access,
                                                       const io::Services& services) override {
    const TsigKey key = access.credentials == Credentials::good        ? servers::writer_key()
                        : access.credentials == Credentials::read_only ? servers::reader_key()
                                                                       : wrong_key();
    Settings settings;
    settings.set("server", std::string("127.0.0.1"), "");
    settings.set("port", port_, "");
    settings.set("timeout", access.timeout.count(), "");
    settings.set("key.name", key.name, "");
    settings.set("key.algorithm", key.algorithm, "");
    settings.set("key.secret", key.secret, "");
    return providers::rfc2136::kind().make(settings, services);
  }

  std::vector<Seen> look(const std::string& zone) override {
    return contract::look(*server_, zone);
  }
  std::uint64_t version(const std::string& zone) override { return serial(*server_, zone); }
  void change(const std::string& zone, const std::string& owner, const std::string& type,
              const std::vector<std::string>& lines) override {
    contract::change(*server_, zone, owner, type, lines);
  }

  std::vector<std::string> secrets() const override {
    return {servers::writer_key().secret, servers::reader_key().secret, wrong_key().secret};
  }

 protected:
  const servers::Emulator& emulator() const override { return *proxy_; }
  Filter writes(const std::string& zone) const override { return {"UPDATE", path_of(zone)}; }
  Filter reads(const std::string& zone) const override { return {"QUERY", path_of(zone)}; }

  Answer answer(Trouble trouble) const override {
    if (trouble == Trouble::malformed) return {servfail, "no DNS at all"};
    return {trouble == Trouble::forbidden ? refused : servfail};
  }

 private:
  // Of a name in the zone.
  static std::string path_of(const std::string& zone) {
    return zone.empty() ? "" : "[/.]" + zone + "[?]";
  }

  StartServer start_;
  std::vector<ZoneSeed> zones_;
  std::vector<std::string> soas_;  // as the server began
  std::unique_ptr<NameServer> server_;
  std::unique_ptr<servers::Emulator> proxy_;
  std::int64_t port_ = 0;
};

}  // namespace

bool add_rfc2136_world(const std::string& server, StartServer program,
                       std::map<Need, std::string> lacks) {
  return add_world({
      .name = "rfc2136_" + server,
      .make = [program] { return std::make_unique<Rfc2136World>(program); },
      .lacks = std::move(lacks),
      .spared = {{Trouble::unauthorized,
                  "DNS has one refusal for all; a wrong key is tried itself"},
                 {Trouble::gone, "a server that lost a zone refuses: forbidden"},
                 {Trouble::too_many, "DNS over TCP has no such answer"},
                 {Trouble::moved, "DNS has no redirects"},
                 {Trouble::overloaded, "SERVFAIL is the answer of every server in need: failing"},
                 {Trouble::echo, "an answer holds no text"}},
  });
}

}  // namespace stsctl::contract
