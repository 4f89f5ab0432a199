#include "plan/senders.h"

#include <algorithm>
#include <array>

#include "base/sorted.h"

namespace stsctl::plan {

namespace {

constexpr Duration day{86400};

// The index of what holds at `at`.
template <class T>
std::size_t index_at(const std::vector<Since<T>>& list, Duration at) {
  const auto after =
      std::ranges::upper_bound(list, at, {}, [](const Since<T>& one) { return one.at; });
  return after == list.begin() ? 0 : static_cast<std::size_t>(after - list.begin()) - 1;
}

template <class T>
const T& at(const std::vector<Since<T>>& list, Duration when) {
  return list[index_at(list, when)].what;
}

// When the next entry begins to hold after `when`; `never` where none does.
template <class T>
Duration next_change(const std::vector<Since<T>>& list, Duration when, Duration never) {
  const auto after =
      std::ranges::upper_bound(list, when, {}, [](const Since<T>& one) { return one.at; });
  return after == list.end() ? never : after->at;
}

// How much later than others one sender sees each kind of change, and when it sees the domain
// first.
struct Vantage {
  Duration edge{0};
  Duration id{0};
  Duration mx{0};
  Duration first{0};
};

// For each policy and each MX set: would a sender that enforces the one refuse the other?
class Verdicts {
 public:
  explicit Verdicts(const Timeline& timeline) : width_(timeline.mx.size()) {
    for (const auto& policy : timeline.policies)
      for (const auto& mx : timeline.mx)
        refuses_.push_back(refuses(policy.what, mx.what));
  }
  bool refused(std::size_t policy, std::size_t mx) const { return refuses_[policy * width_ + mx]; }
  bool any() const {
    return std::ranges::any_of(refuses_, [](bool refused) { return refused; });
  }

 private:
  // Without a single healthy host nothing good is refused: there is nothing to deliver to.
  static bool refuses(const std::optional<sts::Policy>& policy, const std::vector<dns::Name>& mx) {
    return policy && policy->mode == sts::Mode::enforce && !mx.empty() &&
           std::ranges::none_of(mx,
                                [&](const dns::Name& host) { return sts::matches(*policy, host); });
  }

  std::size_t width_;
  std::vector<bool> refuses_;
};

// One sender, from its first delivery on. Time jumps from event to event.
class Sender {
 public:
  Sender(const Timeline& timeline, const Verdicts& verdicts, SenderKind kind,
         const Vantage& vantage, Duration end)
      : timeline_(timeline), verdicts_(verdicts), kind_(kind), vantage_(vantage), end_(end) {}

  Refusal run() {
    Duration now = vantage_.first;
    next_look_ = now;
    while (now < end_) {
      look(now);
      const Duration next = next_event(now);
      if (stored_ && next > timeline_.from && refuses(now))
        count(std::max(now, timeline_.from), next);
      now = next;
    }
    refusal_.lasting = refusal_.total.count() > 0 && refusal_.end == end_;
    return refusal_;
  }

 private:
  struct Stored {
    std::size_t policy;  // index into the timeline's
    std::string id;
    Duration expires;
  };

  bool refuses(Duration now) const {
    return verdicts_.refused(stored_->policy, index_at(timeline_.mx, now - vantage_.mx));
  }

  void count(Duration begin, Duration end) {
    if (refusal_.total.count() == 0) refusal_.begin = begin;
    refusal_.total += end - begin;
    refusal_.end = end;
  }

  bool looks_at(Duration now) const {
    if (!stored_ || kind_ == SenderKind::prompt) return true;
    return kind_ == SenderKind::daily && now == next_look_;
  }

  void look(Duration now) {
    if (stored_ && now >= stored_->expires) stored_.reset();
    if (!looks_at(now)) return;
    const std::optional<std::string>& id = at(timeline_.ids, now - vantage_.id);
    const bool fetches = id && (!stored_ || stored_->id != *id);
    if (fetches) fetch(now, *id);
    next_look_ = now + day;
  }

  // What cannot be fetched leaves what is stored in force (RFC 8461 §3.3).
  void fetch(Duration now, const std::string& id) {
    const std::size_t served = index_at(timeline_.policies, now - vantage_.edge);
    const auto& policy = timeline_.policies[served].what;
    if (policy) stored_ = Stored{served, id, now + policy->max_age};
  }

  Duration next_event(Duration now) const {
    Duration next = next_change(timeline_.mx, now - vantage_.mx, end_ - vantage_.mx) + vantage_.mx;
    next = std::min(
        next, next_change(timeline_.ids, now - vantage_.id, end_ - vantage_.id) + vantage_.id);
    next =
        std::min(next, next_change(timeline_.policies, now - vantage_.edge, end_ - vantage_.edge) +
                           vantage_.edge);
    if (stored_) {
      next = std::min(next, stored_->expires);
      if (kind_ == SenderKind::daily) next = std::min(next, next_look_);
    }
    return std::min(next, end_);
  }

  const Timeline& timeline_;
  const Verdicts& verdicts_;
  SenderKind kind_;
  const Vantage& vantage_;
  Duration end_;
  std::optional<Stored> stored_;
  Duration next_look_{0};
  Refusal refusal_;
};

using Moments = std::vector<Duration>;

template <class T>
Moments changes(const std::vector<Since<T>>& list) {
  Moments moments;
  for (std::size_t i = 1; i < list.size(); ++i)
    moments.push_back(list[i].at);
  return moments;
}

// The lags worth trying: none, the longest, and those that bring a change just before, onto or
// just after a moment at which something else happens. Between these nothing else can happen.
Moments lags(Duration most, const Moments& own, const Moments& others, Duration tick) {
  Moments tried{Duration{0}, most};
  for (const Duration change : own)
    for (const Duration other : others)
      for (const Duration lag : {other - change - tick, other - change, other - change + tick})
        if (lag.count() > 0 && lag < most) tried.push_back(lag);
  sort_unique(tried);
  return tried;
}

Moments delayed(Moments moments, Duration lag) {
  for (Duration& moment : moments)
    moment += lag;
  return moments;
}

void append(Moments& moments, const Moments& more) {
  moments.insert(moments.end(), more.begin(), more.end());
}

// How many looks and ends in a row may be brought to a moment.
constexpr int chained_periods = 3;

// Searches the vantages at which something changes for the worst one.
class Search {
 public:
  Search(const Timeline& timeline, SenderKind kind, const Verdicts& verdicts)
      : timeline_(timeline),
        kind_(kind),
        verdicts_(verdicts),
        policies_(changes(timeline.policies)),
        ids_(changes(timeline.ids)),
        mx_(changes(timeline.mx)) {
    for (const auto& policy : timeline.policies)
      if (policy.what) max_ages_.push_back(policy.what->max_age);
    sort_unique(max_ages_);
  }

  Refusal run() {
    for (const Duration edge : lags(timeline_.edge_delay, policies_, ids_, timeline_.tick)) {
      const Moments policies = delayed(policies_, edge);
      for (const Duration id : lags(timeline_.id_ttl, ids_, policies, timeline_.tick)) {
        Moments seen = delayed(ids_, id);
        append(seen, policies);
        for (const Duration mx : lags(timeline_.mx_ttl, mx_, seen, timeline_.tick))
          try_firsts({edge, id, mx, Duration{0}}, seen);
      }
    }
    return worst_;
  }

 private:
  void try_firsts(Vantage vantage, const Moments& seen) {
    Moments all = seen;
    append(all, delayed(mx_, vantage.mx));
    if (all.empty()) all.emplace_back(0);
    for (const Duration first : firsts(all)) {
      vantage.first = first;
      Sender sender(timeline_, verdicts_, kind_, vantage, end());
      const Refusal refusal = sender.run();
      if (worse(refusal, worst_)) worst_ = refusal;
    }
  }

  // Just before and at each moment, and so that a later look, or the end of what is stored, or of
  // what is stored after that, falls there.
  Moments firsts(const Moments& seen) const {
    Moments periods = max_ages_;
    if (kind_ == SenderKind::daily) periods.push_back(day);
    Moments first = seen;
    append(first, delayed(seen, -timeline_.tick));
    for (int depth = 0; depth < chained_periods; ++depth) {
      const Moments later = first;
      for (const Duration period : periods)
        append(first, delayed(later, -period));
      sort_unique(first);
    }
    return first;
  }

  // By then every policy but the last has ended in every cache.
  Duration end() const {
    Duration last{0};
    for (const Moments* moments : {&policies_, &ids_, &mx_})
      if (!moments->empty()) last = std::max(last, moments->back());
    const Duration longest = max_ages_.empty() ? Duration{0} : max_ages_.back();
    return last + timeline_.edge_delay + timeline_.id_ttl + timeline_.mx_ttl + 2 * longest + day;
  }

  const Timeline& timeline_;
  SenderKind kind_;
  const Verdicts& verdicts_;
  Moments policies_;
  Moments ids_;
  Moments mx_;
  Moments max_ages_;
  Refusal worst_;
};

}  // namespace

const char* to_string(SenderKind kind) {
  switch (kind) {
    case SenderKind::prompt:
      return "prompt";
    case SenderKind::daily:
      return "daily";
    case SenderKind::strict:
      return "strict";
  }
  return "strict";
}

bool worse(const Refusal& left, const Refusal& right) {
  if (left.lasting != right.lasting) return left.lasting;
  return !left.lasting && left.total > right.total;
}

Refusal worst_refusal(const Timeline& timeline, SenderKind kind) {
  const Verdicts verdicts(timeline);
  if (!verdicts.any()) return {};
  return Search(timeline, kind, verdicts).run();
}

bool may_store_stale(const Timeline& timeline) {
  for (std::size_t i = 1; i < timeline.policies.size(); ++i) {
    const auto& before = timeline.policies[i - 1].what;
    const auto& after = timeline.policies[i].what;
    const bool differs = before && !(after && sts::same_policy(*before, *after));
    if (!differs) continue;
    // The last moment at which the older policy can be fetched, and the id then published.
    const Duration last = timeline.policies[i].at + timeline.edge_delay - timeline.tick;
    const std::size_t id = index_at(timeline.ids, last);
    const bool noticed = std::ranges::any_of(
        timeline.ids.begin() + static_cast<std::ptrdiff_t>(id) + 1, timeline.ids.end(),
        [&](const auto& later) { return later.what && later.what != timeline.ids[id].what; });
    if (timeline.ids[id].what && !noticed) return true;
  }
  return false;
}

}  // namespace stsctl::plan
