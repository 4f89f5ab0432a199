#include "providers/aws/route53.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "providers/aws/poll.h"
#include "providers/aws/route53_change.h"
#include "providers/aws/route53_client.h"
#include "providers/aws/route53_zones.h"
#include "providers/expected.h"
#include "providers/tries.h"

namespace stsctl::providers::aws {

namespace {

using plan::RecordEdit;

constexpr int most_tries = 5;
constexpr std::chrono::milliseconds first_pause{500};  // doubles with every further try
// Within which a change generally is served everywhere (ChangeResourceRecordSets, AWS).
constexpr std::chrono::seconds usual_propagation{60};

// Nearly all writers only wait for their change to be served.
Capabilities capabilities_at(const std::vector<io::Rate>& rates) {
  return {.atomic_batch = true, .compare_and_swap = true, .write_concurrency = most_waiting(rates)};
}

std::vector<ApiSet> flat(const SetsByOwner& sets) {
  std::vector<ApiSet> all;
  for (const auto& [owner, list] : sets)
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<dns::RecordSet> record_sets(const SetsByOwner& sets) {
  std::vector<dns::RecordSet> all;
  for (const auto& [owner, list] : sets)
    for (const ApiSet& set : list) {
      dns::RecordSet one = record_set(set, owner);
      // The sets under one routing policy are one thing in the way.
      if (std::ranges::find(all, one) == all.end()) all.push_back(std::move(one));
    }
  return all;
}

// The answer was lost: the change may have happened.
bool is_lost(Code code) {
  return code == Code::internal || code == Code::unreachable || code == Code::timeout ||
         code == Code::protocol;
}

// What was seen of each zone, as the service spells it. A DELETE must repeat it, and is refused
// when it no longer holds, so that it may be as old as the plan.
class Memory {
 public:
  void keep(const dns::Name& zone, const SetsByOwner& sets) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [owner, list] : sets)
      zones_[zone].insert_or_assign(owner, list);
  }

  /// None if one of the owners was never read.
  std::optional<SetsByOwner> recall(const dns::Name& zone, const std::vector<dns::Name>& owners) {
    const std::scoped_lock lock(mutex_);
    const SetsByOwner& known = zones_[zone];
    SetsByOwner sets;
    for (const dns::Name& owner : owners) {
      const auto place = known.find(owner);
      if (place == known.end()) return std::nullopt;
      sets.insert(*place);
    }
    return sets;
  }

  /// What was swapped is known without a look.
  void apply(const dns::Name& zone, const std::vector<Swap>& swaps) {
    const std::scoped_lock lock(mutex_);
    SetsByOwner& known = zones_[zone];
    for (const Swap& swap : swaps) {
      const Result<dns::Name> owner = dns::Name::parse(name_of(swap));
      const auto place = owner ? known.find(*owner) : known.end();
      if (place == known.end()) continue;
      if (swap.before) std::erase(place->second, *swap.before);
      if (swap.after) place->second.push_back(*swap.after);
    }
  }

  void forget(const dns::Name& zone, const std::vector<dns::Name>& owners) {
    const std::scoped_lock lock(mutex_);
    for (const dns::Name& owner : owners)
      zones_[zone].erase(owner);
  }

 private:
  std::mutex mutex_;
  std::map<dns::Name, SetsByOwner> zones_;
};

// A change that is not known to be served.
struct Change {
  std::string id;  // "": its answer was lost
  std::chrono::steady_clock::time_point made;
};

// The last one of each zone.
class Pending {
 public:
  void put(const dns::Name& zone, Change change) {
    const std::scoped_lock lock(mutex_);
    changes_.insert_or_assign(zone, std::move(change));
  }
  std::optional<Change> take(const dns::Name& zone) {
    const std::scoped_lock lock(mutex_);
    const auto place = changes_.find(zone);
    if (place == changes_.end()) return std::nullopt;
    Change change = std::move(place->second);
    changes_.erase(place);
    return change;
  }

 private:
  std::mutex mutex_;
  std::map<dns::Name, Change> changes_;
};

class Route53 final : public DnsProvider {
 public:
  Route53(std::unique_ptr<Route53Client> client, const io::Services& services)
      : client_(std::move(client)),
        services_(services),
        zones_(*client_),
        capabilities_(capabilities_at(client_->rates())) {}

  const Capabilities& capabilities() const override { return capabilities_; }

  std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                            const Watch& watch) override {
    return zones_.find(names, watch.stop);
  }

  std::vector<Result<std::vector<dns::RecordSet>>> read(const std::vector<ZoneQuery>& queries,
                                                        const Watch& watch) override {
    auto parts =
        parallel_map(queries, client_->concurrency(), watch.stop, [&](const ZoneQuery& query) {
          const Result<SetsByOwner> sets = read_zone(query.zone, query.owners, watch.stop);
          watch.advanced(query.owners.size());
          return sets ? Result<std::vector<dns::RecordSet>>(record_sets(*sets)) : fail(sets);
        });
    std::vector<Result<std::vector<dns::RecordSet>>> results;
    results.reserve(parts.size());
    for (auto& part : parts)
      results.push_back(part ? std::move(*part)
                             : fail(Code::cancelled, "stopped before it was read"));
    return results;
  }

  // One change a zone, and what it takes to see each served.
  std::size_t write_requests(const std::vector<ZoneQuery>& queries) const override {
    const std::size_t waiting = std::min(queries.size(), capabilities_.write_concurrency);
    return queries.size() * (1 + polls_until(usual_propagation, waiting, client_->rates()));
  }
  std::vector<io::Rate> rates() const override { return client_->rates(); }

  // The service compares: a DELETE of what is there no longer fails, and the CREATE with it.
  Result<Done> write(const dns::Name& zone, const std::vector<RecordEdit>& edits) override {
    const Result<HostedZone> hosted = zones_.zone(zone);
    if (!hosted) return fail(hosted);
    return Writing(*this, zone, *hosted, edits).run();
  }

  Result<Done> wait_served(const dns::Name& zone, Duration deadline, const Watch& watch) override {
    const std::optional<Change> change = pending_.take(zone);
    if (!change) return Done{};
    const Waiting waiting(waiting_);
    if (!change->id.empty()) return wait_for(zone, *change, deadline, watch.stop);
    // Nobody can be asked about a change whose id was lost.
    sleep_until(change->made + std::min<Duration>(deadline, usual_propagation), watch.stop);
    return Done{};
  }

 private:
  // Counts who waits.
  class Waiting {
   public:
    explicit Waiting(std::atomic<std::size_t>& count) : count_(count) { ++count_; }
    ~Waiting() { --count_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    std::atomic<std::size_t>& count_;
  };

  // One call of write(): tries, and looks again after what went wrong.
  class Writing {
   public:
    Writing(Route53& provider, const dns::Name& zone, const HostedZone& hosted,
            const std::vector<RecordEdit>& edits)
        : provider_(provider),
          zone_(zone),
          hosted_(hosted),
          edits_(edits),
          owners_(query_of(zone, edits).owners) {}

    Result<Done> run() {
      std::optional<SetsByOwner> live = provider_.memory_.recall(zone_, owners_);
      // What was seen earlier serves only to replace it: "done" and "conflict" need a look.
      if (live && needs_a_look(*live)) live.reset();
      Result<Done> last = Done{};
      for (int attempt = 1; attempt <= most_tries; ++attempt) {
        if (!last && is_lost(last.error().code))
          pause_before(attempt, first_pause, provider_.services_);
        if (!live) {
          Result<SetsByOwner> read = provider_.read_zone(zone_, owners_, {});
          if (!read) return last ? fail(read) : unknown_outcome(last.error(), read.error());
          live = std::move(*read);
          looked_ = true;
        }
        const Result<std::vector<Batch>> work = compare(*live);
        if (!work) return fail_at(work, zone_.text());
        if (work->empty()) return done(last);
        const bool had_looked = std::exchange(looked_, false);
        last = send(*work);
        if (last) return last;
        // Refused though it was as we saw it: for a reason that another look does not change.
        if (last.error().code == Code::conflict ? had_looked : !is_lost(last.error().code))
          return last;
        live.reset();
      }
      return last;
    }

   private:
    bool needs_a_look(const SetsByOwner& live) const {
      const Result<std::vector<Batch>> work = compare(live);
      // Of several requests none may be sent unless all would be taken.
      return !work || work->size() != 1 || work->front().swaps.size() != edits_.size();
    }

    Result<std::vector<Batch>> compare(const SetsByOwner& live) const {
      if (const auto same = check_expected(record_sets(live), edits_); !same) return fail(same);
      const Result<std::vector<Swap>> wanted = swaps(flat(live), edits_);
      return wanted ? batches(*wanted) : fail(wanted);
    }

    Result<Done> send(const std::vector<Batch>& work) {
      for (const Batch& batch : work) {
        const Result<ChangeInfo> change = provider_.client_->change(hosted_, batch.body);
        if (!change) {
          provider_.memory_.forget(zone_, owners_);
          return fail(change);
        }
        provider_.memory_.apply(zone_, batch.swaps);
        provider_.pending_.put(zone_, {change->id, provider_.services_.clock.steady()});
      }
      return Done{};
    }

    // A look shows that nothing is left to do. After a failure that is news: a change whose answer
    // was lost, or another's, which must be served too.
    Result<Done> done(const Result<Done>& last) {
      if (!last) provider_.pending_.put(zone_, {{}, provider_.services_.clock.steady()});
      return Done{};
    }

    Route53& provider_;
    const dns::Name& zone_;
    const HostedZone& hosted_;
    const std::vector<RecordEdit>& edits_;
    const std::vector<dns::Name> owners_;
    bool looked_ = false;  // since the last request
  };

  Result<SetsByOwner> read_zone(const dns::Name& zone, const std::vector<dns::Name>& owners,
                                const std::stop_token& stop) {
    const Result<HostedZone> hosted = zones_.zone(zone);
    if (!hosted) return fail(hosted);
    Result<SetsByOwner> sets = read_owners(*client_, *hosted, owners, stop);
    if (sets) memory_.keep(zone, *sets);
    return sets;
  }

  void sleep_until(std::chrono::steady_clock::time_point end, const std::stop_token& stop) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - services_.clock.steady());
    if (left.count() > 0) services_.clock.sleep(left, stop);
  }

  Result<Done> wait_for(const dns::Name& zone, const Change& change, Duration deadline,
                        const std::stop_token& stop) const {
    const auto end = services_.clock.steady() + deadline;
    auto asked_at = change.made;
    for (std::size_t asked = 1; services_.clock.steady() < end; ++asked) {
      const auto delay = poll_delay(asked, waiting_, client_->rates());
      sleep_until(std::min(asked_at + delay, end), stop);
      if (stop.stop_requested())
        return fail(Code::cancelled, "stopped before the change was served", zone.text());
      asked_at = services_.clock.steady();
      const Result<ChangeInfo> status = client_->change_status(change.id);
      if (status && status->in_sync) return Done{};
      if (!status && !is_lost(status.error().code) && status.error().code != Code::rate_limited)
        return fail(status);
    }
    return fail(Code::timeout,
                fmt::format("change {} of the zone {} is made but not yet served everywhere after "
                            "{}",
                            change.id, zone.text(), describe_duration(deadline)),
                {}, "run apply again: it goes on from there");
  }

  const std::unique_ptr<Route53Client> client_;
  const io::Services services_;
  ZoneIndex zones_;
  Memory memory_;
  Pending pending_;
  std::atomic<std::size_t> waiting_{0};
  const Capabilities capabilities_;
};

std::vector<SettingSpec> settings() {
  return with_api_settings(
      identity_settings("Region whose token service is asked, and which says whether the account "
                        "is in China, GovCloud or elsewhere"),
      route53_defaults());
}

Result<std::unique_ptr<DnsProvider>> open(const Settings& settings, const io::Services& services) {
  Result<std::unique_ptr<Route53Client>> client = Route53Client::open(settings, services);
  if (!client) return fail(client);
  return std::make_unique<Route53>(std::move(*client), services);
}

}  // namespace

DnsKind route53_kind() {
  return {"route53", "Amazon Route 53", settings(),
          capabilities_at(*io::parse_rates(route53_defaults().rate)), open};
}

}  // namespace stsctl::providers::aws
