#pragma once
// The section `rollouts`, and what a domain makes of it.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "config/config.h"
#include "config/layer.h"

namespace stsctl::config {

/// All rollouts of all files.
class Rollouts {
 public:
  /// Reads the section of one file. Every fault becomes a diagnostic.
  void read(Reader& reader, const Node& section);

  /// Sets the rollout of `domain`, and its pins, from the layers added up; `place` is that of the
  /// domain, `own` what it says itself. False when something is wrong, which is then reported, what
  /// many domains inherit once.
  bool settle(const Layer& layer, const Layer& own, const Place& place, Domain& domain);

  /// Warns of those that no domain follows.
  void warn_unused() const;

 private:
  struct Entry {
    std::shared_ptr<const rollout::Rollout> rollout;  // null: it is wrong
    Place place;
    bool used = false;
  };

  bool once(const Place& place);
  bool refuse(const Place& place, std::string message, std::string hint);
  Entry* find(const Said<std::string>& name);
  bool fits(const Layer& layer, const Place& place, const Domain& domain);
  bool pin(const std::optional<Said<std::int64_t>>& said, const char* key,
           const rollout::Rollout& rollout, std::optional<std::size_t>& into);

  std::map<std::string, Entry> entries_;
  std::set<std::tuple<Reader*, std::size_t, std::size_t>> reported_;
};

}  // namespace stsctl::config
