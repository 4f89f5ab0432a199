#pragma once
// What the providers of every HTTP API have in common: where the API is, how fast and how long to
// ask, whom to trust. Knows no API.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/settings.h"
#include "io/http_account.h"
#include "io/services.h"

namespace stsctl::providers {

/// What holds for one API unless the settings say otherwise.
struct ApiDefaults {
  std::string endpoint;          ///< Base URL without a final slash; "": must be configured.
  std::size_t concurrency = 16;  ///< Requests in flight.
  std::string rate = "none";     ///< The published limit, as io::parse_rates reads it.
  Duration timeout{60};          ///< For one answer.
  io::RetryOptions retry = {};
};

/// The settings `endpoint`, `concurrency`, `rate`, `timeout` and `ca_file`, to be appended to a
/// provider's own.
std::vector<SettingSpec> api_settings(const ApiDefaults& defaults);
/// `own`, then api_settings().
std::vector<SettingSpec> with_api_settings(std::vector<SettingSpec> own,
                                           const ApiDefaults& defaults);

/// The setting `rate` alone, as all read it.
SettingSpec rate_setting(const std::string& fallback);
/// Its value. Code::invalid, with the place in the configuration, for a rate that cannot be read.
Result<std::vector<io::Rate>> read_rate(const Settings& settings, const std::string& fallback);

/// One account at one API, ready for requests from any thread.
struct Api {
  std::string endpoint;  ///< Without a final slash.
  std::size_t concurrency = 16;
  std::vector<io::Rate> rates;     ///< For the request budget.
  std::unique_ptr<io::Http> http;  ///< Paced, retried, traced; trusts `ca_file`.
};

/// Errors as read_rate().
Result<Api> open_api(const Settings& settings, const io::Services& services, ApiDefaults defaults);

}  // namespace stsctl::providers
