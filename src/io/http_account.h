#pragma once
// The Http of one account at one service: paced, retried and traced. Knows no API.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/http_limits.h"
#include "io/http_retry.h"
#include "io/services.h"

namespace stsctl::io {

struct AccountOptions {
  std::vector<Rate> rates = {};  ///< None: as fast as the service lets us.
  RetryOptions retry = {};
  std::chrono::milliseconds timeout{0};  ///< For requests that state none; 0: the client's.
  std::string ca_file = {};              ///< For requests that state none; "": the system's CAs.
  std::chrono::milliseconds longest_wait{600'000};  ///< Granted when the service asks for a pause.
  std::function<double()> chance = {};              ///< Jitter, 0 to 1; by default random.
};

/// Retry over Throttle over Trace over `services.http`, which outlives it: each try is paced and
/// traced. One an account, shared by all its threads.
std::unique_ptr<Http> account_http(const Services& services, AccountOptions options);

}  // namespace stsctl::io
