#include "engine/accounts.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace stsctl::engine {

namespace {

template <class Kind>
const Kind* find_kind(const std::vector<Kind>& kinds, const std::string& name) {
  const auto found = std::ranges::find(kinds, name, &Kind::name);
  return found == kinds.end() ? nullptr : &*found;
}

void hide_secrets(const Settings& settings, const std::vector<SettingSpec>& specs,
                  const std::string& prefix, io::Log& log) {
  for (const SettingSpec& spec : specs) {
    const std::string name = prefix + spec.name;
    if (spec.type == SettingType::secret) log.hide(settings.text(name));
    hide_secrets(settings, spec.fields, name + ".", log);
  }
}

template <class Provider, class Kind>
Result<std::unique_ptr<Provider>> open(const config::Account& account,
                                       const std::vector<Kind>& kinds,
                                       const io::Services& services) {
  const Kind* kind = find_kind(kinds, account.provider);
  if (kind == nullptr)
    return fail(Code::unsupported, fmt::format("unknown provider '{}'", account.provider),
                account.settings.place);
  hide_secrets(account.settings, kind->settings, "", services.log);
  Result<std::unique_ptr<Provider>> opened = kind->make(account.settings, services);
  if (!opened) return fail_at(opened, fmt::format("{} ({})", account.name, account.provider));
  return opened;
}

template <class Map>
auto find(const Map& accounts, const std::string& name)
    -> Result<typename Map::mapped_type::value_type::pointer> {
  const auto found = accounts.find(name);
  if (found == accounts.end()) return fail(Code::not_found, fmt::format("no account '{}'", name));
  if (!found->second) return fail(found->second);
  return found->second->get();
}

Duration raised(Duration ttl, const providers::Capabilities& capabilities) {
  if (ttl.count() == 0 && capabilities.automatic_ttl) return ttl;
  return std::max(ttl, capabilities.minimum_ttl);
}

void raise_ttls(plan::Ttls& ttls, const providers::Capabilities& capabilities) {
  for (std::optional<Duration>* ttl : {&ttls.sts, &ttls.tlsrpt, &ttls.address})
    if (*ttl) *ttl = raised(**ttl, capabilities);
}

}  // namespace

Result<providers::DnsProvider*> Accounts::find_dns(const std::string& name) const {
  return find(dns, name);
}

Result<providers::PolicyHost*> Accounts::find_host(const std::string& name) const {
  return find(hosts, name);
}

config::Catalog builtin_catalog() {
  config::Catalog catalog;
  for (const providers::DnsKind& kind : providers::dns_kinds())
    catalog.dns.push_back({kind.name, kind.settings});
  for (const providers::HostKind& kind : providers::host_kinds())
    catalog.hosts.push_back({kind.name, kind.settings});
  return catalog;
}

config::Catalog checking_catalog(const io::Services& services) {
  // Whether a provider can be opened with them: nothing is sent for that.
  const auto check = [&services](const auto& kinds, std::vector<config::ProviderSpec>& specs) {
    for (std::size_t i = 0; i < specs.size(); ++i)
      specs[i].check = [&services, &kind = kinds[i]](const Settings& settings) -> Result<Done> {
        hide_secrets(settings, kind.settings, "", services.log);
        const auto opened = kind.make(settings, services);
        if (!opened) return fail(opened);
        return Done{};
      };
  };
  config::Catalog catalog = builtin_catalog();
  check(providers::dns_kinds(), catalog.dns);
  check(providers::host_kinds(), catalog.hosts);
  return catalog;
}

Accounts open_accounts(const config::Config& config, const std::vector<config::Domain>& domains,
                       const io::Services& services) {
  std::set<std::string> used_dns;
  std::set<std::string> used_hosts;
  for (const config::Domain& domain : domains) {
    used_dns.insert(domain.desired.dns);
    if (domain.desired.policy) used_hosts.insert(domain.desired.host);
  }
  Accounts accounts;
  for (const config::Account& account : config.dns)
    if (used_dns.contains(account.name))
      accounts.dns.emplace(account.name,
                           open<providers::DnsProvider>(account, providers::dns_kinds(), services));
  for (const config::Account& account : config.hosts)
    if (used_hosts.contains(account.name))
      accounts.hosts.emplace(
          account.name, open<providers::PolicyHost>(account, providers::host_kinds(), services));
  return accounts;
}

std::vector<plan::Desired> resolve(const std::vector<config::Domain>& domains,
                                   const Accounts& accounts) {
  std::vector<plan::Desired> all;
  all.reserve(domains.size());
  for (const config::Domain& domain : domains) {
    plan::Desired desired = domain.desired;
    if (const auto dns = accounts.find_dns(desired.dns))
      raise_ttls(desired.ttls, (*dns)->capabilities());
    if (desired.policy) {
      if (const auto host = accounts.find_host(desired.host)) {
        if (domain.address_from_host) desired.address = (*host)->address(desired.domain);
        desired.edge_delay = std::max(desired.edge_delay, (*host)->edge_delay());
        desired.as_configured = (*host)->as_configured();
      }
    }
    all.push_back(std::move(desired));
  }
  return all;
}

}  // namespace stsctl::engine
