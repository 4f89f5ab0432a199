#include "providers/cloudflare/dns.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "providers/careful_write.h"
#include "providers/cloudflare/batch.h"
#include "providers/cloudflare/client.h"
#include "providers/cloudflare/zones.h"
#include "providers/expected.h"
#include "providers/tries.h"

namespace stsctl::providers::cloudflare {

namespace {

using plan::RecordEdit;

constexpr int most_tries = 4;
constexpr std::chrono::milliseconds first_pause{200};  // doubles with every further try
constexpr std::size_t longest_comment = 500;           // of paid plans; 100 of free ones
constexpr std::size_t default_concurrency = 16;
// A CNAME that makes way for A and AAAA.
constexpr std::size_t most_operations_a_name = 3;

Capabilities capabilities_for(std::size_t concurrency) {
  return {.atomic_batch = true,
          .compare_and_swap = false,
          .minimum_ttl = Duration(60),
          .automatic_ttl = true,
          .write_concurrency = concurrency};
}

class Cloudflare final : public DnsProvider {
 public:
  Cloudflare(std::unique_ptr<Client> client, RecordStyle style, const io::Services& services)
      : client_(std::move(client)),
        style_(std::move(style)),
        services_(services),
        capabilities_(capabilities_for(client_->concurrency())) {}

  const Capabilities& capabilities() const override { return capabilities_; }

  std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                            const Watch& watch) override {
    std::vector<Result<dns::Name>> found;
    found.reserve(names.size());
    Result<std::vector<Zone>> zones =
        watch.stop.stop_requested() ? fail(Code::cancelled, "stopped before it was looked for")
                                    : client_->zones();
    if (!zones) {
      found.assign(names.size(), fail(zones));
      return found;
    }
    const ZoneIndex index(std::move(*zones));
    std::optional<ZoneIndex> everywhere;
    for (const dns::Name& name : names) {
      Result<Zone> zone = index.find(name);
      if (!zone && zone.error().code == Code::not_found)
        zone = std::unexpected(missing(name, index.empty(), everywhere));
      found.push_back(zone ? Result<dns::Name>(remember(*zone)) : fail(zone));
    }
    return found;
  }

  std::vector<Result<std::vector<dns::RecordSet>>> read(const std::vector<ZoneQuery>& queries,
                                                        const Watch& watch) override {
    auto parts = parallel_map(queries, client_->concurrency(), watch.stop,
                              [&](const ZoneQuery& query) -> Result<std::vector<dns::RecordSet>> {
                                const auto records = read_zone(query);
                                watch.advanced(query.owners.size());
                                if (!records) return fail(records);
                                return record_sets(*records);
                              });
    std::vector<Result<std::vector<dns::RecordSet>>> results;
    results.reserve(queries.size());
    for (auto& part : parts)
      results.push_back(part ? std::move(*part)
                             : fail(Code::cancelled, "stopped before it was read"));
    return results;
  }

  // A look and a batch a zone.
  std::size_t write_requests(const std::vector<ZoneQuery>& queries) const override {
    std::size_t requests = 0;
    for (const ZoneQuery& query : queries) {
      const std::size_t limit = limit_of(query.zone);
      requests += 1 + (query.owners.size() * most_operations_a_name + limit - 1) / limit;
    }
    return requests;
  }
  std::vector<io::Rate> rates() const override { return client_->rates(); }

  // The API has no compare-and-swap: look, compare, write. What broke on the way, or met another
  // writer, is looked up by going round again.
  Result<Done> write(const dns::Name& name, const std::vector<RecordEdit>& edits) override {
    const ZoneQuery query = query_of(name, edits);
    // The API would take a name of another zone for one below this zone.
    if (const auto inside = check_inside(name, edits); !inside) return inside;
    Result<Done> last = Done{};
    bool refused = false;  // for a record in the way
    for (int attempt = 1; attempt <= most_tries; ++attempt) {
      pause_before(attempt, first_pause, services_);
      const Result<Zone> zone = zone_named(name);
      const Result<std::vector<Record>> live = zone ? read_zone(query) : fail(zone);
      if (!live)
        return attempt == 1 ? fail_at(live, name.text())
                            : unknown_outcome(last.error(), live.error());
      const Result<std::vector<std::string>> bodies = compare(*zone, *live, edits);
      if (!bodies) return fail_at(bodies, name.text());
      last = send(*zone, *bodies);
      if (last || !worth_another_look(last.error().code)) return last;
      // It may be the one wanted, of a request whose answer was lost; else it will stay in the way.
      if (last.error().code == Code::conflict && std::exchange(refused, true)) return last;
    }
    return last;
  }

 private:
  dns::Name remember(const Zone& zone) {
    const std::scoped_lock lock(mutex_);
    zones_.insert_or_assign(zone.name, zone);
    return zone.name;
  }

  std::optional<Zone> known(const dns::Name& name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = zones_.find(name);
    return found == zones_.end() ? std::nullopt : std::optional(found->second);
  }

  Result<Zone> zone_named(const dns::Name& name) {
    if (auto zone = known(name)) return *std::move(zone);
    Result<std::vector<Zone>> zones = client_->zones_named(name);
    if (!zones) return fail(zones);
    const Result<Zone> zone = ZoneIndex(std::move(*zones)).find(name);
    if (zone) remember(*zone);
    return zone;
  }

  std::size_t limit_of(const dns::Name& name) const {
    const auto zone = known(name);
    return zone ? zone->batch_limit() : Zone{name, {}, {}, {}, {}, {}, {}}.batch_limit();
  }

  // Why no zone was found: is it in another account? `everywhere` is listed once.
  Error missing(const dns::Name& name, bool none_at_all, std::optional<ZoneIndex>& everywhere) {
    if (!client_->account().empty()) {
      if (!everywhere) everywhere.emplace(client_->zones(true).value_or(std::vector<Zone>{}));
      if (const auto elsewhere = everywhere->find(name))
        return {Code::not_found,
                fmt::format("the zone {} is in account {}, not in the one named",
                            elsewhere->name.text(), elsewhere->account()),
                name.text(), "correct 'account', or leave it out"};
    }
    return {Code::not_found, "no zone at Cloudflare holds this name", name.text(),
            none_at_all ? "the credentials show no zone at all: a token needs Zone > Zone > Read "
                          "for the zones it is to manage"
                        : "add the zone there, let the token see it (Zone > Zone > Read), or name "
                          "another 'dns' account for the domain"};
  }

  Result<std::vector<Record>> read_zone(const ZoneQuery& query) {
    const Result<Zone> zone = zone_named(query.zone);
    if (!zone) return fail(zone);
    const std::string filter = name_filter(query.zone, query.owners);
    Result<std::vector<Record>> records = client_->records(*zone, filter);
    if (!records && records.error().code == Code::invalid && !filter.empty())
      records = client_->records(*zone, {});  // a service that knows no such filter
    if (!records) return records;
    const std::unordered_set<dns::Name> wanted(query.owners.begin(), query.owners.end());
    std::erase_if(*records, [&](const Record& record) { return !wanted.contains(record.owner); });
    return records;
  }

  Result<std::vector<std::string>> compare(const Zone& zone, const std::vector<Record>& live,
                                           const std::vector<RecordEdit>& edits) const {
    const Result<std::vector<RecordEdit>> stored = storable(live, edits, style_);
    if (!stored) return fail(stored);
    if (const auto same = check_expected(record_sets(live), *stored); !same) return fail(same);
    return batches(live, *stored, zone.batch_limit(), style_);
  }

  Result<Done> send(const Zone& zone, const std::vector<std::string>& bodies) const {
    for (const std::string& body : bodies)
      if (const auto sent = client_->batch(zone, body); !sent) return sent;
    return Done{};
  }

  const std::unique_ptr<Client> client_;
  const RecordStyle style_;
  const io::Services services_;
  const Capabilities capabilities_;
  mutable std::mutex mutex_;
  std::unordered_map<dns::Name, Zone> zones_;
};

std::vector<SettingSpec> settings() {
  return account_settings({
      {.name = "proxied",
       .type = SettingType::boolean,
       .description = "Whether address records that are written are behind Cloudflare's proxy",
       .fallback = "as they are; new ones are not"},
      {.name = "comment",
       .type = SettingType::text,
       .description = "Comment for records that are written and have none"},
  });
}

Result<std::unique_ptr<DnsProvider>> open(const Settings& settings, const io::Services& services) {
  RecordStyle style{{}, settings.text("comment")};
  if (settings.has("proxied")) style.proxied = settings.boolean("proxied");
  if (style.comment.size() > longest_comment || !is_utf8(style.comment))
    return fail(Code::invalid, "'comment' is no text of at most 500 bytes",
                settings.where("comment"), "free plans take 100 characters");
  Result<std::unique_ptr<Client>> client = open_client(settings, services);
  if (!client) return fail(client);
  return std::make_unique<Cloudflare>(std::move(*client), std::move(style), services);
}

}  // namespace

DnsKind dns_kind() {
  return {.name = "cloudflare",
          .summary = "Zones at Cloudflare",
          .settings = settings(),
          .capabilities = capabilities_for(default_concurrency),
          .make = open};
}

}  // namespace stsctl::providers::cloudflare
