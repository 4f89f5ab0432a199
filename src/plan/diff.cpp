#include "plan/diff.h"

#include <algorithm>

namespace stsctl::plan {

namespace {

std::optional<dns::RecordSet> present(const NameState& state, dns::Type type) {
  const dns::RecordSet* set = find(state, type);
  return set == nullptr ? std::nullopt : std::optional(*set);
}

void push_if_changed(std::vector<RecordEdit>& edits, RecordEdit edit) {
  if (edit.before != edit.after) edits.push_back(std::move(edit));
}

// The set of `type` that `values` ask for, keeping the TTL that is there unless one is stated.
std::optional<dns::RecordSet> wanted_set(const dns::Name& owner, dns::Type type,
                                         const std::vector<std::string>& values,
                                         std::optional<Duration> ttl,
                                         const std::optional<dns::RecordSet>& before) {
  if (values.empty()) return std::nullopt;
  dns::RecordSet set{owner, type, ttl.value_or(before ? before->ttl : default_address_ttl), values};
  std::ranges::sort(set.values);
  return set;
}

}  // namespace

std::vector<RecordEdit> diff_txt(const WantedTxt& wanted, const NameState& state) {
  const std::optional<dns::RecordSet> before = present(state, dns::Type::txt);
  dns::RecordSet after{wanted.owner, dns::Type::txt, wanted.default_ttl, {}};
  if (before) after.ttl = before->ttl;
  if (wanted.ttl) after.ttl = *wanted.ttl;

  std::vector<std::string> own;
  for (const std::string& value : before ? before->values : std::vector<std::string>{})
    (wanted.ours(value) ? own : after.values).push_back(value);
  const bool stays = own.size() == 1 && wanted.same(own.front(), wanted.value);
  after.values.push_back(stays ? own.front() : wanted.value);
  std::ranges::sort(after.values);

  std::vector<RecordEdit> edits;
  push_if_changed(edits, {present(state, dns::Type::cname), std::nullopt});
  push_if_changed(edits, {before, after});
  return edits;
}

std::vector<RecordEdit> diff_address(const dns::Name& owner, const Address& wanted,
                                     std::optional<Duration> ttl, const NameState& state) {
  std::vector<std::string> target;
  if (wanted.cname) target.push_back(wanted.cname->text());
  std::vector<RecordEdit> edits;
  const auto push = [&](dns::Type type, const std::vector<std::string>& values) {
    const std::optional<dns::RecordSet> before = present(state, type);
    push_if_changed(edits, {before, wanted_set(owner, type, values, ttl, before)});
  };
  push(dns::Type::cname, target);
  push(dns::Type::a, wanted.a);
  push(dns::Type::aaaa, wanted.aaaa);
  // What goes, goes first: a CNAME and anything else never stand together (RFC 1034 §3.6.2).
  std::ranges::stable_partition(edits, [](const RecordEdit& edit) { return !edit.after; });
  return edits;
}

std::vector<RecordEdit> remove_txt(const std::function<bool(std::string_view)>& ours,
                                   const NameState& state) {
  const std::optional<dns::RecordSet> before = present(state, dns::Type::txt);
  if (!before || std::ranges::none_of(before->values, ours)) return {};
  std::optional<dns::RecordSet> after = before;
  std::erase_if(after->values, ours);
  if (after->values.empty()) after.reset();
  return {{before, after}};
}

std::vector<RecordEdit> remove_address(const dns::Name& owner, const Address& wanted,
                                       const NameState& state) {
  if (!diff_address(owner, wanted, std::nullopt, state).empty()) return {};
  std::vector<RecordEdit> edits;
  for (const dns::Type type : {dns::Type::cname, dns::Type::a, dns::Type::aaaa})
    push_if_changed(edits, {present(state, type), std::nullopt});
  return edits;
}

}  // namespace stsctl::plan
