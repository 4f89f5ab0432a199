#include "plan/observed.h"

#include <algorithm>

namespace stsctl::plan {

const dns::RecordSet* find(const NameState& state, dns::Type type) {
  const auto found = std::ranges::find(state.sets, type, &dns::RecordSet::type);
  return found == state.sets.end() ? nullptr : &*found;
}

std::vector<std::string> txt_values(const NameState& state) {
  const dns::RecordSet* txt = find(state, dns::Type::txt);
  return txt == nullptr ? std::vector<std::string>{} : txt->values;
}

}  // namespace stsctl::plan
