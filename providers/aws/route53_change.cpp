#include "providers/aws/route53_change.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

namespace stsctl::providers::aws {

namespace {

using plan::RecordEdit;

constexpr const char* xml_namespace = "https://route53.amazonaws.com/doc/2013-04-01/";
constexpr std::size_t most_records = 1000;
constexpr std::size_t most_characters = 32'000;
constexpr std::size_t longest_value = 4000;
constexpr std::int64_t largest_ttl = 0x7FFFFFFF;  // RFC 2181 §8

std::string encode(dns::Type type, const std::string& value) {
  if (type == dns::Type::txt) return encode_api_txt(value);
  return type == dns::Type::cname ? value + "." : value;
}

// The live sets by name and type.
class Live {
 public:
  explicit Live(const std::vector<ApiSet>& sets) {
    for (const ApiSet& set : sets)
      sets_.try_emplace({plain_name(set.name), set.type}, &set);
  }
  const ApiSet* find(const dns::RecordSet& wanted) const {
    const auto found = sets_.find({wanted.owner.text(), dns::to_string(wanted.type)});
    return found == sets_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::pair<std::string, std::string>, const ApiSet*> sets_;
};

// How the values of a live set are spelled.
class Spellings {
 public:
  Spellings(const ApiSet* live, const dns::Name& owner) {
    if (live == nullptr) return;
    for (const std::string& stored : live->values) {
      const dns::RecordSet one = record_set({live->name, live->type, live->ttl, {stored}}, owner);
      spelled_.try_emplace(one.values.front(), stored);
    }
  }
  /// The spelling that `value` has, or the usual one.
  std::string of(dns::Type type, const std::string& value) const {
    const auto found = spelled_.find(value);
    return found == spelled_.end() ? encode(type, value) : found->second;
  }

 private:
  std::map<std::string, std::string> spelled_;
};

Result<ApiSet> api_set(const dns::RecordSet& set, const ApiSet* live) {
  const std::int64_t ttl = set.ttl.count();
  if (ttl < 0 || ttl > largest_ttl)
    return fail(Code::invalid, fmt::format("TTL {} is not within 0 and {}", ttl, largest_ttl),
                set.owner.text());
  const Spellings spellings(live, set.owner);
  ApiSet made{.name = set.owner.text() + ".", .type = dns::to_string(set.type), .ttl = set.ttl};
  for (const std::string& value : set.values) {
    made.values.push_back(spellings.of(set.type, value));
    if (made.values.back().size() > longest_value)
      return fail(Code::invalid,
                  fmt::format("a value of {} characters is too long, Route 53 takes {}",
                              made.values.back().size(), longest_value),
                  set.owner.text());
  }
  return made;
}

// What the limits of a request count.
struct Cost {
  std::size_t records = 0;
  std::size_t characters = 0;

  void add(const std::optional<ApiSet>& set) {
    if (!set) return;
    records += set->values.size();
    for (const std::string& value : set->values)
      characters += value.size();
  }
  Cost plus(const Cost& other) const {
    return {records + other.records, characters + other.characters};
  }
  bool fits() const { return records <= most_records && characters <= most_characters; }
};

Cost cost_of(const std::vector<Swap>& swaps) {
  Cost cost;
  for (const Swap& swap : swaps) {
    cost.add(swap.before);
    cost.add(swap.after);
  }
  return cost;
}

// The swaps at each name, in the order the names first come.
std::vector<std::vector<Swap>> by_name(const std::vector<Swap>& swaps) {
  std::vector<std::vector<Swap>> groups;
  std::map<std::string, std::size_t> index;
  for (const Swap& swap : swaps) {
    const auto [place, fresh] = index.try_emplace(name_of(swap), groups.size());
    if (fresh) groups.emplace_back();
    groups[place->second].push_back(swap);
  }
  return groups;
}

// The elements in the order that the API's schema asks for.
void append_change(pugi::xml_node& changes, const char* action, const ApiSet& set) {
  pugi::xml_node change = changes.append_child("Change");
  change.append_child("Action").text().set(action);
  pugi::xml_node node = change.append_child("ResourceRecordSet");
  node.append_child("Name").text().set(set.name.c_str());
  node.append_child("Type").text().set(set.type.c_str());
  node.append_child("TTL").text().set(static_cast<long long>(set.ttl.count()));
  pugi::xml_node records = node.append_child("ResourceRecords");
  for (const std::string& value : set.values)
    records.append_child("ResourceRecord").append_child("Value").text().set(value.c_str());
}

std::string body_of(const std::vector<Swap>& swaps) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("ChangeResourceRecordSetsRequest");
  root.append_attribute("xmlns").set_value(xml_namespace);
  pugi::xml_node batch = root.append_child("ChangeBatch");
  batch.append_child("Comment").text().set("stsctl");
  pugi::xml_node changes = batch.append_child("Changes");
  for (const Swap& swap : swaps)
    if (swap.before) append_change(changes, "DELETE", *swap.before);
  for (const Swap& swap : swaps)
    if (swap.after) append_change(changes, "CREATE", *swap.after);
  std::ostringstream text;
  document.save(text, "", pugi::format_raw);
  return text.str();
}

}  // namespace

const std::string& name_of(const Swap& swap) {
  return swap.before ? swap.before->name : swap.after->name;
}

Result<std::vector<Swap>> swaps(const std::vector<ApiSet>& sets,
                                const std::vector<RecordEdit>& edits) {
  const Live live(sets);
  std::vector<Swap> made;
  for (const RecordEdit& edit : edits) {
    const dns::RecordSet& wanted = subject(edit);
    const ApiSet* stored = live.find(wanted);
    Swap swap;
    if (stored != nullptr) {
      const dns::RecordSet now = record_set(*stored, wanted.owner);
      if (now.type == dns::Type::locked)
        return fail(Code::refused,
                    fmt::format("{} holds {}, which stsctl does not replace", wanted.owner.text(),
                                now.values.front()),
                    {}, "remove it, or leave out what would be published there");
      if (edit.after == now) continue;
      swap.before = *stored;
    }
    if (edit.after) {
      Result<ApiSet> after = api_set(*edit.after, stored);
      if (!after) return fail(after);
      swap.after = std::move(*after);
    }
    if (swap.before || swap.after) made.push_back(std::move(swap));
  }
  return made;
}

Result<std::vector<Batch>> batches(const std::vector<Swap>& swaps) {
  std::vector<Batch> made;
  Cost cost;
  for (std::vector<Swap>& group : by_name(swaps)) {
    const Cost own = cost_of(group);
    if (!own.fits())
      return fail(Code::invalid,
                  fmt::format("the records at one name are more than Route 53 takes in one change: "
                              "{} of at most {}, {} characters of at most {}",
                              own.records, most_records, own.characters, most_characters),
                  name_of(group.front()));
    if (made.empty() || !cost.plus(own).fits()) {
      made.emplace_back();
      cost = {};
    }
    cost = cost.plus(own);
    std::ranges::move(group, std::back_inserter(made.back().swaps));
  }
  for (Batch& batch : made)
    batch.body = body_of(batch.swaps);
  return made;
}

}  // namespace stsctl::providers::aws
