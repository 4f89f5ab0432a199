#include "providers/rfc2136/rfc2136.h"

#include <algorithm>
#include <mutex>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "providers/account.h"
#include "providers/expected.h"
#include "providers/rfc2136/reader.h"
#include "providers/tries.h"

namespace stsctl::providers::rfc2136 {

namespace {

using plan::RecordEdit;

constexpr std::int64_t usual_concurrency = 4;
constexpr std::int64_t usual_timeout = 10;  // seconds
constexpr std::size_t names_at_once = 256;  // asked in one pipeline
constexpr std::size_t zones_at_once = 64;
constexpr int most_tries = 6;
constexpr std::chrono::milliseconds first_pause{50};  // doubles with every further try

Capabilities capabilities_for(std::size_t concurrency) {
  return {.atomic_batch = true, .compare_and_swap = true, .write_concurrency = concurrency};
}

std::vector<dns::RecordSet> sets_of(const std::vector<LiveSet>& live) {
  std::vector<dns::RecordSet> sets;
  sets.reserve(live.size());
  for (const LiveSet& one : live)
    sets.push_back(one.set);
  return sets;
}

// The pieces of `all`, each of at most `size`.
template <class T>
std::vector<std::span<const T>> chunks(const std::vector<T>& all, std::size_t size) {
  std::vector<std::span<const T>> pieces;
  for (std::span<const T> rest = all; !rest.empty();) {
    pieces.push_back(rest.first(std::min(size, rest.size())));
    rest = rest.subspan(pieces.back().size());
  }
  return pieces;
}

class Updates final : public DnsProvider {
 public:
  Updates(Server server, std::vector<dns::Name> zones, std::size_t concurrency,
          const std::vector<io::Rate>& rates, const io::Services& services)
      : server_(std::move(server)),
        zones_(std::move(zones)),
        services_(services),
        capabilities_(capabilities_for(concurrency)) {
    if (!rates.empty()) turns_.emplace(services.clock, rates, services.stop);
  }

  const Capabilities& capabilities() const override { return capabilities_; }

  std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                            const Watch& watch) override {
    if (!zones_.empty()) return find_listed(names);
    return map_chunks<dns::Name>(names, names_at_once, watch, [&](Session& session, auto piece) {
      return find_cuts(session, server_.key, piece);
    });
  }

  std::vector<Result<std::vector<dns::RecordSet>>> read(const std::vector<ZoneQuery>& queries,
                                                        const Watch& watch) override {
    using Sets = std::vector<dns::RecordSet>;
    return map_chunks<Sets>(queries, zones_at_once, watch, [&](Session& session, auto piece) {
      std::vector<Result<Sets>> results;
      for (const auto& live : read_live(session, server_.key, piece))
        results.push_back(live ? Result<Sets>(sets_of(*live)) : fail(live));
      for (const ZoneQuery& query : piece)
        watch.advanced(query.owners.size());
      return results;
    });
  }

  Result<Done> write(const dns::Name& zone, const std::vector<RecordEdit>& edits) override {
    if (const auto inside = check_inside(zone, edits); !inside) return inside;
    std::unique_ptr<Session> session = take();
    const Result<Done> result = write_with(*session, zone, edits);
    give_back(std::move(session));
    if (!result) return fail_at(result, zone.text());
    return result;
  }

 private:
  std::vector<Result<dns::Name>> find_listed(const std::vector<dns::Name>& names) const {
    std::vector<Result<dns::Name>> found;
    found.reserve(names.size());
    for (const dns::Name& name : names) {
      const dns::Name* zone = dns::longest_zone(zones_, name);
      if (zone != nullptr)
        found.emplace_back(*zone);
      else
        found.emplace_back(fail(Code::not_found, "none of the listed 'zones' holds this name",
                                name.text(), "add its zone to 'zones', or leave 'zones' out"));
    }
    return found;
  }

  // `work` over the pieces of `items`, several sessions side by side, the results in one row.
  template <class Value, class Item, class Work>
  std::vector<Result<Value>> map_chunks(const std::vector<Item>& items, std::size_t size,
                                        const Watch& watch, Work work) {
    const std::size_t width = capabilities_.write_concurrency;
    const std::size_t fair = (items.size() + width - 1) / width;
    const auto pieces = chunks(items, std::clamp<std::size_t>(fair, 1, size));
    auto parts = parallel_map(pieces, width, watch.stop, [&](const auto& piece) {
      std::unique_ptr<Session> session = take();
      auto results = work(*session, piece);
      give_back(std::move(session));
      return results;
    });
    std::vector<Result<Value>> all;
    all.reserve(items.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i])
        parts[i].emplace(pieces[i].size(), fail(Code::cancelled, "stopped before it was read"));
      std::ranges::move(*parts[i], std::back_inserter(all));
    }
    return all;
  }

  // Read, compare, update with prerequisites, look. What broke on the way is looked up by going
  // round again: an update that had happened is found done, one that had not is sent once more, and
  // one still on its way fails its prerequisites or ours.
  Result<Done> write_with(Session& session, const dns::Name& zone,
                          const std::vector<RecordEdit>& edits) {
    const ZoneQuery query = query_of(zone, edits);
    Result<Done> last = Done{};
    for (int attempt = 1; attempt <= most_tries; ++attempt) {
      pause_before(attempt, first_pause, services_);
      const auto live = read_live(session, server_.key, {&query, 1}).front();
      // After an update whose answer was lost, say what is not known.
      if (!live) return attempt == 1 ? fail(live) : unknown_outcome(last.error(), live.error());
      const Result<Update> update = prepare(session, zone, *live, edits);
      if (!update) return fail(update);
      if (update->updates.empty()) return Done{};
      last = send(session, {zone, update->prerequisites, update->updates});
      if (last) return look(session, query, edits);
      if (!worth_another_look(last.error().code) || services_.stop.stop_requested()) return last;
    }
    return last;
  }

  Result<Update> prepare(Session& session, const dns::Name& zone, const std::vector<LiveSet>& live,
                         const std::vector<RecordEdit>& edits) const {
    if (const auto same = check_expected(sets_of(live), edits); !same) return fail(same);
    std::optional<Record> soa;
    if (std::ranges::any_of(edits, only_ttl)) {
      const auto reply = session.ask({{zone.text(), type::soa}}).front();
      if (!reply) return fail(reply);
      const auto found = std::ranges::find(reply->answer, type::soa, &Record::type);
      if (found != reply->answer.end()) soa = *found;
    }
    return make_changes(live, soa, edits);
  }

  Result<Done> send(Session& session, const UpdateRequest& request) const {
    const Result<Reply> reply = session.update(request);
    if (!reply) return fail(reply);
    switch (reply->rcode) {
      case rcode::no_error:
        return Done{};
      case rcode::yx_domain:
      case rcode::yx_rrset:
      case rcode::nx_rrset:
      case rcode::nx_domain:
        return fail(Code::conflict,
                    fmt::format("the zone changes under our hands ({})", rcode_name(reply->rcode)),
                    request.zone.text(), "run plan again; does the server answer from a cache?");
      default:
        return std::unexpected(refusal(*reply, server_.key, Purpose::update, request.zone.text()));
    }
  }

  static bool worth_another_look(Code code) {
    // internal is SERVFAIL: PowerDNS on SQLite says it while another writer holds the database.
    return code == Code::internal || code == Code::conflict || code == Code::unreachable ||
           code == Code::timeout || code == Code::protocol;
  }

  // A server may pass over part of an update and still say NOERROR (RFC 2136 §3.4.2.2).
  Result<Done> look(Session& session, const ZoneQuery& query,
                    const std::vector<RecordEdit>& edits) const {
    const auto live = read_live(session, server_.key, {&query, 1}).front();
    if (!live) return fail(live);
    const std::vector<dns::RecordSet> sets = sets_of(*live);
    for (const RecordEdit& edit : edits) {
      const dns::RecordSet& named = subject(edit);
      const auto found = std::ranges::find_if(sets, [&](const dns::RecordSet& set) {
        return set.owner == named.owner && set.type == named.type;
      });
      const bool done =
          edit.after ? found != sets.end() && *found == *edit.after : found == sets.end();
      if (!done)
        return fail(Code::conflict,
                    fmt::format("the server accepted the update, but {} {} is not as it was sent",
                                named.owner.text(), dns::to_string(named.type)),
                    {}, "see the server's log: a policy there may pass over the record");
    }
    return Done{};
  }

  // Connections are kept from one call to the next.
  std::unique_ptr<Session> take() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty())
      return std::make_unique<Session>(server_, services_, turns_ ? &*turns_ : nullptr);
    std::unique_ptr<Session> session = std::move(idle_.back());
    idle_.pop_back();
    return session;
  }

  void give_back(std::unique_ptr<Session> session) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(session));
  }

  const Server server_;
  const std::vector<dns::Name> zones_;
  const io::Services services_;
  const Capabilities capabilities_;
  std::optional<io::Turns> turns_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Session>> idle_;
};

std::vector<SettingSpec> settings() {
  return {
      {.name = "server",
       .type = SettingType::text,
       .description = "Address or name of the zones' primary server.",
       .required = true},
      {.name = "port",
       .type = SettingType::integer,
       .description = "TCP port of the server.",
       .fallback = "53",
       .least = 1,
       .most = 65535},
      {.name = "key",
       .type = SettingType::object,
       .description = "TSIG key that signs every query and update.",
       .required = true,
       .fields = {{.name = "name",
                   .type = SettingType::name,
                   .description = "Name of the key, as the server has it.",
                   .required = true},
                  {.name = "algorithm",
                   .type = SettingType::choice,
                   .description = "Algorithm of the key.",
                   .fallback = "hmac-sha256",
                   .choices = {"hmac-sha1", "hmac-sha256", "hmac-sha512"}},
                  {.name = "secret",
                   .type = SettingType::secret,
                   .description = "The shared secret, in base64.",
                   .required = true}}},
      {.name = "zones",
       .type = SettingType::list,
       .description = "The zones to manage; left out, the server is asked for the zone of each "
                      "name."},
      {.name = "concurrency",
       .type = SettingType::integer,
       .description = "Connections used at once.",
       .fallback = std::to_string(usual_concurrency),
       .least = 1,
       .most = 64},
      rate_setting("none"),
      {.name = "timeout",
       .type = SettingType::duration,
       .description = "Longest wait for one answer.",
       .fallback = "10s",
       .least = 1,
       .most = 600},
  };
}

Result<std::vector<dns::Name>> listed_zones(const Settings& settings) {
  std::vector<dns::Name> zones;
  for (const std::string& text : settings.list("zones")) {
    const Result<dns::Name> zone = dns::Name::parse(text);
    if (!zone) return fail_at(zone, settings.where("zones"));
    zones.push_back(*zone);
  }
  std::ranges::sort(zones);
  return zones;
}

Result<std::unique_ptr<DnsProvider>> open(const Settings& settings, const io::Services& services) {
  Result<std::vector<dns::Name>> zones = listed_zones(settings);
  if (!zones) return fail(zones);
  const Result<std::vector<io::Rate>> rates = read_rate(settings, "none");
  if (!rates) return fail(rates);
  Server server{settings.text("server"),
                static_cast<std::uint16_t>(settings.integer("port", 53)),
                Duration(settings.integer("timeout", usual_timeout)),
                {settings.text("key.name"), settings.text("key.algorithm", "hmac-sha256"),
                 settings.text("key.secret")}};
  // A key that cannot sign is found here, before anything is sent.
  if (const auto signs = make_query(0, "test", type::soa, server.key); !signs)
    return fail(signs.error().code, signs.error().what, settings.where("key.secret"),
                signs.error().hint);
  return std::make_unique<Updates>(
      std::move(server), std::move(*zones),
      static_cast<std::size_t>(settings.integer("concurrency", usual_concurrency)), *rates,
      services);
}

}  // namespace

DnsKind kind() {
  return {"rfc2136", "Signed DNS UPDATE at the primary: BIND, Knot, PowerDNS", settings(),
          capabilities_for(usual_concurrency), open};
}

}  // namespace stsctl::providers::rfc2136
