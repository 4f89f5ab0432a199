#include "io/http_throttle.h"

#include <utility>

namespace stsctl::io {

namespace {

std::optional<Duration> pause_of_429(const Reply& reply, Time now) {
  return reply.status == 429 ? retry_after(reply, now) : std::nullopt;
}

}  // namespace

Throttle::Throttle(Http& next, Clock& clock, const std::vector<Rate>& rates, std::stop_token stop,
                   std::chrono::milliseconds longest_wait, AskedPause asked)
    : next_(next),
      clock_(clock),
      asked_(asked ? std::move(asked) : pause_of_429),
      turns_(clock, rates, std::move(stop), longest_wait) {}

Result<Reply> Throttle::send(const Request& request) {
  if (const Result<Done> turn = turns_.wait(); !turn) return fail(turn);
  Result<Reply> reply = next_.send(request);
  if (reply)
    turns_.end(allowances(*reply, clock_.now()), asked_(*reply, clock_.now()));
  else
    turns_.end();
  return reply;
}

}  // namespace stsctl::io
