#include "providers/expected.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/sorted.h"
#include "base/text.h"

namespace stsctl::providers {

namespace {

using plan::RecordEdit;

bool same_place(const dns::RecordSet& left, const dns::RecordSet& right) {
  return left.owner == right.owner && left.type == right.type;
}

// What stands at the owners once the edits are made.
std::vector<dns::RecordSet> outcome(const std::vector<dns::RecordSet>& live,
                                    const std::vector<RecordEdit>& edits) {
  std::vector<dns::RecordSet> sets = live;
  for (const RecordEdit& edit : edits) {
    std::erase_if(sets, [&](const dns::RecordSet& set) { return same_place(set, subject(edit)); });
    if (edit.after) sets.push_back(*edit.after);
  }
  return sets;
}

Result<Done> check_cnames(const std::vector<dns::RecordSet>& sets,
                          const std::vector<RecordEdit>& edits) {
  for (const RecordEdit& edit : edits) {
    if (!edit.after) continue;
    const auto other = std::ranges::find_if(sets, [&](const dns::RecordSet& set) {
      return set.owner == edit.after->owner && set.type != edit.after->type &&
             (set.type == dns::Type::cname || edit.after->type == dns::Type::cname);
    });
    if (other == sets.end()) continue;
    const bool known = other->type != dns::Type::other;
    return fail(
        Code::conflict,
        fmt::format("{} cannot get a {} record beside the {} that stands there",
                    edit.after->owner.text(), dns::to_string(edit.after->type),
                    known ? std::string(dns::to_string(other->type)) + " record" : "other record"),
        {}, "remove the other record, or run plan again to see what is there");
  }
  return Done{};
}

// A set of any type may be what stands locked there.
Result<Done> check_unlocked(const std::vector<dns::RecordSet>& live, const dns::Name& owner) {
  const auto locked = std::ranges::find_if(live, [&](const dns::RecordSet& set) {
    return set.owner == owner && set.type == dns::Type::locked;
  });
  if (locked == live.end()) return Done{};
  return fail(Code::refused,
              fmt::format("{} holds {}, which stsctl does not replace", owner.text(),
                          locked->values.front()),
              {}, "remove it, or leave out what would be published there");
}

}  // namespace

Result<Done> check_expected(const std::vector<dns::RecordSet>& live,
                            const std::vector<RecordEdit>& edits) {
  for (const RecordEdit& edit : edits) {
    const dns::RecordSet& named = subject(edit);
    const auto found = std::ranges::find_if(
        live, [&](const dns::RecordSet& set) { return same_place(set, named); });
    const std::optional<dns::RecordSet> now =
        found == live.end() ? std::nullopt : std::optional(*found);
    if (now == edit.after) continue;
    if (const auto free = check_unlocked(live, named.owner); !free) return free;
    if (now == edit.before) continue;
    std::string there = "nothing";
    if (now)
      there =
          fmt::format("'{}' with TTL {}", printable(join(now->values, "', '")), now->ttl.count());
    return fail(Code::conflict,
                fmt::format("{} {} changed since it was read: {} stands there now",
                            named.owner.text(), dns::to_string(named.type), there),
                {}, "run plan again to see what is there");
  }
  return check_cnames(outcome(live, edits), edits);
}

Result<Done> check_inside(const dns::Name& zone, const std::vector<RecordEdit>& edits) {
  for (const RecordEdit& edit : edits)
    if (const dns::Name& owner = subject(edit).owner; !owner.within(zone))
      return fail(Code::invalid,
                  fmt::format("{} is outside the zone {}", owner.text(), zone.text()));
  return Done{};
}

ZoneQuery query_of(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits) {
  ZoneQuery query{zone, {}};
  for (const plan::RecordEdit& edit : edits)
    query.owners.push_back(subject(edit).owner);
  sort_unique(query.owners);
  return query;
}

}  // namespace stsctl::providers
