#include "plan/cover.h"

#include <algorithm>

namespace stsctl::plan {

namespace {

using Patterns = std::vector<sts::MxPattern>;

bool any_matches(const Patterns& patterns, const dns::Name& host) {
  return std::ranges::any_of(
      patterns, [&](const sts::MxPattern& pattern) { return sts::matches(pattern, host); });
}

bool any_covers(const Patterns& patterns, const sts::MxPattern& narrow) {
  return std::ranges::any_of(
      patterns, [&](const sts::MxPattern& pattern) { return sts::covers(pattern, narrow); });
}

bool contains(const Patterns& patterns, const sts::MxPattern& pattern) {
  return std::ranges::find(patterns, pattern) != patterns.end();
}

// Published, but not wanted; sorted, so that equal sets are written alike.
Patterns extras(const CoverQuestion& question) {
  Patterns extras;
  for (const sts::MxPattern& pattern : question.published)
    if (!any_covers(question.wanted, pattern) && !contains(extras, pattern))
      extras.push_back(pattern);
  std::ranges::sort(extras);
  return extras;
}

class Cover {
 public:
  explicit Cover(const CoverQuestion& question) : question_(question) {
    answer_.patterns = question.wanted;
  }

  CoverAnswer run() && {
    if (question_.live == nullptr) {
      keep_unknown();
      return std::move(answer_);
    }
    Patterns gone;
    for (const sts::MxPattern& extra : extras(question_)) {
      if (is_named(extra))
        keep({.pattern = extra, .why = Kept::Why::named});
      else
        gone.push_back(extra);
    }
    add_named();
    if (!gone.empty() && question_.remembers) let_go(gone);
    return std::move(answer_);
  }

 private:
  void keep(Kept kept) {
    answer_.patterns.push_back(kept.pattern);
    answer_.kept.push_back(std::move(kept));
  }

  // What cannot be read is no reason to let anything go; the id says what it said.
  void keep_unknown() {
    for (const sts::MxPattern& extra : extras(question_)) {
      if (contains(question_.leaving, extra)) answer_.leaving.push_back(extra);
      keep({.pattern = extra, .why = Kept::Why::unknown});
    }
  }

  // Do the MX records name a host that no wanted pattern allows, and this one does?
  bool is_named(const sts::MxPattern& extra) const {
    return std::ranges::any_of(question_.live->hosts, [&](const dns::Name& host) {
      return sts::matches(extra, host) && !any_matches(question_.wanted, host);
    });
  }

  // Hosts that nobody listed; a name that no policy can hold is left out, for nothing allows it.
  // Where there are no records nobody says that the domain itself is to take mail.
  void add_named() {
    if (question_.live->implicit) return;
    Patterns fresh;
    for (const dns::Name& host : question_.live->hosts) {
      if (any_matches(answer_.patterns, host)) continue;
      const auto pattern = sts::parse_mx_pattern(host.text(), true);
      if (pattern && !contains(fresh, *pattern)) fresh.push_back(*pattern);
    }
    std::ranges::sort(fresh);
    for (const sts::MxPattern& pattern : fresh)
      keep({.pattern = pattern, .why = Kept::Why::named});
  }

  void let_go(const Patterns& gone) {
    const bool said = std::ranges::all_of(
        gone, [&](const sts::MxPattern& pattern) { return contains(question_.leaving, pattern); });
    const Duration memory = std::max(question_.live->ttl, least_mx_memory);
    const Time until = (said ? question_.since : question_.now) + memory;
    if (said && until <= question_.now) return;
    for (const sts::MxPattern& pattern : gone)
      keep({.pattern = pattern, .why = Kept::Why::leaving, .until = until});
    answer_.leaving = gone;
  }

  const CoverQuestion& question_;
  CoverAnswer answer_;
};

}  // namespace

CoverAnswer cover(const CoverQuestion& question) {
  return Cover(question).run();
}

}  // namespace stsctl::plan
