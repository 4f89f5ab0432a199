#pragma once
// The two seams: where records live and where policies are served. The contract is in words here
// and in cases in tests/contract. Providers do I/O only through the io:: interfaces they are given.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "dns/record_set.h"
#include "io/http_limits.h"
#include "io/services.h"
#include "plan/plan.h"

namespace stsctl::providers {

/// How a long call is watched and cut short.
struct Watch {
  std::stop_token stop;                            ///< Once requested, nothing new is started.
  std::function<void(std::size_t count)> advance;  ///< Called as items are done; may be empty.

  void advanced(std::size_t count) const {
    if (advance) advance(count);
  }
};

/// What a provider can do, as data: the engine and the plan go by it, the contract suite checks it.
struct Capabilities {
  bool atomic_batch = false;          ///< A write() of several edits happens wholly or not at all.
  bool compare_and_swap = false;      ///< The service itself checks `before`; else a re-read does.
  Duration minimum_ttl{1};            ///< Smaller wanted TTLs are raised to this.
  bool automatic_ttl = false;         ///< TTL 0 ("auto") can be stored and is read back as 0.
  std::size_t write_concurrency = 1;  ///< Zones written at once.
};

/// The owner names wanted of one zone.
struct ZoneQuery {
  dns::Name zone;
  std::vector<dns::Name> owners;
};

/// One account at one DNS provider. Calls may come from any thread; calls to write() for one zone
/// never overlap. No Error holds a secret. A failure is that zone's own and stops no other.
class DnsProvider {
 public:
  virtual ~DnsProvider() = default;

  virtual const Capabilities& capabilities() const = 0;

  /// The zone of this account that holds each name, the longest match; results pair with `names`.
  /// Code::not_found when there is none; Code::conflict, naming both, when two zones of that name
  /// could be meant.
  virtual std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                                    const Watch& watch) = 0;

  /// Every record set at the given owners, all types (those stsctl does not manage as Type::other,
  /// without values, as far as the service shows them; those it must leave alone as Type::locked),
  /// values decoded and canonical. An owner without records yields nothing, not an error. Results
  /// pair with `queries`.
  virtual std::vector<Result<std::vector<dns::RecordSet>>> read(
      const std::vector<ZoneQuery>& queries, const Watch& watch) = 0;

  /// Called once just before a wave of write() calls, with every zone and owner they will touch, so
  /// that a provider which compares by re-reading can do it in bulk. What it finds may be used by
  /// those writes while it is a few seconds old, no longer. A failure shows in write().
  virtual void begin_writes(const std::vector<ZoneQuery>& queries, const Watch& watch) {
    static_cast<void>(queries), static_cast<void>(watch);
  }

  /// How many requests begin_writes(`queries`) and one write() a zone send at most, where nothing
  /// fails; 0: nobody counts them (files, name servers).
  virtual std::size_t write_requests(const std::vector<ZoneQuery>& queries) const {
    static_cast<void>(queries);
    return 0;
  }
  /// What the service allows; empty: as many as it answers.
  virtual std::vector<io::Rate> rates() const { return {}; }

  /// Makes each edit's (owner, type) equal to its `after` (none: gone) and touches nothing else.
  /// Where an edit's live set is neither `before` nor `after` nothing of the batch is written:
  /// Code::conflict, with what is there now; so it is where a record would come to stand beside a
  /// CNAME. Code::invalid for an owner outside the zone. What is equal to `after` already is done.
  /// Values that stay keep the form they have. A lost answer is looked up, not repeated blindly.
  virtual Result<Done> write(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits) = 0;

  /// Called once after the last write to a zone: returns when the change is served, or right away
  /// where writes are immediate. Code::timeout past `deadline`.
  virtual Result<Done> wait_served(const dns::Name& zone, Duration deadline, const Watch& watch) {
    static_cast<void>(zone), static_cast<void>(deadline), static_cast<void>(watch);
    return Done{};
  }
};

/// Where policies are served for https://mta-sts.DOMAIN/.well-known/mta-sts.txt. Same rules for
/// threads, errors and secrets as DnsProvider.
class PolicyHost {
 public:
  virtual ~PolicyHost() = default;

  /// How many policies may be read or written at once is the host's own business: it is given many.
  /// The body stored for each domain; no value: none is. Results pair with `domains`.
  virtual std::vector<Result<std::optional<std::string>>> read(
      const std::vector<dns::Name>& domains, const Watch& watch) = 0;

  /// Makes each policy file equal to its `after` (none: gone), atomically one by one: a reader sees
  /// the old body or the new one. Code::conflict where the live body is neither `before` nor
  /// `after`. Results pair with `edits`.
  virtual std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                          const Watch& watch) = 0;

  /// How many requests it takes at most, where nothing fails, to write so many policies and to read
  /// them once; 0: nobody counts them (files).
  virtual std::size_t write_requests(std::size_t policies) const {
    static_cast<void>(policies);
    return 0;
  }
  virtual std::size_t read_requests(std::size_t policies) const {
    static_cast<void>(policies);
    return 0;
  }
  /// What the service allows; empty: as many as it answers.
  virtual std::vector<io::Rate> rates() const { return {}; }

  /// The address record mta-sts.`domain` needs, from the settings or from what the host is; none
  /// when the host makes it itself.
  virtual std::optional<plan::Address> address(const dns::Name& domain) const = 0;

  /// The longest time a cache in front may serve an older body.
  virtual Duration edge_delay() const { return Duration{0}; }

  /// Does it serve what the configuration says, and can be given nothing else?
  virtual bool as_configured() const { return false; }
};

using MakeDns =
    std::function<Result<std::unique_ptr<DnsProvider>>(const Settings&, const io::Services&)>;
using MakeHost =
    std::function<Result<std::unique_ptr<PolicyHost>>(const Settings&, const io::Services&)>;

/// One line of the registry: what `provider: NAME` stands for under `dns:` or `hosts:`.
struct DnsKind {
  std::string name;     ///< "zonefile", as in `provider: zonefile`.
  std::string summary;  ///< One line for `stsctl providers`.
  std::vector<SettingSpec> settings;
  Capabilities capabilities;  ///< With default settings.
  MakeDns make;
};
struct HostKind {
  std::string name;
  std::string summary;
  std::vector<SettingSpec> settings;
  MakeHost make;
};

/// Every provider built in, in alphabetical order (providers/registry.cpp).
const std::vector<DnsKind>& dns_kinds();
const std::vector<HostKind>& host_kinds();

}  // namespace stsctl::providers
