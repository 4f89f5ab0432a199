#pragma once
// What is counted while serving, and its text for Prometheus. Knows no connection.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace stsctl::serve {

/// Counters of one listener, written by all its threads.
class Counters {
 public:
  std::atomic<std::uint64_t> accepted{0};   ///< Connections taken,
  std::atomic<std::uint64_t> open{0};       ///< those open now,
  std::atomic<std::uint64_t> refused{0};    ///< closed at once because too many were open,
  std::atomic<std::uint64_t> evicted{0};    ///< idle ones closed to make room,
  std::atomic<std::uint64_t> timed_out{0};  ///< and those cut at a deadline.
  std::atomic<std::uint64_t> handshakes_failed{0};

  void count(int status);
  /// Requests by status, those with none left out.
  std::map<int, std::uint64_t> requests() const;

 private:
  static constexpr int first_status = 100;
  static constexpr int last_status = 599;
  std::array<std::atomic<std::uint64_t>, last_status - first_status + 1> requests_{};
};

/// The state that is not counted by listeners.
struct Gauges {
  std::size_t policies = 0;
  Time started{};
  Time loaded{};  ///< When the policies were last read without a fault.
  bool last_reload_failed = false;
  std::uint64_t reloads = 0;         ///< That succeeded,
  std::uint64_t failed_reloads = 0;  ///< and that left the old configuration.
  std::uint64_t log_lines_lost = 0;
  std::map<std::string, Time> certificate_expiry;  ///< By the certificate's first name.
  std::string version;
};

/// A listener as the metrics show it.
struct ListenerCounters {
  std::string name;  ///< "http://127.0.0.1:8080"
  const Counters* counters;
};

/// The exposition (text format 0.0.4).
std::string metrics_text(const std::vector<ListenerCounters>& listeners, const Gauges& gauges);

}  // namespace stsctl::serve
