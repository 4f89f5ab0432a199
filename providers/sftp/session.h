#pragma once
// One SFTP session over one connection, with many requests under way. Knows no policy.

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "io/services.h"
#include "providers/sftp/login.h"
#include "providers/sftp/packet.h"
#include "providers/sftp/task.h"

namespace stsctl::providers::sftp {

class Session;

/// An answer that may still be on its way: `co_await` it, once.
class [[nodiscard]] Pending {
 public:
  Pending(Session& session, std::uint32_t id) : session_(&session), id_(id) {}
  bool await_ready() const;
  void await_suspend(std::coroutine_handle<> waiter) const;
  /// An Error when the session broke before the answer came: whether the request was carried out is
  /// unknown then.
  Result<Answer> await_resume() const;

 private:
  Session* session_;
  std::uint32_t id_;
};

/// What happens to that which is under way when `stop` is requested.
enum class OnStop {
  abandon,  ///< Its answers are not waited for; the session is of no more use.
  finish,
};

/// An SFTP server at the other end of ssh. One thread at a time. Once it broke, every answer that
/// is awaited is the Error why: Code::unreachable when the connection ended, timeout when the
/// server is silent for too long, protocol, cancelled.
class Session {
 public:
  /// Logs in.
  static Result<std::unique_ptr<Session>> open(const Login& login, const io::Services& services,
                                               const std::stop_token& stop);

  /// Only from a task of each().
  Pending send(const Request& request);
  /// The same for a request whose answer changes nothing.
  void send_and_forget(const Request& request);

  const Greeting& greeting() const { return greeting_; }
  const Login& login() const { return login_; }
  bool is_usable() const { return !broken_; }

  /// Runs the Task `work(item)` for every item, at most `most` of them under way, and returns what
  /// they return in the order of the items; nothing for what was not begun when `stop` was
  /// requested.
  template <class Item, class Work>
  auto each(const std::vector<Item>& items, std::size_t most, const std::stop_token& stop,
            OnStop on_stop, Work work) {
    using Returned = decltype(work(items.front()).take());
    struct Begun {
      std::size_t item;
      Task<Returned> task;
    };
    std::vector<std::optional<Returned>> out(items.size());
    std::vector<Begun> begun;
    for (std::size_t next = 0;;) {
      for (; next < items.size() && begun.size() < most && !stop.stop_requested(); ++next) {
        begun.push_back({next, work(items[next])});
        begun.back().task.start();
      }
      const bool any = std::erase_if(begun, [&](Begun& one) {
                         if (one.task.is_done()) out[one.item].emplace(one.task.take());
                         return one.task.is_done();
                       }) > 0;
      if (any && next < items.size() && !stop.stop_requested()) continue;
      if (begun.empty()) return out;
      exchange(on_stop == OnStop::abandon ? stop : std::stop_token());
    }
  }

 private:
  friend class Pending;

  // A request that is not answered yet, or its answer while nobody has taken it.
  struct Slot {
    Request request;
    bool is_wanted;
    std::optional<Answer> answer = {};
    std::coroutine_handle<> waiter = {};
  };

  Session(const Login& login, const io::Services& services) : login_(login), services_(services) {}

  Result<Done> greet(const std::stop_token& stop);
  std::uint32_t enqueue(const Request& request, bool is_wanted);
  void exchange(const std::stop_token& stop);
  void take_in();
  void deliver(NumberedAnswer numbered);
  void break_off(Error error);
  void trace(const Request& request, const std::string& outcome) const;

  Login login_;
  const io::Services& services_;
  std::unique_ptr<io::Dialogue> dialogue_;
  Greeting greeting_;
  std::string outgoing_;
  std::string incoming_;
  std::uint32_t last_id_ = 0;
  std::unordered_map<std::uint32_t, Slot> slots_;
  std::optional<Error> broken_;
};

}  // namespace stsctl::providers::sftp
