#pragma once
// An Http that answers from a script and remembers what it was asked. Any number of threads.

#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "io/http.h"

namespace stsctl::fakes {

class FakeHttp : public io::Http {
 public:
  using Answer = std::function<Result<io::Reply>(const io::Request&)>;

  /// Answers that are given once each, in order, before `always` is asked.
  void then(Result<io::Reply> answer) {
    const std::lock_guard lock(guard_);
    script_.push_back([answer = std::move(answer)](const io::Request&) { return answer; });
  }
  void then(int status, std::string body = {}, std::vector<io::Header> headers = {}) {
    then(io::Reply{status, std::move(headers), std::move(body)});
  }
  /// Answers everything beyond the script; called by several threads at once.
  void always(Answer answer) { always_ = std::move(answer); }

  Result<io::Reply> send(const io::Request& request) override {
    Answer answer = always_;
    {
      const std::lock_guard lock(guard_);
      requests_.push_back(request);
      if (!script_.empty()) {
        answer = std::move(script_.front());
        script_.pop_front();
      }
    }
    if (answer) return answer(request);
    return fail(Code::internal, "the script has no answer for this", request.url);
  }

  /// What was asked so far.
  std::vector<io::Request> requests() const {
    const std::lock_guard lock(guard_);
    return requests_;
  }
  /// Answers of the script not given yet.
  std::size_t left() const {
    const std::lock_guard lock(guard_);
    return script_.size();
  }

 private:
  mutable std::mutex guard_;
  std::deque<Answer> script_;
  std::vector<io::Request> requests_;
  Answer always_;
};

}  // namespace stsctl::fakes
