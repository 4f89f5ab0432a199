#pragma once
// A world for tests of AWS: an environment and a home folder of their own, a clock that leaps.

#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "fakes/fake_clock.h"
#include "io/services.h"
#include "servers/running.h"

namespace stsctl::providers::aws {

class AwsWorld {
 public:
  explicit AwsWorld(io::Http& http, Time start = Time(std::chrono::seconds(1'800'000'000)))
      : http_(http), clock(start) {
    env["HOME"] = folder.path();
    servers::run({"mkdir", folder.file(".aws")});
  }

  io::Services services() {
    return {.files = *files_,
            .process = *process_,
            .clock = clock,
            .dns = *dns_,
            .http = http_,
            .log = log,
            .env = [this](const std::string& name) -> std::optional<std::string> {
              const auto found = env.find(name);
              if (found == env.end()) return std::nullopt;
              return found->second;
            }};
  }
  /// What was logged, at level debug.
  std::string logged() const { return text_.str(); }

  std::map<std::string, std::string> env;
  servers::Folder folder;  ///< The home folder.

 private:
  io::Http& http_;
  std::unique_ptr<io::Files> files_ = io::real_files();
  std::unique_ptr<io::Process> process_ = io::real_process();
  std::unique_ptr<io::DnsExchange> dns_ = io::real_dns_exchange();
  std::ostringstream text_;

 public:
  fakes::FakeClock clock;
  io::Log log{text_, io::LogLevel::debug};
};

}  // namespace stsctl::providers::aws
