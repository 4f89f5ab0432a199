#pragma once
// The provider and the emulator of its service, for the tests of cloudflare.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/fake_clock.h"
#include "providers/cloudflare/dns.h"
#include "servers/cloudflare_emulator.h"
#include "servers/real_services.h"

namespace stsctl::providers::cloudflare {

using nlohmann::json;

inline dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

inline dns::RecordSet set(dns::Type type, const std::string& owner, std::vector<std::string> values,
                          int ttl = 300) {
  return *dns::make_record_set(name(owner), type, Duration(ttl), std::move(values));
}

inline dns::RecordSet txt(const std::string& owner, std::vector<std::string> values,
                          int ttl = 300) {
  return set(dns::Type::txt, owner, std::move(values), ttl);
}

inline json record(const std::string& type, const std::string& owner, const std::string& content,
                   const json& more = json::object()) {
  json record{{"type", type}, {"name", owner}, {"content", content}, {"ttl", 300}};
  record.update(more);
  return record;
}

class CloudflareTest : public testing::Test {
 protected:
  /// One emulator for all tests of a suite: each lays out its own state.
  static void SetUpTestSuite() { emulator_ = std::make_unique<servers::CloudflareEmulator>(); }
  static void TearDownTestSuite() { emulator_.reset(); }

  void SetUp() override {
    emulator_->clear_faults();
    emulator_->forget();
  }

  /// Lays out zones, each {name, records…}, which the usual token may manage unless `more` says
  /// otherwise.
  static void load(const std::vector<json>& zones, const json& more = json::object()) {
    json state{{"zones", zones}, {"tokens", {{{"value", servers::cloudflare_token}}}}};
    state.update(more);
    emulator_->load(state.dump());
  }

  static json zone(const std::string& name, const std::vector<json>& records = {},
                   const json& more = json::object()) {
    json zone{{"name", name}, {"records", records}};
    zone.update(more);
    return zone;
  }

  using Changes = std::vector<std::pair<std::string, Settings::Value>>;

  /// The provider with the usual token, at no rate, and what `changes` sets.
  std::unique_ptr<DnsProvider> open(const Changes& changes = {}) {
    auto opened = try_open(changes);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }

  Result<std::unique_ptr<DnsProvider>> try_open(const Changes& changes) {
    Settings settings;
    settings.set("endpoint", emulator_->endpoint() + "/", "");
    settings.set("token", servers::cloudflare_token, "");
    settings.set("rate", "none", "");
    for (const auto& [key, value] : changes)
      settings.set(key, value, "stsctl.yaml:1:1");
    return dns_kind().make(settings, services());
  }

  /// Real but for the clock, which leaps: retries take no time.
  io::Services services() {
    const io::Services real = real_.services();
    return {.files = real.files,
            .process = real.process,
            .clock = clock_,
            .dns = real.dns,
            .http = real.http,
            .log = real.log};
  }

  /// The first zone as it stands now.
  static json state() { return json::parse(emulator_->dump())["zones"][0]; }
  /// The records of the first zone at `owner`.
  static json records_at(const std::string& owner) {
    json found = json::array();
    const json now = state();  // named, so that it outlives the loop's range
    for (const json& one : now["records"])
      if (one["name"] == owner) found.push_back(one);
    return found;
  }
  static std::size_t requests() { return emulator_->request_count(); }
  /// How many requests have this method.
  static std::size_t requests(const std::string& method) {
    std::size_t count = 0;
    for (const auto& one : emulator_->journal())
      if (one.method == method) ++count;
    return count;
  }

  static inline std::unique_ptr<servers::CloudflareEmulator> emulator_;
  servers::RealServices real_;
  fakes::FakeClock clock_;
};

/// The three names that stsctl reads of a domain.
inline ZoneQuery query(const std::string& zone, const std::vector<std::string>& domains) {
  ZoneQuery query{name(zone), {}};
  for (const std::string& domain : domains)
    for (const std::string label : {"_mta-sts.", "_smtp._tls.", "mta-sts."})
      query.owners.push_back(name(label + domain));
  return query;
}

inline Result<std::vector<dns::RecordSet>> read(DnsProvider& provider, const std::string& zone,
                                                const std::vector<std::string>& domains) {
  return provider.read({query(zone, domains)}, {}).front();
}

inline Result<dns::Name> find(DnsProvider& provider, const std::string& owner) {
  return provider.find_zones({name(owner)}, {}).front();
}

}  // namespace stsctl::providers::cloudflare
