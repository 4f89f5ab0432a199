#pragma once
// When writers may start so that they do not meet in the database. Knows no API.

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>

namespace stsctl::providers::powerdns {

/// Spreads the starts of writes evenly over the time that one takes. Writers that were turned away
/// together would otherwise come back together, a round trip later, for ever: SQLite refuses all
/// but one. May be used by any thread.
class Spacing {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  using Time = std::chrono::steady_clock::duration;

  /// `writers` is how many write at once, at least 1.
  explicit Spacing(std::size_t writers) : writers_(writers) {}

  /// How long a write that is ready at `now` is to wait; zero before the first has ended, and for
  /// one writer. Starts keep nine tenths of their even distance, so that nobody idles.
  Time wait(Moment now);

  /// Tells how long a write took that has ended; the average of the last few counts.
  void took(Time time);

 private:
  const std::size_t writers_;
  std::mutex mutex_;
  std::optional<Time> usual_;
  Moment next_;
};

}  // namespace stsctl::providers::powerdns
