#include "io/http_limits.h"

#include <algorithm>
#include <charconv>
#include <string>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::io {

namespace {

using std::chrono::nanoseconds;

// A reset beyond this is a point in time, not a wait.
constexpr std::int64_t longest_reset = 1'000'000'000;
// Resets are whole seconds, so that one and the same moves by one between answers.
constexpr std::chrono::seconds reset_slack{2};
constexpr Duration longest_pause = std::chrono::hours(24 * 365);
constexpr Duration longest_window = std::chrono::hours(24);
constexpr std::size_t most_policies = 8;
constexpr std::size_t most_requests = 1'000'000;

std::optional<std::int64_t> whole_number(std::string_view text) {
  text = trim(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> header_number(const Reply& reply, std::string_view name) {
  const std::optional<std::string> value = reply.header(name);
  return value ? whole_number(*value) : std::nullopt;
}

// The parameters r and t, or their long names.
struct Parameters {
  std::optional<std::int64_t> remaining;
  std::optional<std::int64_t> reset;

  void read(std::string_view parameter) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) return;
    const std::string name = lower(trim(parameter.substr(0, equals)));
    const auto value = whole_number(parameter.substr(equals + 1));
    if (name == "r" || name == "remaining") remaining = value;
    if (name == "t" || name == "reset") reset = value;
  }
};

std::optional<Allowance> make_allowance(const Parameters& said, Time now) {
  if (!said.remaining || !said.reset) return std::nullopt;
  const std::int64_t wait =
      *said.reset > longest_reset ? *said.reset - now.time_since_epoch().count() : *said.reset;
  return Allowance{{}, *said.remaining, std::clamp(Duration(wait), Duration(0), longest_pause)};
}

std::vector<Allowance> read_field(std::string_view field, Time now) {
  std::vector<Allowance> found;
  Parameters whole;  // the older form spreads them over the list's members
  for (const std::string_view member : split(field, ',')) {
    Parameters own;
    const std::vector<std::string_view> pieces = split(member, ';');
    for (const std::string_view parameter : pieces) {
      own.read(parameter);
      whole.read(parameter);
    }
    if (auto one = make_allowance(own, now); one && found.size() < most_policies) {
      one->policy = trim(pieces.front());
      found.push_back(*std::move(one));
    }
  }
  if (found.empty())
    if (auto one = make_allowance(whole, now)) found.push_back(*std::move(one));
  return found;
}

Result<Rate> parse_rate(std::string_view text) {
  const auto wrong = [&] {
    return fail(Code::invalid, fmt::format("'{}' is no rate", printable(text)), {},
                "write requests per time, such as 5/s or 1200/5m");
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return wrong();
  const auto requests = whole_number(text.substr(0, slash));
  std::string window(trim(text.substr(slash + 1)));
  if (!window.empty() && window.find_first_of("0123456789") == std::string::npos)
    window.insert(0, "1");
  const Result<Duration> length = parse_duration(window);
  if (!requests || *requests < 1 || static_cast<std::size_t>(*requests) > most_requests ||
      !length || length->count() < 1 || *length > longest_window)
    return wrong();
  return Rate{static_cast<std::size_t>(*requests), *length};
}

// What requests that travel for different times need, to be within the rate where they arrive too.
nanoseconds paced_window(const Rate& rate) {
  return nanoseconds(rate.window) / 100 * 104;
}

}  // namespace

std::optional<Duration> retry_after(const Reply& reply, Time now) {
  if (reply.status != 403 && reply.status != 429 && reply.status != 503) return std::nullopt;
  const std::optional<std::string> value = reply.header("Retry-After");
  if (!value) return std::nullopt;
  if (const auto seconds = whole_number(*value)) return std::min(Duration(*seconds), longest_pause);
  const std::optional<Time> date = parse_http_date(*value);
  if (!date) return std::nullopt;
  return std::clamp(Duration(*date - now), Duration(0), longest_pause);
}

std::vector<Allowance> allowances(const Reply& reply, Time now) {
  if (const auto field = reply.header("RateLimit"))
    if (auto found = read_field(*field, now); !found.empty()) return found;
  for (const std::string prefix : {"RateLimit", "X-RateLimit"}) {
    const auto found = make_allowance(
        {header_number(reply, prefix + "-Remaining"), header_number(reply, prefix + "-Reset")},
        now);
    if (found) return {*found};
  }
  return {};
}

Result<std::vector<Rate>> parse_rates(std::string_view text) {
  std::vector<Rate> rates;
  if (trim(text) == "none") return rates;
  for (const std::string_view piece : split(text, ',')) {
    const Result<Rate> rate = parse_rate(trim(piece));
    if (!rate) return fail(rate);
    rates.push_back(*rate);
  }
  return rates;
}

Duration least_time(const std::vector<Rate>& rates, std::size_t requests) {
  nanoseconds longest{0};
  if (requests == 0) return Duration{0};
  for (const Rate& rate : rates)
    longest = std::max(longest, paced_window(rate) *
                                    static_cast<nanoseconds::rep>((requests - 1) / rate.requests));
  return std::chrono::ceil<Duration>(longest);
}

Pace::Pace(const std::vector<Rate>& rates) {
  for (const Rate& rate : rates)
    windows_.push_back({rate.requests, paced_window(rate), {}});
}

nanoseconds Pace::wait(Instant now) const {
  nanoseconds longest = service_wait(now);
  for (const Window& window : windows_)
    if (window.starts.size() == window.requests)
      longest = std::max(longest, nanoseconds(window.starts.front() + window.length - now));
  // Those still running may not be counted yet in what the service said is left.
  for (const Granted& granted : granted_)
    if (granted.remaining <= running_)
      longest = std::max(longest, nanoseconds(granted.reset - now));
  return longest;
}

nanoseconds Pace::service_wait(Instant now) const {
  nanoseconds longest = std::max(nanoseconds(0), nanoseconds(paused_until_ - now));
  for (const Granted& granted : granted_)
    if (granted.remaining <= 0) longest = std::max(longest, nanoseconds(granted.reset - now));
  return longest;
}

void Pace::start(Instant now) {
  for (Window& window : windows_) {
    window.starts.push_back(now);
    if (window.starts.size() > window.requests) window.starts.pop_front();
  }
  ++running_;
}

void Pace::end(Instant now, const std::vector<Allowance>& granted) {
  --running_;
  std::erase_if(granted_, [&](const Granted& old) { return now >= old.reset; });
  // One that says nothing, or failed, may have been counted all the same.
  if (granted.empty())
    for (Granted& old : granted_)
      --old.remaining;
  for (const Allowance& allowance : granted)
    learn(now, allowance);
}

void Pace::learn(Instant now, const Allowance& allowance) {
  const Instant reset = now + allowance.reset + std::chrono::seconds(1);
  const auto known = std::ranges::find(granted_, allowance.policy, &Granted::policy);
  if (known == granted_.end()) {
    if (granted_.size() < most_policies)
      granted_.push_back({allowance.policy, allowance.remaining, reset});
  } else if (reset > known->reset + reset_slack) {
    *known = {allowance.policy, allowance.remaining, reset};  // a new window
  } else if (reset >= known->reset - reset_slack) {
    known->remaining = std::min(known->remaining, allowance.remaining);
  }  // else a late answer, of a window gone by
}

void Pace::pause(Instant now, Duration length) {
  paused_until_ = std::max(paused_until_, now + length);
}

}  // namespace stsctl::io
