#include "engine/confirm.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "plan/desired.h"

namespace stsctl::engine {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t looks_at_once = 64;
constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{10000};

// A host's habit of line ends is no difference (design §5).
bool same_lines(std::string_view left, std::string_view right) {
  const auto without_cr = [](std::string_view text) {
    std::string lines(text);
    std::erase(lines, '\r');
    return lines;
  };
  return without_cr(left) == without_cr(right);
}

Result<Done> judge_clock(const plan::PolicyServed& wait, Time now, std::string_view whose) {
  if (!wait.not_before || now >= *wait.not_before) return Done{};
  return fail(Code::invalid,
              fmt::format("it is {} by {} clock, and senders may hold older policies until {}",
                          format_time(now), whose, format_time(*wait.not_before)),
              {}, "set the clock that is wrong; nothing was taken out");
}

Result<Done> judge_fetch(const io::HttpsProbe& probe, const plan::PolicyServed& wait) {
  if (!probe.reply) return fail(probe.reply);
  if (probe.reply->status != 200)
    return fail(Code::protocol, fmt::format("it answers {}", probe.reply->status));
  if (!same_lines(probe.reply->body, wait.file.body))
    return fail(Code::conflict, "it serves another policy");
  const auto date = io::parse_http_date(probe.reply->header("Date").value_or(""));
  return date ? judge_clock(wait, *date, "the policy host's") : Done{};
}

using Instant = std::chrono::steady_clock::time_point;

// A policy that is waited for.
struct Open {
  std::size_t index;                   // into the waits
  std::optional<Instant> served = {};  // since when the host says that it serves it
  bool refused = false;                // the host cannot be asked, and no waiting mends that
};

class Waiting {
 public:
  Waiting(providers::PolicyHost& host, const std::vector<const plan::PolicyServed*>& waits,
          const ConfirmOptions& options, io::Clock& clock, const providers::Watch& watch,
          const std::function<void(std::size_t, const Result<Done>&)>& settle)
      : host_(host),
        waits_(waits),
        options_(options),
        clock_(clock),
        watch_(watch),
        settle_(settle),
        begin_(clock.steady()) {
    for (std::size_t i = 0; i < waits.size(); ++i)
      open_.push_back({i});
  }

  void run() {
    for (milliseconds pause = first_pause;; pause = std::min(pause * 2, longest_pause)) {
      look();
      if (open_.empty() || watch_.stop.stop_requested()) return;
      clock_.sleep(until_due(pause), watch_.stop);
    }
  }

 private:
  const plan::PolicyServed& wait_of(const Open& open) const { return *waits_[open.index]; }

  // When no cache can hold an older policy any more.
  Instant settled_at(const Open& open, Instant now) const {
    return open.served.value_or(now) + wait_of(open).settle;
  }

  // What is served stays so while caches run out: nobody need ask before.
  milliseconds until_due(milliseconds pause) const {
    const Instant now = clock_.steady();
    Instant first = Instant::max();
    for (const Open& open : open_) {
      if (!open.served || settled_at(open, now) <= now) return pause;
      first = std::min(first, settled_at(open, now));
    }
    return std::chrono::ceil<milliseconds>(first - now);
  }

  void look() {
    std::vector<dns::Name> names;
    for (const Open& open : open_)
      names.push_back(wait_of(open).file.domain);
    const auto bodies = host_.read(names, {watch_.stop, {}});
    const Instant now = clock_.steady();
    std::vector<Result<Done>> seen;
    for (std::size_t k = 0; k < open_.size(); ++k) {
      seen.push_back(judge_clock(wait_of(open_[k]), clock_.now(), "this machine's"));
      if (seen.back()) seen.back() = judge_host(wait_of(open_[k]), bodies[k]);
      open_[k].refused = !bodies[k] && bodies[k].error().code != Code::unreachable &&
                         bodies[k].error().code != Code::timeout;
      if (!seen.back())
        open_[k].served.reset();
      else if (!open_[k].served)
        open_[k].served = now;
    }
    look_outside(seen, now);
    std::vector<Open> still;
    for (std::size_t k = 0; k < open_.size(); ++k)
      if (!settled(open_[k], seen[k], now)) still.push_back(open_[k]);
    open_ = std::move(still);
  }

  static Result<Done> judge_host(const plan::PolicyServed& wait,
                                 const Result<std::optional<std::string>>& body) {
    if (!body) return fail(body);
    if (*body && same_lines(**body, wait.file.body)) return Done{};
    return fail(Code::conflict, fmt::format("{} does not serve the {}policy", wait.host,
                                            wait.not_before ? "" : "new "));
  }

  // Only for those that are served as far as the host knows, and long enough.
  void look_outside(std::vector<Result<Done>>& seen, Instant now) {
    if (!options_.eyes || watch_.stop.stop_requested()) return;
    std::vector<std::size_t> places;
    for (std::size_t k = 0; k < seen.size(); ++k)
      if (seen[k] && wait_of(open_[k]).outside && settled_at(open_[k], now) <= now)
        places.push_back(k);
    auto looked = parallel_map(places, looks_at_once, watch_.stop, [&](std::size_t k) {
      return served_outside(wait_of(open_[k]), *options_.eyes, options_.look);
    });
    for (std::size_t p = 0; p < places.size(); ++p)
      if (looked[p]) seen[places[p]] = std::move(*looked[p]);
  }

  bool settled(const Open& open, const Result<Done>& seen, Instant now) {
    const plan::PolicyServed& wait = wait_of(open);
    if (seen && settled_at(open, now) <= now) {
      settle_(open.index, Done{});
      return true;
    }
    if (!seen && (open.refused || seen.error().code == Code::invalid)) {
      settle_(open.index, seen);
      return true;
    }
    const Duration patience = wait.settle + options_.timeout.value_or(wait.deadline);
    if (options_.wait && (seen || now - begin_ < patience)) return false;
    settle_(open.index, too_late(wait, seen, patience));
    return true;
  }

  Result<Done> too_late(const plan::PolicyServed& wait, const Result<Done>& seen,
                        Duration patience) const {
    const std::string last = seen ? "caches may still serve the old one" : to_string(seen.error());
    if (wait.not_before)
      return fail(Code::timeout,
                  fmt::format("the policy that takes MTA-STS back was not served{}: {}",
                              waited(options_, patience), last),
                  {}, "nothing was taken out; run apply again when the host serves it");
    return fail(
        Code::timeout,
        fmt::format("the new policy was not served{}: {}", waited(options_, patience), last), {},
        "its id is not announced yet; run apply again when the host serves it");
  }

  providers::PolicyHost& host_;
  const std::vector<const plan::PolicyServed*>& waits_;
  const ConfirmOptions& options_;
  io::Clock& clock_;
  const providers::Watch& watch_;
  const std::function<void(std::size_t, const Result<Done>&)>& settle_;
  Instant begin_;
  std::vector<Open> open_;
};

}  // namespace

std::string waited(const ConfirmOptions& options, Duration patience) {
  return options.wait ? fmt::format(" within {}", describe_duration(patience))
                      : " at once, and --no-wait was given";
}

Result<Done> served_outside(const plan::PolicyServed& wait, const Eyes& eyes,
                            const LookOptions& look) {
  const dns::Name name = plan::owners(wait.file.domain).address;
  std::vector<std::string> addresses;
  for (const io::Question question : {io::Question::a, io::Question::aaaa}) {
    const auto answer = eyes.resolver.resolve(name, question);
    if (!answer) return fail(answer);
    addresses.insert(addresses.end(), answer->values.begin(), answer->values.end());
  }
  if (addresses.empty()) return fail(Code::not_found, "it has no address yet", name.text());
  for (const std::string& address : addresses) {
    const auto probe = eyes.prober.fetch_policy({name.text(), address, look.https_port});
    if (const auto judged = judge_fetch(probe, wait); !judged)
      return fail_at(judged, fmt::format("{} [{}]", name.text(), address));
  }
  return Done{};
}

void await_policies(providers::PolicyHost& host,
                    const std::vector<const plan::PolicyServed*>& waits,
                    const ConfirmOptions& options, io::Clock& clock, const providers::Watch& watch,
                    const std::function<void(std::size_t, const Result<Done>&)>& settle) {
  Waiting(host, waits, options, clock, watch, settle).run();
}

}  // namespace stsctl::engine
