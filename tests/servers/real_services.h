#pragma once
// The machine's own services, for tests that talk to real servers.

#include <memory>
#include <sstream>

#include "io/curl_http.h"
#include "io/services.h"

namespace stsctl::servers {

class RealServices {
 public:
  io::Services services() {
    return {.files = *files_,
            .process = *process_,
            .clock = *clock_,
            .dns = *dns_,
            .http = *http_,
            .log = log_};
  }
  /// What was logged, at level debug.
  std::string log() const { return text_.str(); }

 private:
  std::unique_ptr<io::Files> files_ = io::real_files();
  std::unique_ptr<io::Process> process_ = io::real_process();
  std::unique_ptr<io::Clock> clock_ = io::real_clock();
  std::unique_ptr<io::DnsExchange> dns_ = io::real_dns_exchange();
  std::unique_ptr<io::Http> http_ = io::real_http();
  std::ostringstream text_;
  io::Log log_{text_, io::LogLevel::debug};
};

}  // namespace stsctl::servers
