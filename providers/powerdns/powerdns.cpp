#include "providers/powerdns/powerdns.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "providers/expected.h"
#include "providers/powerdns/spacing.h"
#include "providers/powerdns/view.h"
#include "providers/tries.h"

namespace stsctl::providers::powerdns {

namespace {

using plan::RecordEdit;

constexpr std::size_t reads_at_once = 8;
constexpr int most_tries = 8;
constexpr std::chrono::milliseconds first_pause{40};  // doubles with every further try

ApiDefaults defaults() {
  return {.concurrency = reads_at_once, .timeout = Duration(30)};
}

Capabilities capabilities_for(std::size_t writers) {
  return {.atomic_batch = true, .compare_and_swap = false, .write_concurrency = writers};
}

class PowerDns final : public DnsProvider {
 public:
  PowerDns(Client client, std::size_t writers, bool notify, const io::Services& services)
      : client_(std::move(client)),
        services_(services),
        view_(client_, services.clock),
        capabilities_(capabilities_for(writers)),
        spacing_(writers),
        notify_(notify) {}

  const Capabilities& capabilities() const override { return capabilities_; }

  std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                            const Watch& watch) override {
    const Result<std::vector<dns::Name>> zones =
        watch.stop.stop_requested() ? fail(Code::cancelled, "stopped before the zones were read")
                                    : load_zones();
    std::vector<Result<dns::Name>> found;
    found.reserve(names.size());
    for (const dns::Name& name : names)
      found.push_back(zones ? find_zone(*zones, name) : fail(zones));
    return found;
  }

  std::vector<Result<std::vector<dns::RecordSet>>> read(const std::vector<ZoneQuery>& queries,
                                                        const Watch& watch) override {
    std::vector<Result<std::vector<dns::RecordSet>>> results;
    results.reserve(queries.size());
    for (const auto& sets : view_.read(queries, client_.concurrency(), watch))
      results.push_back(sets ? Result<std::vector<dns::RecordSet>>(record_sets(*sets))
                             : fail(sets));
    return results;
  }

  void begin_writes(const std::vector<ZoneQuery>& queries, const Watch& /*watch*/) override {
    view_.prepare(queries);
  }

  std::size_t write_requests(const std::vector<ZoneQuery>& queries) const override {
    const std::size_t told = notify_ ? queries.size() : 0;
    return view_.look_requests(queries) + queries.size() + told;
  }
  std::vector<io::Rate> rates() const override { return client_.rates(); }

  // The API has no compare-and-swap: compare with what was read at most seconds ago, then write.
  // What broke on the way is looked up by going round again.
  Result<Done> write(const dns::Name& zone, const std::vector<RecordEdit>& edits) override {
    const ZoneQuery query = query_of(zone, edits);
    Result<std::vector<ApiSet>> live = view_.recent(query);
    view_.forget(zone);
    Result<Done> last = Done{};
    for (int attempt = 1; attempt <= most_tries; ++attempt) {
      pause_before(attempt, first_pause, services_);
      if (attempt > 1) live = view_.read_whole(query);
      if (!live)
        return attempt == 1 ? fail_at(live, zone.text())
                            : unknown_outcome(last.error(), live.error());
      const Result<std::string> body = compare(*live, edits);
      if (!body) return fail_at(body, zone.text());
      if (body->empty()) return Done{};
      last = patch(zone, *body);
      if (last || !worth_another_look(last.error().code)) return last;
    }
    return last;
  }

  Result<Done> wait_served(const dns::Name& zone, Duration /*deadline*/,
                           const Watch& /*watch*/) override {
    if (!notify_ || !is_primary(zone)) return Done{};
    Result<Done> told = client_.notify(zone.text() + ".");
    if (!told)
      told.error().hint = "the records are written; secondaries see them when they next look";
    return told;
  }

 private:
  Result<std::vector<dns::Name>> load_zones() {
    Result<std::vector<ZoneInfo>> zones = client_.zones();
    if (!zones) return fail(zones);
    std::vector<dns::Name> names;
    names.reserve(zones->size());
    for (const ZoneInfo& zone : *zones)
      names.push_back(zone.name);
    std::ranges::sort(names);
    view_.set_size(zones->size());
    const std::scoped_lock lock(mutex_);
    zones_.clear();
    for (ZoneInfo& zone : *zones)
      zones_.insert_or_assign(zone.name, std::move(zone));
    return names;
  }

  Result<dns::Name> find_zone(const std::vector<dns::Name>& zones, const dns::Name& name) {
    const dns::Name* zone = dns::longest_zone(zones, name);
    if (zone == nullptr)
      return fail(Code::not_found, "the server has no zone for this name", name.text(),
                  "create the zone there, or name another 'dns' account for the domain");
    const std::scoped_lock lock(mutex_);
    const ZoneInfo& known = zones_.at(*zone);
    if (known.is_secondary())
      return fail(Code::unsupported,
                  fmt::format("the zone {} is a secondary on this server ({}): its records come "
                              "from its primary",
                              zone->text(), known.kind),
                  name.text(), "name the account of the primary server for this domain");
    return *zone;
  }

  bool is_primary(const dns::Name& zone) {
    const std::scoped_lock lock(mutex_);
    const auto found = zones_.find(zone);
    return found != zones_.end() && found->second.is_primary();
  }

  static Result<std::string> compare(const std::vector<ApiSet>& live,
                                     const std::vector<RecordEdit>& edits) {
    if (const auto same = check_expected(record_sets(live), edits); !same) return fail(same);
    return patch_body(live, edits);
  }

  Result<Done> patch(const dns::Name& zone, const std::string& body) {
    const auto wait = spacing_.wait(services_.clock.steady());
    services_.clock.sleep(std::chrono::ceil<std::chrono::milliseconds>(wait), services_.stop);
    const auto begin = services_.clock.steady();
    Result<Done> written = client_.patch(zone.text() + ".", body);
    spacing_.took(services_.clock.steady() - begin);
    return written;
  }

  static bool worth_another_look(Code code) {
    return code == Code::internal || code == Code::unreachable || code == Code::timeout ||
           code == Code::protocol;
  }

  const Client client_;
  const io::Services services_;
  View view_;
  const Capabilities capabilities_;
  Spacing spacing_;
  const bool notify_;
  std::mutex mutex_;
  std::unordered_map<dns::Name, ZoneInfo> zones_;
};

std::vector<SettingSpec> settings() {
  return with_api_settings(
      {
          {.name = "api_key",
           .type = SettingType::secret,
           .description = "The server's 'api-key'",
           .required = true},
          {.name = "server",
           .type = SettingType::text,
           .description = "Id of the server in the API's paths",
           .fallback = "localhost"},
          {.name = "notify",
           .type = SettingType::boolean,
           .description = "Send NOTIFY to the secondaries of a primary zone after each change",
           .fallback = "false"},
      },
      defaults());
}

Result<std::unique_ptr<DnsProvider>> open(const Settings& settings, const io::Services& services) {
  Result<Api> api = open_api(settings, services, defaults());
  if (!api) return fail(api);
  // A SQLite database takes one writer at a time: more only if somebody says so.
  const std::size_t writers = settings.has("concurrency") ? api->concurrency : 1;
  return std::make_unique<PowerDns>(
      Client(std::move(*api), settings.text("server", "localhost"), settings.text("api_key")),
      writers, settings.boolean("notify"), services);
}

}  // namespace

DnsKind kind() {
  return {"powerdns", "HTTP API of the PowerDNS authoritative server", settings(),
          capabilities_for(1), open};
}

}  // namespace stsctl::providers::powerdns
