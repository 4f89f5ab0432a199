#pragma once
// Providers whose world is a map, with every fault at hand. For tests of what stands above them.

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "providers/expected.h"
#include "providers/provider.h"

namespace stsctl::fakes {

class MemoryDns : public providers::DnsProvider {
 public:
  explicit MemoryDns(const std::vector<std::string>& zones) {
    for (const std::string& zone : zones)
      zones_.push_back(*dns::Name::parse(zone));
    std::sort(zones_.begin(), zones_.end());
  }

  const providers::Capabilities& capabilities() const override { return can; }

  std::vector<Result<dns::Name>> find_zones(const std::vector<dns::Name>& names,
                                            const providers::Watch&) override {
    std::vector<Result<dns::Name>> found;
    for (const dns::Name& name : names) {
      const dns::Name* zone = dns::longest_zone(zones_, name);
      found.push_back(zone != nullptr ? Result<dns::Name>(*zone)
                                      : fail(Code::not_found, "no such zone"));
    }
    return found;
  }

  std::vector<Result<std::vector<dns::RecordSet>>> read(
      const std::vector<providers::ZoneQuery>& queries, const providers::Watch& watch) override {
    ++reads;
    std::vector<Result<std::vector<dns::RecordSet>>> all;
    for (const providers::ZoneQuery& query : queries) {
      watch.advanced(query.owners.size());
      if (unreadable.contains(query.zone.text()))
        all.push_back(fail(Code::unauthorized, "not for you"));
      else
        all.push_back(at(query.owners));
    }
    return all;
  }

  Result<Done> write(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits) override {
    const std::lock_guard lock(mutex_);
    writes.push_back({zone.text(), edits.size()});
    if (const auto found = broken.find(zone.text()); found != broken.end())
      return std::unexpected(found->second);
    std::vector<dns::Name> owners;
    for (const plan::RecordEdit& edit : edits)
      owners.push_back(subject(edit).owner);
    if (const Result<Done> expected = providers::check_expected(at(owners), edits); !expected)
      return expected;
    for (const plan::RecordEdit& edit : edits) {
      const dns::RecordSet& set = subject(edit);
      sets.erase({set.owner.text(), set.type});
      if (edit.after) sets.emplace(std::pair{set.owner.text(), set.type}, *edit.after);
      order.push_back("dns " + set.owner.text());
    }
    return Done{};
  }

  void put(const std::string& owner, dns::Type type, const std::string& value) {
    const dns::Name name = *dns::Name::parse(owner);
    sets.insert_or_assign(std::pair{owner, type},
                          dns::RecordSet{name, type, Duration{300}, {value}});
  }
  std::vector<dns::RecordSet> at(const std::vector<dns::Name>& owners) const {
    std::vector<dns::RecordSet> found;
    for (const auto& [key, set] : sets)
      if (std::find(owners.begin(), owners.end(), set.owner) != owners.end()) found.push_back(set);
    return found;
  }

  std::size_t write_requests(const std::vector<providers::ZoneQuery>& queries) const override {
    std::size_t owners = 0;
    for (const providers::ZoneQuery& query : queries)
      owners += query.owners.size();
    return counted ? 100 * queries.size() + owners : 0;
  }
  std::vector<io::Rate> rates() const override { return allowed; }

  bool counted = false;  // a hundred requests a zone and one an owner
  std::vector<io::Rate> allowed;
  providers::Capabilities can{.atomic_batch = true, .write_concurrency = 4};
  std::map<std::pair<std::string, dns::Type>, dns::RecordSet> sets;
  std::set<std::string> unreadable;     // zones
  std::map<std::string, Error> broken;  // zones that cannot be written
  struct Write {
    std::string zone;
    std::size_t edits;
  };
  std::vector<Write> writes;
  std::vector<std::string> order;  // what was written, in order
  int reads = 0;

 private:
  std::vector<dns::Name> zones_;
  std::mutex mutex_;
};

class MemoryHost : public providers::PolicyHost {
 public:
  std::vector<Result<std::optional<std::string>>> read(const std::vector<dns::Name>& domains,
                                                       const providers::Watch& watch) override {
    ++reads;
    std::vector<Result<std::optional<std::string>>> all;
    for (const dns::Name& domain : domains) {
      watch.advanced(1);
      const auto& shown = stale_reads > 0 ? cached : bodies;
      const auto found = shown.find(domain.text());
      all.push_back(found == shown.end() ? std::nullopt : std::optional(found->second));
    }
    if (stale_reads > 0) --stale_reads;
    return all;
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const providers::Watch&) override {
    ++writes;
    std::vector<Result<Done>> all;
    for (const plan::PolicyEdit& edit : edits) {
      const std::string domain = subject(edit).domain.text();
      if (broken.contains(domain)) {
        all.push_back(fail(Code::unreachable, "the host is down"));
        continue;
      }
      if (edit.after)
        bodies[domain] = edit.after->body;
      else
        bodies.erase(domain);
      order.push_back("policy " + domain);
      all.push_back(Done{});
    }
    return all;
  }

  std::optional<plan::Address> address(const dns::Name&) const override { return std::nullopt; }

  std::size_t write_requests(std::size_t policies) const override {
    return counted ? 10 + policies : 0;
  }
  std::size_t read_requests(std::size_t policies) const override {
    return counted ? 1000 * policies : 0;
  }

  bool counted = false;
  std::map<std::string, std::string> bodies;
  std::map<std::string, std::string> cached;  // what an edge shows for `stale_reads` more reads
  int stale_reads = 0;
  std::set<std::string> broken;
  std::vector<std::string> order;
  int reads = 0;
  int writes = 0;
};

}  // namespace stsctl::fakes
