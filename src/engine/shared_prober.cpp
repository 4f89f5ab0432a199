#include "engine/shared_prober.h"

#include <utility>

namespace stsctl::engine {

io::SmtpProbe SharedProber::look_at_mx(const io::ProbeTarget& target) {
  std::promise<io::SmtpProbe> mine;
  std::shared_future<io::SmtpProbe> seen;
  {
    const std::scoped_lock lock(mutex_);
    const auto [entry, first] =
        seen_.try_emplace({target.host, target.address, target.port}, mine.get_future());
    if (!first) seen = entry->second;
  }
  if (seen.valid()) return seen.get();
  io::SmtpProbe probe = look(target);
  mine.set_value(probe);
  return probe;
}

io::SmtpProbe SharedProber::look(const io::ProbeTarget& target) {
  std::unique_lock lock(mutex_);
  int& open = open_[target.address];
  freed_.wait(lock, [&] { return open < most_at_once; });
  ++open;
  lock.unlock();
  io::SmtpProbe probe = next_.look_at_mx(target);
  lock.lock();
  --open;
  freed_.notify_all();
  return probe;
}

}  // namespace stsctl::engine
