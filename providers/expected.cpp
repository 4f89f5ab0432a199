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

}  // namespace stsctl::providers
