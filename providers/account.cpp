#include "providers/account.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace stsctl::providers {

SettingSpec rate_setting(const std::string& fallback) {
  return {.name = "rate",
          .type = SettingType::text,
          .description =
              "Requests allowed per time, such as 5/s or 1200/5m, several with commas "
              "between; none: as fast as the service answers",
          .fallback = fallback};
}

Result<std::vector<io::Rate>> read_rate(const Settings& settings, const std::string& fallback) {
  Result<std::vector<io::Rate>> rates = io::parse_rates(settings.text("rate", fallback));
  if (!rates) return fail_at(rates, settings.where("rate"));
  return rates;
}

std::vector<SettingSpec> api_settings(const ApiDefaults& defaults) {
  return {
      {.name = "endpoint",
       .type = SettingType::url,
       .description = "Base URL of the API, for compatible servers and other clouds",
       .required = defaults.endpoint.empty(),
       .fallback = defaults.endpoint},
      {.name = "concurrency",
       .type = SettingType::integer,
       .description = "Requests in flight at most",
       .fallback = std::to_string(defaults.concurrency),
       .least = 1,
       .most = 4096},
      rate_setting(defaults.rate),
      {.name = "timeout",
       .type = SettingType::duration,
       .description = "How long one answer may take",
       .fallback = format_duration(defaults.timeout),
       .least = 1,
       .most = 3600},
      {.name = "ca_file",
       .type = SettingType::path,
       .description = "PEM file of the only CAs to trust for this API",
       .fallback = "the system's CAs"},
  };
}

std::vector<SettingSpec> with_api_settings(std::vector<SettingSpec> own,
                                           const ApiDefaults& defaults) {
  std::ranges::move(api_settings(defaults), std::back_inserter(own));
  return own;
}

Result<Api> open_api(const Settings& settings, const io::Services& services, ApiDefaults defaults) {
  const Result<std::vector<io::Rate>> rates = read_rate(settings, defaults.rate);
  if (!rates) return fail(rates);
  Api api{.endpoint = settings.text("endpoint", defaults.endpoint), .rates = *rates};
  while (api.endpoint.ends_with('/'))
    api.endpoint.pop_back();
  api.concurrency = static_cast<std::size_t>(
      settings.integer("concurrency", static_cast<std::int64_t>(defaults.concurrency)));
  const Duration timeout(settings.integer("timeout", defaults.timeout.count()));
  api.http = io::account_http(services, {.rates = *rates,
                                         .retry = std::move(defaults.retry),
                                         .timeout = timeout,
                                         .ca_file = settings.text("ca_file")});
  return api;
}

}  // namespace stsctl::providers
