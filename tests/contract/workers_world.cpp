// cloudflare-workers: the emulator of the API, behind a wire that can be cut; what is stored is
// what the runtime of Workers answers with the script that the API was given.

#include <algorithm>
#include <memory>
#include <regex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host_world.h"
#include "io/curl_http.h"
#include "providers/cloudflare/script.h"
#include "providers/cloudflare/workers.h"
#include "servers/cloudflare_emulator.h"
#include "servers/workerd.h"

namespace stsctl::contract {
namespace {

using nlohmann::json;

constexpr const char* account = "0123456789abcdef0123456789abcdef";
constexpr const char* worker = "stsctl-mta-sts";
constexpr const char* wrong_token = "wrong-token-of-no-worth-0123456789abcdefg";
constexpr const char* outside_token = "the-token-of-the-edge-0123456789abcdefghi";

class WorkersWorld final : public HostWorld {
 public:
  void start(Layout /*layout*/) override {
    server_.clear_faults();
    // All names of the suite in three zones of an account whose limits were raised.
    server_.load(json{{"accounts", {{{"id", account}, {"name", "Example"}}}},
                      {"tokens",
                       {{{"value", servers::cloudflare_token}, {"permissions", {"workers:edit"}}},
                        {{"value", outside_token}, {"permissions", {"workers:read"}}}}},
                      {"domains_a_zone", 100'000},
                      {"zones", {{{"name", "example"}}, {{"name", "com"}}, {{"name", "org"}}}}}
                     .dump());
    // A change takes a while to be told, so that who looks from outside sees it before.
    for (const char* const method : {"PUT", "DELETE"})
      server_.fault(json{{"times", 1'000'000},
                         {"method", method},
                         {"path", method == std::string("PUT") ? "/scripts/" : "/domains/"},
                         {"delay", 0.15}}
                        .dump());
    wire_ = std::make_unique<servers::Relay>(server_.port());
  }

  Result<std::unique_ptr<providers::PolicyHost>> open(const HostAccess& access,
                                                      const io::Services& services) override {
    Settings settings;
    settings.set("endpoint", fmt::format("http://127.0.0.1:{}/client/v4", wire_->port()), "");
    settings.set("token", access.good_credentials ? servers::cloudflare_token : wrong_token, "");
    settings.set("account", account, "");
    settings.set("rate", "none", "");
    settings.set("timeout", access.timeout.count(), "");
    return providers::cloudflare::workers_kind().make(settings, services);
  }

  std::optional<std::string> stored(const std::string& domain) override {
    io::Request request =
        io::get(fmt::format("http://127.0.0.1:{}/.well-known/mta-sts.txt", edge_.port()),
                {{"Host", "mta-sts." + domain}});
    request.answer_limit = std::size_t{8} << 20U;
    const auto reply = http_->send(request);
    if (!reply) throw std::runtime_error(to_string(reply.error()));
    if (reply->status == 200) return reply->body;
    if (reply->status != 404 && reply->status != 530) throw std::runtime_error(reply->body);
    return std::nullopt;
  }

  // The neighbour is another stsctl: it writes the same script.
  void put(const std::string& domain, const std::string& body) override {
    change([&](json& state, providers::cloudflare::Policies& policies) {
      policies[*dns::Name::parse(domain)] = body;
      auto& domains = state["custom_domains"];
      const std::string hostname = "mta-sts." + domain;
      if (std::ranges::none_of(domains,
                               [&](const json& one) { return one["hostname"] == hostname; }))
        domains.push_back({{"account", account}, {"hostname", hostname}, {"service", worker}});
    });
  }
  void drop(const std::string& domain) override {
    change([&](json& state, providers::cloudflare::Policies& policies) {
      policies.erase(*dns::Name::parse(domain));
      auto& domains = state["custom_domains"];
      domains.erase(
          std::remove_if(domains.begin(), domains.end(),
                         [&](const json& one) { return one["hostname"] == "mta-sts." + domain; }),
          domains.end());
    });
  }

  // In the script, among the Custom Domains and the records of the zones.
  std::vector<std::string> leftovers(const std::vector<std::string>& domains) override {
    const json state = json::parse(server_.dump());
    std::vector<std::string> found;
    for (const json& one : state.at("custom_domains"))
      found.push_back(one.at("hostname"));
    for (const json& zone : state.at("zones"))
      for (const json& record : zone.at("records"))
        found.push_back(record.at("name"));
    for (const json& one : state.at("workers")) {
      if (one.at("name") != worker) found.push_back(one.at("name"));
      const std::string script = one.at("script");
      const std::regex entry(R"re(\["(mta-sts\.[^"]+)",)re");
      for (std::sregex_iterator i(script.begin(), script.end(), entry), end; i != end; ++i)
        found.push_back((*i)[1]);
    }
    for (const std::string& domain : domains)
      std::erase(found, "mta-sts." + domain);
    return found;
  }

  std::vector<std::string> secrets() const override {
    return {servers::cloudflare_token, wrong_token, outside_token};
  }
  servers::Relay& wire() override { return *wire_; }

 private:
  template <class Change>
  void change(Change make) {
    json state = json::parse(server_.dump());
    providers::cloudflare::Policies policies;
    if (!state["workers"].empty())
      policies =
          *providers::cloudflare::read_script(state["workers"][0]["script"].get<std::string>());
    make(state, policies);
    state["workers"] = {{{"account", account},
                         {"name", worker},
                         {"script", providers::cloudflare::render_script(policies)}}};
    server_.load(state.dump());
  }

  servers::CloudflareEmulator server_;
  servers::Workerd edge_{server_.port(), account, outside_token};
  std::unique_ptr<io::Http> http_ = io::real_http();
  std::unique_ptr<servers::Relay> wire_;
};

const bool added = add_host_world({
    .name = "workers",
    .make = [] { return std::make_unique<WorkersWorld>(); },
    .lacks = {{HostNeed::permissions, "all policies are in one script"},
              {HostNeed::disk, "the service has no end of room"},
              {HostNeed::folders, "a script has no folders"},
              {HostNeed::layouts, "senders ask the Worker, whatever it keeps"}},
});

}  // namespace
}  // namespace stsctl::contract
