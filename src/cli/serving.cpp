#include "cli/serving.h"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "providers/serve/serve.h"

namespace stsctl::cli {

namespace {

// More than any policy: plan sees what is wrong with a longer one.
constexpr std::size_t longest_file = std::size_t{4} << 20U;

Result<std::optional<std::string>> file_of(const config::Config& config,
                                           const plan::Desired& desired) {
  const config::Account* host = config.find_host(desired.host);
  if (host == nullptr || host->provider != providers::serve::kind().name)
    return std::optional<std::string>{};
  return providers::serve::stored_file(host->settings, desired.domain);
}

class Collection {
 public:
  Collection(const config::Config& config, const io::Services& services,
             const serve::SharedPolicies& before)
      : config_(config), services_(services), before_(before) {}

  serve::SharedPolicies collect() {
    for (const config::Domain& domain : config_.domains)
      if (domain.desired.policy) add(domain.desired);
    if (absent_ > 0)
      services_.log.write(io::LogLevel::info,
                          fmt::format("{} domain{} no policy stored yet: apply writes it", absent_,
                                      absent_ == 1 ? " has" : "s have"));
    return std::make_shared<const serve::Policies>(std::move(policies_));
  }

 private:
  void add(const plan::Desired& desired) {
    const auto file = file_of(config_, desired);
    if (!file) return keep(desired.domain, file.error());
    if (!*file && desired.rollout) return keep(desired.domain, unsaid("a rollout"));
    if (!*file && desired.mx_live) return keep(desired.domain, unsaid("'mx: live'"));
    if (!*file) return policies_.set(desired.domain, sts::format_policy(*desired.policy));
    Result<std::string> body = services_.files.read(**file, longest_file);
    if (body) return policies_.set(desired.domain, std::move(*body));
    if (body.error().code != Code::not_found) return keep(desired.domain, body.error());
    ++absent_;
  }

  static Error unsaid(const char* what) {
    return {Code::unsupported,
            fmt::format("{} says nothing that could be served", what),
            {},
            "give its host a 'root', which apply writes the policy to"};
  }

  // A disk that fails is no reason to say that there is no policy.
  void keep(const dns::Name& domain, const Error& error) {
    services_.log.write(io::LogLevel::error,
                        fmt::format("policy of {}: {}", domain.text(), to_string(error)));
    const serve::ServedPolicy* old =
        before_ ? before_->find(domain.under("mta-sts").text()) : nullptr;
    if (old != nullptr && !old->etag.empty())
      policies_.set(domain, old->body);
    else
      policies_.set_unknown(domain);
  }

  const config::Config& config_;
  const io::Services& services_;
  const serve::SharedPolicies& before_;
  serve::Policies policies_;
  std::size_t absent_ = 0;
};

}  // namespace

serve::SharedPolicies served_policies(const config::Config& config, const io::Services& services,
                                      const serve::SharedPolicies& before) {
  return Collection(config, services, before).collect();
}

}  // namespace stsctl::cli
