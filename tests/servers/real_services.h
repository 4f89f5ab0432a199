#pragma once
// The machine's own services, for tests that talk to real servers.

#include <memory>

#include "io/services.h"

namespace stsctl::servers {

class RealServices {
 public:
  io::Services services() const { return {*files_, *process_, *clock_, *dns_}; }

 private:
  std::unique_ptr<io::Files> files_ = io::real_files();
  std::unique_ptr<io::Process> process_ = io::real_process();
  std::unique_ptr<io::Clock> clock_ = io::real_clock();
  std::unique_ptr<io::DnsExchange> dns_ = io::real_dns_exchange();
};

}  // namespace stsctl::servers
