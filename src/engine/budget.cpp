#include "engine/budget.h"

#include <map>
#include <set>
#include <string>

#include "io/http_limits.h"

namespace stsctl::engine {

namespace {

// What one stage brings, as apply() takes it: one write a zone, one call a host.
struct Wave {
  std::map<std::string, std::map<dns::Name, std::set<dns::Name>>> owners;  // by account and zone
  std::map<std::string, std::size_t> written;                              // policies by host
  std::map<std::string, std::size_t> awaited;

  void add(const plan::Step& step) {
    if (const auto* records = std::get_if<plan::RecordChange>(&step.action)) {
      std::set<dns::Name>& names = owners[records->dns][records->zone];
      for (const plan::RecordEdit& edit : records->edits)
        names.insert(subject(edit).owner);
    } else if (const auto* policy = std::get_if<plan::PolicyChange>(&step.action)) {
      ++written[policy->host];
    } else if (const auto* wait = std::get_if<plan::PolicyServed>(&step.action)) {
      ++awaited[wait->host];
    }
  }
};

std::vector<providers::ZoneQuery> queries(const std::map<dns::Name, std::set<dns::Name>>& zones) {
  std::vector<providers::ZoneQuery> queries;
  for (const auto& [zone, names] : zones)
    queries.push_back({zone, {names.begin(), names.end()}});
  return queries;
}

class Sum {
 public:
  explicit Sum(const Accounts& accounts) : accounts_(accounts) {}

  void add(const Wave& wave) {
    for (const auto& [account, zones] : wave.owners)
      if (const auto dns = accounts_.find_dns(account))
        add(account, (*dns)->write_requests(queries(zones)), **dns);
    for (const auto& [account, count] : wave.written)
      if (const auto host = accounts_.find_host(account))
        add(account, (*host)->write_requests(count), **host);
    for (const auto& [account, count] : wave.awaited)
      if (const auto host = accounts_.find_host(account))
        add(account, (*host)->read_requests(count), **host);
  }

  std::vector<plan::RequestBudget> budget() const {
    std::vector<plan::RequestBudget> budget;
    for (const auto& [account, part] : parts_)
      if (part.requests > 0)
        budget.push_back({account, part.requests, io::least_time(part.rates, part.requests)});
    return budget;
  }

 private:
  struct Part {
    std::size_t requests = 0;
    std::vector<io::Rate> rates;
  };

  template <class Provider>
  void add(const std::string& account, std::size_t requests, const Provider& provider) {
    Part& part = parts_[account];
    part.requests += requests;
    part.rates = provider.rates();
  }

  const Accounts& accounts_;
  std::map<std::string, Part> parts_;
};

}  // namespace

std::vector<plan::RequestBudget> request_budget(const plan::Plan& plan, const Accounts& accounts) {
  Sum sum(accounts);
  for (const plan::Stage stage : plan::stages) {
    Wave wave;
    for (const plan::DomainPlan& domain : plan.domains)
      for (const plan::Step& step : domain.steps)
        if (step.stage == stage) wave.add(step);
    sum.add(wave);
  }
  return sum.budget();
}

}  // namespace stsctl::engine
