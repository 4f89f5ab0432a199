#pragma once
// The policies that are served, ready to be sent. Immutable once shared. Knows no connection.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dns/name.h"

namespace stsctl::serve {

/// One body and what names it.
struct ServedPolicy {
  std::string body;
  std::string etag;  ///< A strong one, with its quotes (RFC 9110 §8.8.3); empty: see set_unknown().
};

/// Bodies by mail domain.
class Policies {
 public:
  void set(const dns::Name& domain, std::string body);
  /// There may be a policy, but it cannot be read: who asks is told so, and not that there is none.
  void set_unknown(const dns::Name& domain);
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

/// The policies served now. From any thread: once replace() has returned, nobody gets the old ones.
class CurrentPolicies {
 public:
  explicit CurrentPolicies(SharedPolicies policies) : policies_(std::move(policies)) {}

  void replace(SharedPolicies policies) {
    const std::scoped_lock lock(guard_);
    policies_ = std::move(policies);
    ++version_;
  }

  /// One thread's view of them, which takes the lock only after a change.
  class View {
   public:
    explicit View(const CurrentPolicies& current) : current_(current) {}
    const Policies& operator*() {
      if (const std::uint64_t version = current_.version_; version != seen_) {
        const std::scoped_lock lock(current_.guard_);
        policies_ = current_.policies_;
        seen_ = version;
      }
      return *policies_;
    }

   private:
    const CurrentPolicies& current_;
    std::uint64_t seen_ = 0;
    SharedPolicies policies_;
  };

 private:
  mutable std::mutex guard_;
  SharedPolicies policies_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace stsctl::serve
