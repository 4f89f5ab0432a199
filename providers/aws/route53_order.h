#pragma once
// The order in which Route 53 lists zones and record sets, and how to pass through it in as few
// pages as possible. Pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/name.h"

namespace stsctl::providers::aws {

/// What Route 53 sorts by: the labels reversed, with a dot after each, in ASCII, escapes as they
/// stand: "com.example.www." (so example-a.com comes before example.com).
std::string order_key(std::string_view name);

/// A walk along a listing that stops at the wanted names only. A page lists what is at or after its
/// beginning, so that beginning each page at the next wanted name leaves out what lies between, and
/// needs at most one page a name and never more than reading everything.
class Sweep {
 public:
  explicit Sweep(const std::vector<dns::Name>& wanted);

  /// How many wanted names the pages so far did not reach.
  std::size_t left() const { return places_.size() - reached_; }
  /// Where to begin the next page; left() is not 0.
  const dns::Name& next() const { return places_[reached_].name; }
  /// A page that began at next() listed `names` and ends before the name `until`; "": with the
  /// listing. Code::protocol when that is not in order, since names could then be missed.
  Result<Done> pass(const std::vector<std::string>& names, std::string_view until);
  /// Is `name` the wanted name that comes next? Then its page goes on rather than begins anew.
  bool goes_on_at(std::string_view name) const;

 private:
  struct Place {
    std::string key;
    dns::Name name;
  };
  std::vector<Place> places_;  // in order
  std::size_t reached_ = 0;
};

}  // namespace stsctl::providers::aws
