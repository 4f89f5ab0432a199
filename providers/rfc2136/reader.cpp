#include "providers/rfc2136/reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace stsctl::providers::rfc2136 {

namespace {

// From so many names of one zone on, a transfer is likely less work than questions.
constexpr std::size_t enough_for_transfer = 100;

// One owner while it is read.
struct Reading {
  const ZoneQuery* query;
  dns::Name owner;
  std::optional<Error> error;
  bool exists = false;
  std::vector<Record> records;
  std::vector<LiveSet> sets;
};

bool is_cname_at(const Record& record, const dns::Name& owner) {
  return record.type == type::cname && record.owner == owner.text();
}

// Files the answer to a question at `reading`'s owner.
void take_answer(Reading& reading, const Result<Reply>& reply, const Key& key) {
  if (reading.error) return;
  if (!reply) {
    reading.error = reply.error();
  } else if (reply->rcode != rcode::no_error && reply->rcode != rcode::nx_domain) {
    reading.error = refusal(*reply, key, Purpose::question, reading.query->zone.text());
  } else if (!reply->authoritative) {
    reading.error =
        Error{Code::not_found,
              fmt::format("the server is not authoritative for {}", reading.owner.text()),
              {},
              "is the name delegated to another server?"};
  } else {
    const bool has_cname = std::ranges::any_of(
        reply->answer, [&](const Record& one) { return is_cname_at(one, reading.owner); });
    // NXDOMAIN behind a CNAME is said of its target (RFC 6604 §3).
    if (reply->rcode == rcode::no_error || has_cname) reading.exists = true;
    for (const Record& record : reply->answer)
      if (record.owner == reading.owner.text()) reading.records.push_back(record);
  }
}

// Asks `types` at every reading that `wants` it, in one pipeline.
template <std::size_t count, class Wants>
void ask_types(Session& session, const Key& key, std::vector<Reading>& readings,
               const std::array<std::uint16_t, count>& types, Wants wants) {
  std::vector<Question> questions;
  std::vector<Reading*> askers;
  for (Reading& reading : readings) {
    if (reading.error || !wants(reading)) continue;
    for (const std::uint16_t code : types) {
      questions.push_back({reading.owner.text(), code});
      askers.push_back(&reading);
    }
  }
  const auto replies = session.ask(questions);
  for (std::size_t i = 0; i < replies.size(); ++i)
    take_answer(*askers[i], replies[i], key);
}

// The wildcards that could answer for `owner`: one at each name above it, up to the zone's.
std::vector<std::string> wildcards(const dns::Name& owner, const dns::Name& zone) {
  std::vector<std::string> names;
  std::string_view rest = owner.text();
  while (rest.size() > zone.text().size()) {
    rest.remove_prefix(rest.find('.') + 1);
    names.push_back(fmt::format("*.{}", rest));
  }
  return names;
}

// Which of the wildcards above the readings' owners exist. One that cannot be told counts as
// existing: that costs a probe, no more.
std::map<std::string, bool> find_wildcards(Session& session, const std::vector<Reading>& readings) {
  std::map<std::string, bool> found;
  for (const Reading& reading : readings)
    if (!reading.error && !reading.records.empty())
      for (std::string& name : wildcards(reading.owner, reading.query->zone))
        found.emplace(std::move(name), true);
  std::vector<Question> questions;
  questions.reserve(found.size());
  for (const auto& [name, exists] : found)
    questions.push_back({name, type::txt});
  const auto replies = session.ask(questions);
  for (std::size_t i = 0; i < replies.size(); ++i)
    if (replies[i] && replies[i]->verified && replies[i]->rcode == rcode::nx_domain)
      found[questions[i].owner] = false;
  return found;
}

bool below_wildcard(const Reading& reading, const std::map<std::string, bool>& found) {
  return std::ranges::any_of(wildcards(reading.owner, reading.query->zone),
                             [&](const std::string& name) { return found.at(name); });
}

// Drops the sets that only a wildcard makes up. An UPDATE without updates tells them: prerequisites
// look at what the zone holds, not at what it answers (RFC 2136 §3.2).
void drop_synthesized(Session& session, const Key& key, std::vector<Reading>& readings) {
  const std::map<std::string, bool> found = find_wildcards(session, readings);
  std::vector<UpdateRequest> probes;
  std::vector<std::pair<Reading*, std::uint16_t>> askers;
  for (Reading& reading : readings) {
    if (reading.error || reading.sets.empty() || !below_wildcard(reading, found)) continue;
    for (const LiveSet& set : reading.sets) {
      probes.push_back(
          {reading.query->zone, {{reading.owner.text(), set.type, record_class::any, 0, {}}}, {}});
      askers.emplace_back(&reading, set.type);
    }
  }
  const auto replies = session.probe(probes);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    Reading* const reading = askers[i].first;
    const std::uint16_t asked = askers[i].second;
    if (!replies[i])
      reading->error = replies[i].error();
    else if (replies[i]->rcode == rcode::nx_rrset)
      std::erase_if(reading->sets, [asked](const LiveSet& set) { return set.type == asked; });
    else if (replies[i]->rcode != rcode::no_error)
      reading->error = refusal(*replies[i], key, Purpose::update, reading->query->zone.text());
  }
}

void read_by_queries(Session& session, const Key& key, std::vector<Reading>& readings) {
  ask_types(session, key, readings, std::array{type::txt}, [](const Reading&) { return true; });
  // ANY shows types beyond those managed, where the server tells (RFC 8482 lets it keep quiet).
  ask_types(session, key, readings, std::array{type::a, type::aaaa, type::any},
            [](const Reading& reading) {
              return reading.exists &&
                     std::ranges::none_of(reading.records, [&](const Record& one) {
                       return is_cname_at(one, reading.owner);
                     });
            });
  for (Reading& reading : readings) {
    if (reading.error) continue;
    auto sets = live_sets(reading.owner, reading.records);
    if (sets)
      reading.sets = std::move(*sets);
    else
      reading.error = sets.error();
  }
  drop_synthesized(session, key, readings);
}

Result<std::vector<LiveSet>> read_by_transfer(Session& session, const ZoneQuery& query) {
  std::unordered_set<std::string> owners;
  for (const dns::Name& owner : query.owners)
    owners.insert(owner.text());
  const auto records = session.transfer(query.zone, owners);
  if (!records) return fail(records);
  std::map<std::string, std::vector<Record>> by_owner;
  for (const Record& record : *records)
    by_owner[record.owner].push_back(record);
  std::vector<LiveSet> all;
  for (const dns::Name& owner : query.owners) {
    const auto found = by_owner.find(owner.text());
    if (found == by_owner.end()) continue;
    auto sets = live_sets(owner, found->second);
    if (!sets) return fail(sets);
    std::ranges::move(*sets, std::back_inserter(all));
  }
  return all;
}

// One name while its zone is looked for.
struct Search {
  std::string asked;
  bool refused = false;  // by an answer that was not signed
  std::optional<Result<dns::Name>> found;
};

// Goes one label up; ends the search above the last.
void go_up(Search& search) {
  const std::size_t dot = search.asked.find('.');
  if (dot != std::string::npos)
    search.asked.erase(0, dot + 1);
  else if (search.refused)
    search.found =
        fail(Code::not_found, "the server has no zone for this name, or does not take the TSIG key",
             {}, "name the primary server of the zone; compare the key with the server's");
  else
    search.found = fail(Code::not_found, "the server has no zone for this name", {},
                        "name the primary server of the zone");
}

void take_cut(Search& search, const Result<Reply>& reply, const Key& key) {
  if (!reply) {
    search.found = fail(reply);
    return;
  }
  // What it does not serve BIND refuses signed, Knot unsigned.
  if (reply->rcode == rcode::refused) {
    search.refused = search.refused || !reply->verified;
    return go_up(search);
  }
  if (reply->rcode != rcode::no_error && reply->rcode != rcode::nx_domain) {
    search.found = std::unexpected(refusal(*reply, key, Purpose::question, search.asked));
    return;
  }
  const auto is_cut = [&](const Record& one) {
    return one.type == type::soa &&
           (one.owner == search.asked || search.asked.ends_with("." + one.owner));
  };
  const bool alias =
      std::ranges::any_of(reply->answer, [](const Record& one) { return one.type != type::soa; });
  for (const std::vector<Record>* section : {&reply->answer, &reply->authority}) {
    const auto soa = std::ranges::find_if(*section, is_cut);
    // Behind an alias the authority section speaks of the target's zone.
    if (soa == section->end() || alias || !reply->authoritative) continue;
    search.found = dns::Name::parse(soa->owner);
    return;
  }
  if (alias) return go_up(search);
  search.found = fail(Code::not_found, "the server does not hold the zone of this name", {},
                      "is it delegated to another server?");
}

}  // namespace

std::vector<Result<std::vector<LiveSet>>> read_live(Session& session, const Key& key,
                                                    std::span<const ZoneQuery> queries) {
  std::vector<Result<std::vector<LiveSet>>> results(queries.size());
  std::vector<Reading> readings;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (queries[i].owners.size() >= enough_for_transfer) {
      results[i] = read_by_transfer(session, queries[i]);
      if (results[i]) continue;
      results[i] = std::vector<LiveSet>{};
    }
    for (const dns::Name& owner : queries[i].owners)
      readings.push_back({&queries[i], owner, std::nullopt, false, {}, {}});
  }
  read_by_queries(session, key, readings);
  for (Reading& reading : readings) {
    auto& result = results[static_cast<std::size_t>(reading.query - queries.data())];
    if (!result) continue;
    if (reading.error)
      result = fail_at(Result<Done>(std::unexpected(*reading.error)), reading.owner.text());
    else
      std::ranges::move(reading.sets, std::back_inserter(*result));
  }
  return results;
}

std::vector<Result<dns::Name>> find_cuts(Session& session, const Key& key,
                                         std::span<const dns::Name> names) {
  std::vector<Search> searches;
  searches.reserve(names.size());
  for (const dns::Name& name : names)
    searches.push_back({name.text(), false, std::nullopt});
  while (true) {
    std::vector<Question> questions;
    std::vector<Search*> askers;
    for (Search& search : searches) {
      if (search.found) continue;
      questions.push_back({search.asked, type::soa});
      askers.push_back(&search);
    }
    if (questions.empty()) break;
    const auto replies = session.ask(questions);
    for (std::size_t i = 0; i < replies.size(); ++i)
      take_cut(*askers[i], replies[i], key);
  }
  std::vector<Result<dns::Name>> zones;
  zones.reserve(searches.size());
  for (std::size_t i = 0; i < searches.size(); ++i)
    zones.push_back(*searches[i].found ? *searches[i].found
                                       : fail_at(*searches[i].found, names[i].text()));
  return zones;
}

}  // namespace stsctl::providers::rfc2136
