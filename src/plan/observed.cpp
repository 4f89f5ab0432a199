#include "plan/observed.h"

#include <algorithm>

#include "sts/record.h"

namespace stsctl::plan {

const dns::RecordSet* find(const NameState& state, dns::Type type) {
  const auto found = std::ranges::find(state.sets, type, &dns::RecordSet::type);
  return found == state.sets.end() ? nullptr : &*found;
}

std::vector<std::string> txt_values(const NameState& state) {
  const dns::RecordSet* txt = find(state, dns::Type::txt);
  return txt == nullptr ? std::vector<std::string>{} : txt->values;
}

std::optional<sts::Policy> served_policy(const Observed& observed) {
  return observed.policy && *observed.policy ? sts::parse_policy(**observed.policy).value
                                             : std::nullopt;
}

std::optional<sts::PolicyId> published_id(const std::vector<std::string>& values) {
  const auto record = sts::parse_sts_records(values).value;
  return record ? sts::parse_policy_id(record->id) : std::nullopt;
}

std::optional<sts::PolicyId> published_id(const Observed& observed) {
  return observed.sts ? published_id(txt_values(*observed.sts)) : std::nullopt;
}

}  // namespace stsctl::plan
