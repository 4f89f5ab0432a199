#pragma once
// Looks at each mail server once, and not with too many connections, however many domains name it.

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "io/probe.h"

namespace stsctl::engine {

/// Prober over Prober, for one run over many domains. Mail servers turn away who opens many
/// connections (Postfix: more than 50 from one address), which would be told as their fault.
class SharedProber final : public io::Prober {
 public:
  /// Connections to one address at once.
  static constexpr int most_at_once = 20;

  explicit SharedProber(io::Prober& next) : next_(next) {}

  io::HttpsProbe fetch_policy(const io::ProbeTarget& target) override {
    return next_.fetch_policy(target);
  }
  /// Who asks for what another has asked for already waits for its outcome.
  io::SmtpProbe look_at_mx(const io::ProbeTarget& target) override;

 private:
  using Key = std::tuple<std::string, std::string, std::uint16_t>;

  io::SmtpProbe look(const io::ProbeTarget& target);

  io::Prober& next_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::map<Key, std::shared_future<io::SmtpProbe>> seen_;  ///< Under mutex_.
  std::map<std::string, int> open_;                        ///< Under mutex_, by address.
};

}  // namespace stsctl::engine
