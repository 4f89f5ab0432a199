#pragma once
// A wire between a client and a server on this machine that can be cut, held and watched.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace stsctl::servers {

/// Passes TCP connections on to a port while it exists. Calls may come from any thread.
class Relay {
 public:
  explicit Relay(std::uint16_t target);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  std::uint16_t port() const { return port_; }

  /// From now on each piece of an answer is this long on its way.
  void delay_answers(std::chrono::milliseconds delay) { delay_ = delay; }
  /// From now on nothing gets through, in either direction; connections stand.
  void hold(bool held) { held_ = held; }
  /// Cuts what is connected; later connections are served.
  void cut();
  /// Cuts what is connected as soon as `condition`, asked again and again, is true; once. Until
  /// then no answer gets through before the condition was asked after it came: however slow the
  /// machine is, the answer to what makes it true is cut. The condition must not wait for this
  /// wire.
  void cut_when(std::function<bool()> condition);
  /// Has cut_when() cut?
  bool has_cut() const { return has_cut_; }
  /// Connections accepted so far.
  std::size_t connections() const { return accepted_; }

 private:
  struct Wire;
  struct Piece;
  void accept_all(const std::stop_token& stop);
  void pass(Wire& wire, const std::stop_token& stop) const;
  bool may_arrive(const Piece& piece) const;

  std::uint16_t target_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::chrono::milliseconds> delay_{std::chrono::milliseconds{0}};
  std::atomic<bool> held_{false};
  std::atomic<bool> has_cut_{false};
  std::atomic<std::size_t> accepted_{0};
  std::atomic<bool> watched_{false};
  std::atomic<std::size_t> looks_{0};  // how often the condition was asked, in vain
  std::mutex guard_;
  std::list<Wire> wires_;
  std::jthread watcher_;
  std::jthread acceptor_;  // the last: ends before what it uses
};

}  // namespace stsctl::servers
