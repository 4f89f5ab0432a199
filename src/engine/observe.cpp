#include "engine/observe.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "base/parallel.h"

namespace stsctl::engine {

namespace {

constexpr std::size_t accounts_at_once = 16;

// One name of one domain, and where its state belongs.
struct Slot {
  dns::Name owner;
  Result<plan::NameState>* state;
};

Error cancelled() {
  return {Code::cancelled, "stopped before it was read", {}, {}};
}

// Fills the slots of one zone from what was read of it.
void fill(const providers::ZoneQuery& query, const std::vector<Slot*>& slots,
          Result<std::vector<dns::RecordSet>> sets) {
  if (!sets) {
    for (Slot* slot : slots)
      *slot->state = fail_at(sets, slot->owner.text());
    return;
  }
  std::unordered_map<dns::Name, plan::NameState*> states;
  for (Slot* slot : slots) {
    *slot->state = plan::NameState{query.zone, {}};
    states.emplace(slot->owner, &**slot->state);
  }
  for (dns::RecordSet& set : *sets)
    if (const auto found = states.find(set.owner); found != states.end())
      found->second->sets.push_back(std::move(set));
  for (Slot* slot : slots)
    std::ranges::sort((*slot->state)->sets, {}, &dns::RecordSet::type);
}

void observe_dns(providers::DnsProvider& provider, std::vector<Slot>& slots,
                 const providers::Watch& watch) {
  std::vector<dns::Name> names;
  names.reserve(slots.size());
  for (const Slot& slot : slots)
    names.push_back(slot.owner);
  const std::vector<Result<dns::Name>> zones = provider.find_zones(names, watch);

  std::unordered_map<dns::Name, std::size_t> index;
  std::vector<providers::ZoneQuery> queries;
  std::vector<std::vector<Slot*>> parts;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!zones[i]) {
      *slots[i].state = fail_at(zones[i], slots[i].owner.text());
      watch.advanced(1);
      continue;
    }
    const auto [entry, fresh] = index.try_emplace(*zones[i], queries.size());
    if (fresh) {
      queries.push_back({*zones[i], {}});
      parts.emplace_back();
    }
    queries[entry->second].owners.push_back(slots[i].owner);
    parts[entry->second].push_back(&slots[i]);
  }
  auto answers = provider.read(queries, watch);
  for (std::size_t i = 0; i < queries.size(); ++i)
    fill(queries[i], parts[i], std::move(answers[i]));
}

void observe_host(providers::PolicyHost& host, const std::vector<plan::Observed*>& domains,
                  const providers::Watch& watch) {
  std::vector<dns::Name> names;
  names.reserve(domains.size());
  for (const plan::Observed* domain : domains)
    names.push_back(domain->domain);
  auto bodies = host.read(names, watch);
  for (std::size_t i = 0; i < domains.size(); ++i)
    domains[i]->policy = std::move(bodies[i]);
}

// The calls that observe() makes, one an account, run side by side.
class Jobs {
 public:
  Jobs(const Accounts& accounts, const providers::Watch& watch)
      : accounts_(accounts), watch_(watch) {}

  void add(const plan::Desired& desired, plan::Observed& observed) {
    const plan::Owners names = plan::owners(desired.domain);
    std::vector<Slot>& slots = slots_[desired.dns];
    slots.push_back({names.sts, &observed.sts});
    slots.push_back({names.tlsrpt, &observed.tlsrpt});
    slots.push_back({names.address, &observed.address});
    if (desired.policy) hosts_[desired.host].push_back(&observed);
  }

  void run() {
    std::vector<std::function<void()>> calls;
    for (auto& [name, slots] : slots_)
      calls.emplace_back([&] { read_dns(name, slots); });
    for (auto& [name, domains] : hosts_)
      calls.emplace_back([&] { read_host(name, domains); });
    parallel_map(calls, accounts_at_once, watch_.stop, [](const std::function<void()>& call) {
      call();
      return Done{};
    });
  }

 private:
  void read_dns(const std::string& name, std::vector<Slot>& slots) const {
    const auto provider = accounts_.find_dns(name);
    if (provider) return observe_dns(**provider, slots, watch_);
    for (Slot& slot : slots)
      *slot.state = fail(provider);
  }

  void read_host(const std::string& name, const std::vector<plan::Observed*>& domains) const {
    const auto host = accounts_.find_host(name);
    if (host) return observe_host(**host, domains, watch_);
    for (plan::Observed* domain : domains)
      domain->policy = fail(host);
  }

  const Accounts& accounts_;
  const providers::Watch& watch_;
  std::map<std::string, std::vector<Slot>> slots_;
  std::map<std::string, std::vector<plan::Observed*>> hosts_;
};

}  // namespace

std::vector<plan::Observed> observe(const std::vector<plan::Desired>& desired,
                                    const Accounts& accounts, const providers::Watch& watch) {
  std::vector<plan::Observed> observed;
  observed.reserve(desired.size());
  for (const plan::Desired& one : desired)
    observed.push_back({one.domain, std::unexpected(cancelled()), std::unexpected(cancelled()),
                        std::unexpected(cancelled()), std::optional<std::string>{}});
  Jobs jobs(accounts, watch);
  for (std::size_t i = 0; i < desired.size(); ++i) {
    if (desired[i].policy) observed[i].policy = std::unexpected(cancelled());
    jobs.add(desired[i], observed[i]);
  }
  jobs.run();
  return observed;
}

std::size_t observe_size(const std::vector<plan::Desired>& desired) {
  const auto with_policy = std::ranges::count_if(
      desired, [](const plan::Desired& one) { return one.policy.has_value(); });
  return 3 * desired.size() + static_cast<std::size_t>(with_policy);
}

}  // namespace stsctl::engine
