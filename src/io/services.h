#pragma once
// What a provider is given to reach the outside world.

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "io/clock.h"
#include "io/dns_exchange.h"
#include "io/files.h"
#include "io/http.h"
#include "io/log.h"
#include "io/process.h"

namespace stsctl::io {

/// An environment variable; none if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// References that outlive every provider.
struct Services {
  Files& files;
  Process& process;
  Clock& clock;
  DnsExchange& dns;
  Http& http;  ///< The bare client: a provider of an API wraps it (providers/account.h).
  Log& log;
  std::stop_token stop = {};  ///< Requested when the program is asked to end.
  Environment env = [](const std::string&) { return std::nullopt; };
};

}  // namespace stsctl::io
