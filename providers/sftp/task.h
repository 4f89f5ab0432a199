#pragma once
// A coroutine that waits for answers and returns a T. Knows nothing of whom it waits for.

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace stsctl::providers::sftp {

/// Begins when it is started or awaited, and goes on whenever what it awaits is there. One thread
/// at a time. What it refers to must outlive it.
template <class T>
class [[nodiscard]] Task {
 public:
  // NOLINTNEXTLINE(readability-identifier-naming): the language's name
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  // Whoever awaits the task goes on where it ends.
  struct AtEnd {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle ended) const noexcept {
      const std::coroutine_handle<> waiter = ended.promise().waiter;
      return waiter ? waiter : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  // NOLINTNEXTLINE(readability-identifier-naming): the language's name
  struct promise_type {
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    AtEnd final_suspend() const noexcept { return {}; }
    void return_value(T returned) { value.emplace(std::move(returned)); }
    // Failures are values here: what is thrown is out of memory.
    [[noreturn]] void unhandled_exception() const { std::terminate(); }

    std::optional<T> value;
    std::coroutine_handle<> waiter;
  };

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  void start() { coroutine_.resume(); }
  bool is_done() const { return coroutine_.done(); }
  /// What it returned; once, and only when it is done.
  T take() { return std::move(*coroutine_.promise().value); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    coroutine_.promise().waiter = waiter;
    return coroutine_;
  }
  T await_resume() { return take(); }

 private:
  explicit Task(Handle coroutine) : coroutine_(coroutine) {}

  Handle coroutine_;
};

}  // namespace stsctl::providers::sftp
