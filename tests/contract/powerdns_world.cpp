// powerdns: the real server of Debian, its HTTP API behind proxy.py.

#include "emulated_world.h"
#include "providers/powerdns/powerdns.h"
#include "server_eyes.h"

namespace stsctl::contract {
namespace {

constexpr const char* wrong_key = "wrong-api-key-of-no-worth";

class PowerDnsWorld final : public EmulatedWorld {
 public:
  void start(const std::vector<ZoneSeed>& zones) override {
    if (server_) {
      servers::refill_powerdns(*server_, zones);
    } else {
      server_ = servers::start_powerdns(zones);
      proxy_ = std::make_unique<servers::Emulator>(
          "proxy.py", std::vector<std::string>{"--upstream", server_->api()});
    }
    heal();
    forget();
  }

  Result<std::unique_ptr<providers::DnsProvider>> open(const Access& access,
                                                       const io::Services& services) override {
    Settings settings;
    settings.set("endpoint", proxy_->url(), "");
    settings.set("api_key",
                 access.credentials == Credentials::good ? servers::api_key() : wrong_key, "");
    settings.set("timeout", access.timeout.count(), "");
    return providers::powerdns::kind().make(settings, services);
  }

  std::vector<Seen> look(const std::string& zone) override {
    return contract::look(*server_, zone);
  }
  std::uint64_t version(const std::string& zone) override { return serial(*server_, zone); }
  void change(const std::string& zone, const std::string& owner, const std::string& type,
              const std::vector<std::string>& lines) override {
    contract::change(*server_, zone, owner, type, lines);
  }

  std::vector<std::string> secrets() const override { return {servers::api_key(), wrong_key}; }

 protected:
  const servers::Emulator& emulator() const override { return *proxy_; }
  Filter writes(const std::string& zone) const override { return {"PATCH", path_of(zone)}; }
  Filter reads(const std::string& zone) const override { return {"GET", path_of(zone)}; }

  // 401 to 409 are plain text there, 422 and 500 JSON.
  Answer answer(Trouble trouble) const override {
    switch (trouble) {
      case Trouble::echo:
        return {401, "Unauthorized: " + servers::api_key()};
      case Trouble::failing:
        return {500, R"({"error": "Could not start transaction"})"};
      case Trouble::malformed:
        return {200, R"([{"zone": )"};
      case Trouble::too_many:
        return {429, "Too many requests", {{"Retry-After", "1"}}};
      default:
        return {http_status(trouble), "No"};
    }
  }

 private:
  static std::string path_of(const std::string& zone) {
    return zone.empty() ? "" : "/zones/" + zone + "[.]";
  }

  std::unique_ptr<servers::NameServer> server_;
  std::unique_ptr<servers::Emulator> proxy_;
};

const bool added = add_world({
    .name = "powerdns",
    .make = [] { return std::make_unique<PowerDnsWorld>(); },
    .lacks = {{Need::limited_credentials, "the API key opens the whole server"}},
    .plan_requests = [](std::size_t) { return std::size_t{5}; },
});

}  // namespace
}  // namespace stsctl::contract
