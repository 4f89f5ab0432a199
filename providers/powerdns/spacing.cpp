#include "providers/powerdns/spacing.h"

#include <algorithm>

namespace stsctl::providers::powerdns {

Spacing::Time Spacing::wait(Moment now) {
  const std::scoped_lock lock(mutex_);
  if (writers_ < 2 || !usual_) return Time::zero();
  const Time distance = *usual_ * 9 / 10 / static_cast<Time::rep>(writers_);
  const Moment start = std::max(now, next_);
  next_ = start + distance;
  return start - now;
}

void Spacing::took(Time time) {
  const std::scoped_lock lock(mutex_);
  usual_ = usual_ ? (*usual_ * 7 + time) / 8 : time;
}

}  // namespace stsctl::providers::powerdns
