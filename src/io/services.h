#pragma once
// What a provider is given to reach the outside world.

#include "io/clock.h"
#include "io/dns_exchange.h"
#include "io/files.h"
#include "io/process.h"

namespace stsctl::io {

/// References that outlive every provider.
struct Services {
  Files& files;
  Process& process;
  Clock& clock;
  DnsExchange& dns;
};

}  // namespace stsctl::io
