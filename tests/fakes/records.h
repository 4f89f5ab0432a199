#pragma once
// Names and record sets in a word, for tests. A text that cannot be read ends the test program.

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "dns/record_set.h"

namespace stsctl::dns {

/// How GoogleTest shows a set.
inline void PrintTo(const RecordSet& set, std::ostream* out) {
  *out << set.owner.text() << ' ' << set.ttl.count() << ' ' << to_string(set.type);
  for (const std::string& value : set.values)
    *out << ' ' << encode_txt(value);
}

}  // namespace stsctl::dns

namespace stsctl::fakes {

inline dns::Name name(const std::string& text) {
  return dns::Name::parse(text).value();
}

inline dns::RecordSet set_of(dns::Type type, const std::string& owner,
                             std::vector<std::string> values, int ttl = 300) {
  return dns::make_record_set(name(owner), type, std::chrono::seconds(ttl), std::move(values))
      .value();
}

inline dns::RecordSet txt(const std::string& owner, std::vector<std::string> values,
                          int ttl = 300) {
  return set_of(dns::Type::txt, owner, std::move(values), ttl);
}

inline dns::RecordSet cname(const std::string& owner, const std::string& target, int ttl = 300) {
  return set_of(dns::Type::cname, owner, {target}, ttl);
}

}  // namespace stsctl::fakes
