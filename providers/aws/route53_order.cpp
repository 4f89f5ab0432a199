#include "providers/aws/route53_order.h"

#include <algorithm>
#include <ranges>

#include "base/text.h"

namespace stsctl::providers::aws {

namespace {

std::unexpected<Error> out_of_order() {
  return fail(Code::protocol, "the service lists names in another order than Route 53 does", {},
              "does 'endpoint' name Route 53?");
}

}  // namespace

std::string order_key(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string lowered = lower(name);
  std::string key;
  for (const std::string_view label : split(lowered, '.') | std::views::reverse)
    key.append(label).append(".");
  return key;
}

Sweep::Sweep(const std::vector<dns::Name>& wanted) {
  places_.reserve(wanted.size());
  for (const dns::Name& name : wanted)
    places_.push_back({order_key(name.text()), name});
  std::ranges::sort(places_, {}, &Place::key);
  const auto repeated = std::ranges::unique(places_, {}, &Place::key);
  places_.erase(repeated.begin(), repeated.end());
}

Result<Done> Sweep::pass(const std::vector<std::string>& names, std::string_view until) {
  std::string last = places_[reached_].key;
  for (const std::string& name : names) {
    std::string key = order_key(name);
    if (key < last) return out_of_order();
    last = std::move(key);
  }
  if (until.empty()) {
    reached_ = places_.size();
    return Done{};
  }
  const std::string end = order_key(until);
  if (names.empty() || end < last) return out_of_order();
  while (reached_ < places_.size() && places_[reached_].key < end)
    ++reached_;
  return Done{};
}

bool Sweep::goes_on_at(std::string_view name) const {
  return left() > 0 && places_[reached_].key == order_key(name);
}

}  // namespace stsctl::providers::aws
