#include "io/http_retry.h"

#include <algorithm>
#include <random>
#include <utility>

#include "io/http_limits.h"

namespace stsctl::io {

namespace {

using std::chrono::milliseconds;

double random_chance() {
  thread_local std::mt19937 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

bool says_too_many(const RetryOptions& options, const Reply& reply) {
  return reply.status == 429 || (options.throttled && options.throttled(reply));
}

bool may_try_again(const RetryOptions& options, const Request& request,
                   const Result<Reply>& result) {
  if (!result)
    return request.repeatable &&
           (result.error().code == Code::unreachable || result.error().code == Code::timeout);
  if (says_too_many(options, *result)) return true;
  return request.repeatable &&
         (result->status == 502 || result->status == 503 || result->status == 504);
}

int most_tries(const RetryOptions& options, const Result<Reply>& result) {
  const bool patient = options.throttled_attempts > 0 && result && says_too_many(options, *result);
  return patient ? options.throttled_attempts : options.attempts;
}

milliseconds upper_bound(const RetryOptions& options, int tries) {
  milliseconds bound = options.first_delay;
  for (int i = 1; i < tries && bound < options.longest_delay; ++i)
    bound *= 2;
  return std::min(bound, options.longest_delay);
}

}  // namespace

std::optional<Duration> asked_pause(const RetryOptions& options, const Reply& reply, Time now) {
  if (!says_too_many(options, reply)) return std::nullopt;
  if (const auto asked = retry_after(reply, now)) return asked;
  const auto said = allowances(reply, now);
  const bool told = std::ranges::any_of(
      said, [](const Allowance& allowance) { return allowance.remaining <= 0; });
  if (told || options.throttled_wait.count() == 0) return std::nullopt;
  return options.throttled_wait;
}

std::optional<milliseconds> next_delay(const RetryOptions& options, const Request& request,
                                       const Result<Reply>& result, const Try& last,
                                       double chance) {
  if (last.number >= most_tries(options, result) || !may_try_again(options, request, result))
    return std::nullopt;
  const double jitter = chance * static_cast<double>(upper_bound(options, last.number).count());
  milliseconds delay(static_cast<milliseconds::rep>(jitter));
  if (result)
    delay += std::max(retry_after(*result, last.now).value_or(Duration(0)),
                      asked_pause(options, *result, last.now).value_or(Duration(0)));
  if (last.elapsed + delay > options.total) return std::nullopt;
  return delay;
}

Retry::Retry(Http& next, Clock& clock, RetryOptions options, std::stop_token stop,
             std::function<double()> chance)
    : next_(next),
      clock_(clock),
      options_(std::move(options)),
      stop_(std::move(stop)),
      chance_(chance ? std::move(chance) : random_chance) {}

Result<Reply> Retry::send(const Request& request) {
  Result<Reply> result = next_.send(request);
  // Not before: the first try may have had to wait minutes for its turn.
  const auto begin = clock_.steady();
  std::optional<Request> again;
  for (int tries = 1;; ++tries) {
    const auto elapsed = std::chrono::ceil<milliseconds>(clock_.steady() - begin);
    const auto delay =
        next_delay(options_, request, result, {tries, elapsed, clock_.now()}, chance_());
    if (!delay || stop_.stop_requested()) return result;
    clock_.sleep(*delay, stop_);
    if (stop_.stop_requested()) return result;
    if (!again) again = request;
    again->attempt = tries + 1;
    result = next_.send(*again);
  }
}

}  // namespace stsctl::io
