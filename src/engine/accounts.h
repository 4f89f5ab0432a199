#pragma once
// The providers a configuration names, opened. Knows no plan.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "io/services.h"
#include "plan/desired.h"
#include "providers/provider.h"

namespace stsctl::engine {

/// Providers by their key under `dns:` and `hosts:`. One that could not be opened is an Error,
/// which its domains will show.
struct Accounts {
  std::map<std::string, Result<std::unique_ptr<providers::DnsProvider>>> dns;
  std::map<std::string, Result<std::unique_ptr<providers::PolicyHost>>> hosts;

  Result<providers::DnsProvider*> find_dns(const std::string& name) const;
  Result<providers::PolicyHost*> find_host(const std::string& name) const;
};

/// The catalog of built-in providers, for config::load.
config::Catalog builtin_catalog();
/// The same, with checks of what settings say together. `services` must outlive it.
config::Catalog checking_catalog(const io::Services& services);

/// Opens those accounts that `domains` use.
Accounts open_accounts(const config::Config& config, const std::vector<config::Domain>& domains,
                       const io::Services& services);

/// Desired, with what only the provider and host know: the address record, the edge delay, and TTLs
/// raised to the provider's minimum.
std::vector<plan::Desired> resolve(const std::vector<config::Domain>& domains,
                                   const Accounts& accounts);

}  // namespace stsctl::engine
