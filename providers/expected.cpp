#include "providers/expected.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers {

Result<Done> check_expected(const std::vector<dns::RecordSet>& live,
                            const std::vector<plan::RecordEdit>& edits) {
  for (const plan::RecordEdit& edit : edits) {
    const dns::RecordSet& named = edit.after ? *edit.after : *edit.before;
    const auto found = std::ranges::find_if(live, [&](const dns::RecordSet& set) {
      return set.owner == named.owner && set.type == named.type;
    });
    const std::optional<dns::RecordSet> now =
        found == live.end() ? std::nullopt : std::optional(*found);
    if (now == edit.before || now == edit.after) continue;
    std::string there = "nothing";
    if (now)
      there =
          fmt::format("'{}' with TTL {}", printable(join(now->values, "', '")), now->ttl.count());
    return fail(Code::conflict,
                fmt::format("{} {} changed since it was read: {} stands there now",
                            named.owner.text(), dns::to_string(named.type), there),
                {}, "run plan again to see what is there");
  }
  return Done{};
}

ZoneQuery query_of(const dns::Name& zone, const std::vector<plan::RecordEdit>& edits) {
  ZoneQuery query{zone, {}};
  for (const plan::RecordEdit& edit : edits)
    query.owners.push_back(edit.after ? edit.after->owner : edit.before->owner);
  std::ranges::sort(query.owners);
  const auto repeated = std::ranges::unique(query.owners);
  query.owners.erase(repeated.begin(), repeated.end());
  return query;
}

std::unexpected<Error> unknown_outcome(const Error& lost, const Error& now) {
  return fail(now.code,
              fmt::format("the answer to the change was lost ({}), and what stands there now "
                          "cannot be read: {}",
                          lost.what, now.what),
              now.where, "run plan again to see whether it was written");
}

}  // namespace stsctl::providers
