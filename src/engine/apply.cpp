#include "engine/apply.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/authority.h"
#include "sts/policy.h"

namespace stsctl::engine {

namespace {

using plan::CachesExpired;
using plan::DomainPlan;
using plan::PolicyChange;
using plan::PolicyServed;
using plan::RecordChange;
using plan::Stage;
using plan::Step;

constexpr std::size_t accounts_at_once = 16;
constexpr std::size_t waits_at_once = 64;

// One step of one domain that is on its turn.
template <class Action>
struct Turn {
  std::size_t domain;  // index into the plan
  const Action* action;
};

// The steps of one zone, written in one call.
struct ZoneTurn {
  std::string dns;
  dns::Name zone;
  std::vector<Turn<RecordChange>> turns;
};

Error cancelled() {
  return {Code::cancelled, "stopped before this step", {}, "run apply again to go on"};
}

// Executes one plan. State: which domains are still in the race.
class Run {
 public:
  Run(const plan::Plan& plan, const Accounts& accounts, const ConfirmOptions& confirm,
      const io::Services& services, const providers::Watch& watch)
      : plan_(plan), accounts_(accounts), confirm_(confirm), services_(services), watch_(watch) {}

  std::vector<Outcome> execute(const ApplyOptions& options) {
    start(options);
    for (const Stage stage : plan::stages)
      take(stage);
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      Outcome& outcome = outcomes_[i];
      if (outcome.ending == Ending::applied && outcome.steps_taken < outcome.steps)
        stop(outcome, cancelled());
      if (outcome.ending == Ending::applied || outcome.ending == Ending::unchanged)
        outcome.later = plan_.domains[i].later;
    }
    return std::move(outcomes_);
  }

 private:
  void start(const ApplyOptions& options) {
    outcomes_.reserve(plan_.domains.size());
    for (const DomainPlan& domain : plan_.domains) {
      Outcome outcome{.domain = domain.domain(), .steps = domain.steps.size()};
      if (refused(domain, options)) {
        outcome.ending = Ending::refused;
        outcome.error = domain.error;
      } else if (domain.error) {
        stop(outcome, *domain.error);
      } else if (domain.changed()) {
        outcome.ending = Ending::applied;
      }
      outcomes_.push_back(std::move(outcome));
    }
  }

  static void stop(Outcome& outcome, Error error) {
    outcome.ending = error.code == Code::cancelled ? Ending::cancelled : Ending::failed;
    if (error.where.empty()) error.where = outcome.domain.text();
    outcome.error = std::move(error);
  }

  // A domain may have steps in two zones, written side by side.
  void settle(std::size_t domain, const Result<Done>& result) {
    watch_.advanced(1);
    const std::scoped_lock lock(mutex_);
    Outcome& outcome = outcomes_[domain];
    if (result)
      ++outcome.steps_taken;
    else
      stop(outcome, result.error());
  }

  bool in_the_race(std::size_t domain) const {
    const std::scoped_lock lock(mutex_);
    return outcomes_[domain].ending == Ending::applied;
  }

  // The turns of one kind that this stage brings, of domains still in the race.
  template <class Action>
  std::vector<Turn<Action>> turns(Stage stage) const {
    std::vector<Turn<Action>> found;
    for (std::size_t i = 0; i < plan_.domains.size(); ++i) {
      if (!in_the_race(i)) continue;
      for (const Step& step : plan_.domains[i].steps) {
        const Action* action = std::get_if<Action>(&step.action);
        if (step.stage == stage && action != nullptr) found.push_back({i, action});
      }
    }
    return found;
  }

  void take(Stage stage) {
    if (watch_.stop.stop_requested()) return;
    const auto records = turns<RecordChange>(stage);
    write_records(records);
    wait_for_records(records);
    write_policies(turns<PolicyChange>(stage));
    wait_for_policies(turns<PolicyServed>(stage));
    wait_for_caches(turns<CachesExpired>(stage));
  }

  void write_records(const std::vector<Turn<RecordChange>>& turns) {
    std::map<std::string, std::map<dns::Name, ZoneTurn>> accounts;
    for (const Turn<RecordChange>& turn : turns) {
      const RecordChange& change = *turn.action;
      auto& zones = accounts[change.dns];
      zones.try_emplace(change.zone, ZoneTurn{change.dns, change.zone, {}})
          .first->second.turns.push_back(turn);
    }
    std::vector<std::vector<ZoneTurn>> work;
    for (auto& [dns, zones] : accounts) {
      std::vector<ZoneTurn>& list = work.emplace_back();
      for (auto& [zone, turn] : zones)
        list.push_back(std::move(turn));
    }
    parallel_map(work, accounts_at_once, watch_.stop, [&](const std::vector<ZoneTurn>& zones) {
      write_account(zones);
      return Done{};
    });
  }

  void write_account(const std::vector<ZoneTurn>& zones) {
    const auto provider = accounts_.find_dns(zones.front().dns);
    if (!provider) {
      for (const ZoneTurn& zone : zones)
        for (const auto& turn : zone.turns)
          settle(turn.domain, fail(provider));
      return;
    }
    (*provider)->begin_writes(queries(zones), watch_without_progress());
    const std::size_t width =
        std::max<std::size_t>(1, (*provider)->capabilities().write_concurrency);
    parallel_map(zones, width, watch_.stop, [&](const ZoneTurn& zone) {
      write_zone(**provider, zone);
      return Done{};
    });
  }

  // The owners that the writes to `zones` touch, each once.
  static std::vector<providers::ZoneQuery> queries(const std::vector<ZoneTurn>& zones) {
    std::vector<providers::ZoneQuery> queries;
    queries.reserve(zones.size());
    for (const ZoneTurn& zone : zones) {
      std::set<dns::Name> owners;
      for (const auto& turn : zone.turns)
        for (const plan::RecordEdit& edit : turn.action->edits)
          owners.insert(subject(edit).owner);
      queries.push_back({zone.zone, {owners.begin(), owners.end()}});
    }
    return queries;
  }

  void write_zone(providers::DnsProvider& provider, const ZoneTurn& zone) {
    std::vector<plan::RecordEdit> edits;
    for (const auto& turn : zone.turns)
      edits.insert(edits.end(), turn.action->edits.begin(), turn.action->edits.end());
    Result<Done> result = provider.write(zone.zone, edits);
    if (result) result = served(provider, zone.zone);
    if (result || zone.turns.size() == 1 || !one_spoils_all(result.error().code)) {
      for (const auto& turn : zone.turns)
        settle(turn.domain, result);
      return;
    }
    // One domain's trouble is not another's: what cannot be written together is written one by one.
    for (const auto& turn : zone.turns) {
      if (!in_the_race(turn.domain)) continue;
      result = provider.write(zone.zone, turn.action->edits);
      if (result) result = served(provider, zone.zone);
      settle(turn.domain, result);
    }
  }

  // Every server of the zones must have what was written: one that lags tells senders of an old
  // policy, or of no host.
  void wait_for_records(const std::vector<Turn<RecordChange>>& turns) {
    if (!confirm_.eyes) return;
    std::vector<Turn<RecordChange>> written;
    for (const Turn<RecordChange>& turn : turns)
      if (in_the_race(turn.domain)) written.push_back(turn);
    parallel_map(written, waits_at_once, watch_.stop, [&](const Turn<RecordChange>& turn) {
      const Result<Done> seen = await_records(turn.action->zone, turn.action->edits, confirm_,
                                              services_.clock, watch_.stop);
      if (!seen) {
        const std::scoped_lock lock(mutex_);
        stop(outcomes_[turn.domain], seen.error());
      }
      return Done{};
    });
  }

  static bool one_spoils_all(Code code) {
    return code == Code::conflict || code == Code::invalid || code == Code::unsupported ||
           code == Code::refused;
  }

  Result<Done> served(providers::DnsProvider& provider, const dns::Name& zone) {
    return provider.wait_served(zone, Duration{300}, watch_without_progress());
  }

  providers::Watch watch_without_progress() const { return {watch_.stop, {}}; }

  // Calls `work(host, turns)` once for every host, side by side.
  template <class Action, class Work>
  void at_each_host(const std::vector<Turn<Action>>& turns, Work work) {
    std::map<std::string, std::vector<Turn<Action>>> hosts;
    for (const Turn<Action>& turn : turns)
      hosts[turn.action->host].push_back(turn);
    const std::vector<std::pair<std::string, std::vector<Turn<Action>>>> list(hosts.begin(),
                                                                              hosts.end());
    parallel_map(list, accounts_at_once, watch_.stop, [&](const auto& entry) {
      const auto host = accounts_.find_host(entry.first);
      if (host)
        work(**host, entry.second);
      else
        for (const auto& turn : entry.second)
          settle(turn.domain, fail(host));
      return Done{};
    });
  }

  void write_policies(const std::vector<Turn<PolicyChange>>& turns) {
    at_each_host(turns, [&](providers::PolicyHost& host, const auto& list) {
      std::vector<plan::PolicyEdit> edits;
      for (const auto& turn : list)
        edits.push_back(turn.action->edit);
      const auto results = host.write(edits, watch_without_progress());
      for (std::size_t i = 0; i < list.size(); ++i)
        settle(list[i].domain, results[i]);
    });
  }

  void wait_for_policies(const std::vector<Turn<PolicyServed>>& turns) {
    at_each_host(turns,
                 [&](providers::PolicyHost& host, const auto& list) { wait_for_host(host, list); });
  }

  void wait_for_host(providers::PolicyHost& host, const std::vector<Turn<PolicyServed>>& turns) {
    std::vector<const PolicyServed*> waits;
    for (const auto& turn : turns)
      waits.push_back(turn.action);
    await_policies(host, waits, confirm_, services_.clock, watch_without_progress(),
                   [&](std::size_t index, const Result<Done>& result) {
                     settle(turns[index].domain, result);
                   });
  }

  // All at once: the one whose cache lives longest comes last.
  void wait_for_caches(std::vector<Turn<CachesExpired>> turns) {
    const auto settle_of = [](const Turn<CachesExpired>& turn) { return turn.action->settle; };
    std::ranges::sort(turns, {}, settle_of);
    const auto begin = services_.clock.steady();
    for (const Turn<CachesExpired>& turn : turns) {
      const auto due = begin + turn.action->settle;
      if (confirm_.wait) services_.clock.sleep(left_until(due), watch_.stop);
      if (watch_.stop.stop_requested()) return;
      if (services_.clock.steady() >= due)
        settle(turn.domain, Done{});
      else
        settle(turn.domain, too_early(turn.action->settle));
    }
  }

  std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point due) const {
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::ceil<std::chrono::milliseconds>(due - services_.clock.steady()));
  }

  static Result<Done> too_early(Duration settle) {
    return fail(Code::timeout,
                fmt::format("resolvers may hold the record for {} more, and --no-wait was given",
                            describe_duration(settle)),
                {}, "run apply without --no-wait to take out the policy as well");
  }

  const plan::Plan& plan_;
  const Accounts& accounts_;
  const ConfirmOptions& confirm_;
  const io::Services& services_;
  const providers::Watch& watch_;
  mutable std::mutex mutex_;
  std::vector<Outcome> outcomes_;  ///< Under mutex_ while others write.
};

}  // namespace

const char* to_string(Ending ending) {
  switch (ending) {
    case Ending::applied:
      return "applied";
    case Ending::unchanged:
      return "unchanged";
    case Ending::failed:
      return "failed";
    case Ending::refused:
      return "refused";
    case Ending::stale:
      return "stale";
    case Ending::cancelled:
      return "cancelled";
  }
  return "failed";
}

bool refused(const DomainPlan& plan, const ApplyOptions& options) {
  if (plan.error && plan.error->code == Code::refused) return true;
  return std::ranges::any_of(plan.notes, [&](const plan::Note& note) {
    return note.kind == plan::Note::Kind::refusal && !options.allowed.contains(note.id);
  });
}

std::vector<Outcome> apply(const plan::Plan& plan, const Accounts& accounts,
                           const ApplyOptions& options, const io::Services& services,
                           const providers::Watch& watch) {
  return Run(plan, accounts, options.confirm, services, watch).execute(options);
}

}  // namespace stsctl::engine
