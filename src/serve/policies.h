#pragma once
// The policies that are served, ready to be sent. Immutable once shared. Knows no connection.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dns/name.h"

namespace stsctl::serve {

/// One body and what names it.
struct ServedPolicy {
  std::string body;
  std::string etag;  ///< A strong one, with its quotes (RFC 9110 §8.8.3).
};

/// Bodies by mail domain.
class Policies {
 public:
  void set(const dns::Name& domain, std::string body);
  /// By the name in a Host field as parse_host() gives it: "mta-sts.example.com". Null: none.
  const ServedPolicy* find(std::string_view host) const;
  std::size_t size() const { return bodies_.size(); }
  /// The names to be found, sorted: "mta-sts.example.com".
  std::vector<std::string> hosts() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, ServedPolicy, Hash, std::equal_to<>> bodies_;
};

using SharedPolicies = std::shared_ptr<const Policies>;

}  // namespace stsctl::serve
