#pragma once
// What the tests of both layouts share: a GitHub, a host opened at it, and a clock that leaps.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "providers/github/github.h"
#include "servers/github.h"
#include "servers/real_services.h"
#include "tests/fakes/fake_clock.h"

namespace stsctl::providers::github {

inline std::string policy(const std::string& mode, const std::string& mx = "mail.example.com") {
  return "version: STSv1\r\nmode: " + mode + "\r\nmx: " + mx + "\r\nmax_age: 86400\r\n";
}

inline dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

inline plan::PolicyEdit edit(const std::string& domain, std::optional<std::string> before,
                             std::optional<std::string> after) {
  const auto file = [&](const std::optional<std::string>& body) {
    return body ? std::optional(plan::PolicyFile{name(domain), *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

class GitHubTest : public testing::Test {
 protected:
  void start(const nlohmann::json& state) {
    server_ = std::make_unique<servers::GitHub>(state.dump());
  }

  Settings settings(const std::string& layout, const std::string& repository) const {
    Settings settings;
    settings.set("endpoint", server_->url() + "/", "");
    settings.set("token", "token", "");
    settings.set("layout", layout, "");
    settings.set("repository", repository, "");
    settings.set("write_interval", std::int64_t{0}, "");
    settings.set("rate", "none", "");
    return settings;
  }

  std::unique_ptr<PolicyHost> open(const Settings& settings) {
    const io::Services real = services_.services();
    auto host = kind().make(settings, {.files = real.files,
                                       .process = real.process,
                                       .clock = clock_,
                                       .dns = real.dns,
                                       .http = real.http,
                                       .log = real.log});
    if (!host) throw std::runtime_error(to_string(host.error()));
    return std::move(*host);
  }

  void fault(const nlohmann::json& fault) const { server_->emulator().fault(fault.dump()); }

  static Result<std::optional<std::string>> read(PolicyHost& host, const std::string& domain) {
    return host.read({name(domain)}, {}).front();
  }
  static Result<Done> write(PolicyHost& host, const plan::PolicyEdit& edit) {
    return host.write({edit}, {}).front();
  }

  servers::RealServices services_;
  fakes::FakeClock clock_;
  std::unique_ptr<servers::GitHub> server_;
};

}  // namespace stsctl::providers::github
