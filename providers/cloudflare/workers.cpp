#include "providers/cloudflare/workers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "providers/address.h"
#include "providers/careful_write.h"
#include "providers/cloudflare/client.h"
#include "providers/cloudflare/worker_edit.h"
#include "providers/policy_edit.h"
#include "providers/tries.h"

namespace stsctl::providers::cloudflare {

namespace {

using plan::PolicyEdit;
using Body = std::optional<std::string>;

constexpr const char* default_worker = "stsctl-mta-sts";
constexpr std::size_t longest_worker_name = 63;  // a label of workers.dev
constexpr int most_tries = 4;
constexpr std::chrono::milliseconds first_pause{200};  // doubles with every further try

// The edits of one write(), what became of each, and what is open.
class Batch {
 public:
  Batch(const std::vector<PolicyEdit>& edits, const Watch& watch)
      : edits_(edits),
        watch_(watch),
        results_(edits.size(), fail(Code::cancelled, "stopped before it was written")),
        work_(edits.size()) {
    for (std::size_t i = 0; i < edits.size(); ++i)
      open_.push_back(i);
  }

  const Watch& watch() const { return watch_; }
  bool is_open() const { return !open_.empty(); }

  /// Closes what is done or cannot be.
  void judge(const Published& now) {
    close_if([&](std::size_t i) -> std::optional<Result<Done>> {
      const Result<Work> work = work_for(edits_[i], now);
      if (!work) return fail(work);
      if (work->none()) return Done{};
      work_[i] = *work;
      return std::nullopt;
    });
  }

  /// The script's policies with every open edit made.
  Policies wanted(Policies policies) const {
    for (const std::size_t i : open_)
      carry_out(edits_[i], policies);
    return policies;
  }

  /// The open edits for which `wanted` says there is such work.
  template <class Wanted>
  std::vector<std::size_t> open_with(Wanted wanted) const {
    std::vector<std::size_t> some;
    std::ranges::copy_if(open_, std::back_inserter(some),
                         [&](std::size_t i) { return wanted(work_[i]); });
    return some;
  }

  const PolicyEdit& edit(std::size_t i) const { return edits_[i]; }
  const Work& work(std::size_t i) const { return work_[i]; }

  /// `some` of the open ones, with a result each.
  void close(const std::vector<std::size_t>& some, const std::vector<Result<Done>>& results) {
    std::map<std::size_t, const Result<Done>*> closed;
    for (std::size_t n = 0; n < some.size(); ++n)
      closed.emplace(some[n], &results[n]);
    close_if([&](std::size_t i) {
      const auto found = closed.find(i);
      return found == closed.end() ? std::nullopt : std::optional(*found->second);
    });
  }
  void close_all(const Result<Done>& result) {
    close_if([&](std::size_t) { return std::optional(result); });
  }

  /// Counted while others are still at work; close() then does not count it again.
  void count_one() {
    watch_.advanced(1);
    ++counted_;
  }
  std::vector<Result<Done>> take() && {
    watch_.advanced(edits_.size() - counted_);
    return std::move(results_);
  }

 private:
  template <class Judge>
  void close_if(Judge judge) {
    std::erase_if(open_, [&](std::size_t i) {
      const std::optional<Result<Done>> result = judge(i);
      if (result) results_[i] = *result;
      return result.has_value();
    });
  }

  const std::vector<PolicyEdit>& edits_;
  const Watch& watch_;
  std::vector<Result<Done>> results_;
  std::vector<Work> work_;
  std::vector<std::size_t> open_;
  std::atomic<std::size_t> counted_{0};
};

class Workers final : public PolicyHost {
 public:
  Workers(std::unique_ptr<Client> client, std::string worker, Duration edge_delay,
          const io::Services& services)
      : client_(std::move(client)),
        worker_(std::move(worker)),
        edge_delay_(edge_delay),
        services_(services) {}

  std::vector<Result<Body>> read(const std::vector<dns::Name>& domains,
                                 const Watch& watch) override {
    if (domains.empty()) return {};
    const Result<Published> now =
        watch.stop.stop_requested() ? fail(Code::cancelled, "stopped before it was read") : look();
    std::vector<Result<Body>> bodies;
    bodies.reserve(domains.size());
    for (const dns::Name& domain : domains)
      bodies.push_back(now ? body_of(domain, *now) : fail(now));
    watch.advanced(domains.size());
    return bodies;
  }

  // The API has no compare-and-swap for scripts: look, compare, write. What broke on the way is
  // looked up by going round again.
  std::vector<Result<Done>> write(const std::vector<PolicyEdit>& edits,
                                  const Watch& watch) override {
    const std::scoped_lock lock(writing_);
    Batch batch(edits, watch);
    std::optional<Error> lost;
    for (int attempt = 1; attempt <= most_tries && batch.is_open(); ++attempt) {
      pause_before(attempt, first_pause, services_);
      if (stopped(watch)) break;
      const Result<Done> done = try_once(batch, lost);
      if (done) break;
      lost = done.error();
      if (attempt == most_tries) batch.close_all(done);
    }
    return std::move(batch).take();
  }

  std::size_t write_requests(std::size_t policies) const override {
    constexpr std::size_t looks = 4;    // two, the second after Custom Domains were detached
    constexpr std::size_t uploads = 2;  // one, and a look at it
    return policies > 0 ? looks + uploads + policies : 0;
  }
  std::size_t read_requests(std::size_t policies) const override { return policies > 0 ? 2 : 0; }
  std::vector<io::Rate> rates() const override { return client_->rates(); }

  // A Custom Domain brings its own.
  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return std::nullopt;
  }
  Duration edge_delay() const override { return edge_delay_; }

 private:
  bool stopped(const Watch& watch) const {
    return watch.stop.stop_requested() || services_.stop.stop_requested();
  }

  // The script last, so that it is read right before it is written.
  Result<Published> look() const {
    const Result<std::vector<CustomDomain>> domains = client_->custom_domains();
    if (!domains) return fail(domains);
    const Result<std::optional<std::string>> script = client_->script(worker_);
    Result<Policies> policies = !script   ? fail(script)
                                : *script ? read_script(**script)
                                          : Result<Policies>(Policies{});
    if (!policies && policies.error().code == Code::refused)
      return fail(Code::refused, policies.error().what, fmt::format("Worker '{}'", worker_),
                  "name another Worker with 'script', or remove this one if nobody needs it");
    if (!policies) return fail(policies);
    return Published(worker_, std::move(*policies), *domains);
  }

  static Result<Body> body_of(const dns::Name& domain, const Published& now) {
    Body body = now.served(domain);
    if (body && body->size() > longest_body)
      return fail(Code::protocol, "the body is longer than a megabyte", policy_hostname(domain));
    return body;
  }

  // An error is one after which another look is worth while; all others close what they concern.
  Result<Done> try_once(Batch& batch, const std::optional<Error>& lost) {
    Result<Published> now = look();
    if (now) batch.judge(*now);
    if (now && detach(batch)) {
      now = look();
      if (now) batch.judge(*now);
    }
    if (!now) {
      batch.close_all(lost ? unknown_outcome(*lost, now.error()) : fail(now));
      return Done{};
    }
    if (const Result<Done> done = upload(batch, *now); !done) {
      if (worth_another_look(done.error().code)) return done;
      batch.close_all(done);
      return Done{};
    }
    attach(batch);
    return Done{};
  }

  // Before the upload: who dies in between leaves a policy that is served nowhere and in nobody's
  // way, not a host name that answers 404 and whose record cannot be changed. Did anything go?
  bool detach(Batch& batch) {
    const auto some = batch.open_with([](const Work& work) { return work.detach.has_value(); });
    const auto results = or_cancelled(
        parallel_map(some, client_->concurrency(), batch.watch().stop,
                     [&](std::size_t i) { return client_->detach(*batch.work(i).detach); }),
        "removed");
    std::vector<std::size_t> failed;
    std::vector<Result<Done>> errors;
    for (std::size_t n = 0; n < some.size(); ++n) {
      if (results[n]) continue;
      failed.push_back(some[n]);
      errors.push_back(results[n]);
    }
    batch.close(failed, errors);
    return !some.empty();
  }

  Result<Done> upload(Batch& batch, const Published& now) {
    const Policies policies = batch.wanted(now.policies);
    if (policies != now.policies)
      if (const auto done = replace(now.policies, policies); !done) return done;
    const auto some = batch.open_with([](const Work& work) { return !work.attach; });
    batch.close(some, std::vector<Result<Done>>(some.size(), Done{}));
    return Done{};
  }

  // Another writer, who read before this upload and wrote after it, has taken it back: a look
  // tells, unless he is later still. The old text is no sign of one: the API may not show the new
  // one yet.
  Result<Done> replace(const Policies& before, const Policies& after) {
    const std::string text = render_script(after);
    if (const Result<Done> done = client_->upload(worker_, text); !done) return done;
    const Result<std::optional<std::string>> now = client_->script(worker_);
    if (!now || now->value_or(render_script({})) == render_script(before) || *now == text)
      return Done{};
    return fail(Code::conflict, "somebody else writes the Worker at the same time",
                fmt::format("Worker '{}'", worker_), "run apply again when that is over");
  }

  void attach(Batch& batch) {
    const auto some = batch.open_with([](const Work& work) { return work.attach; });
    const auto results = or_cancelled(
        parallel_map(some, client_->concurrency(), batch.watch().stop,
                     [&](std::size_t i) {
                       const dns::Name& domain = domain_of(batch.edit(i));
                       Result<Done> done = client_->attach(policy_hostname(domain), worker_);
                       batch.count_one();
                       return done;
                     }),
        "attached");
    batch.close(some, results);
  }

  const std::unique_ptr<Client> client_;
  const std::string worker_;
  const Duration edge_delay_;
  const io::Services services_;
  std::mutex writing_;
};

std::vector<SettingSpec> settings() {
  std::vector<SettingSpec> all = account_settings({
      {.name = "script",
       .type = SettingType::text,
       .description = "Name of the Worker; stsctl makes it, and no other than its own is changed",
       .fallback = default_worker},
      edge_delay_setting(),
  });
  for (SettingSpec& spec : all) {
    if (spec.name == "token")
      spec.description = "An API token (Workers Scripts Edit); or 'email' and 'key'";
    if (spec.name != "account") continue;
    spec.description = "Id of the account that has the Worker and the zones";
    spec.required = true;
    spec.fallback.clear();
  }
  return all;
}

Result<std::string> read_worker(const Settings& settings) {
  std::string name = settings.text("script", default_worker);
  if (!name.empty() && name.size() <= longest_worker_name &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos)
    return name;
  return fail(Code::invalid, "'script' is no name of a Worker", settings.where("script"),
              "lower-case letters, digits, '-' and '_', at most 63");
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services) {
  Result<std::string> worker = read_worker(settings);
  if (!worker) return fail(worker);
  Result<std::unique_ptr<Client>> client = open_client(settings, services);
  if (!client) return fail(client);
  return std::make_unique<Workers>(std::move(*client), std::move(*worker),
                                   Duration(settings.integer("edge_delay")), services);
}

}  // namespace

HostKind workers_kind() {
  return {"cloudflare-workers", "A Cloudflare Worker that answers for many domains", settings(),
          open};
}

}  // namespace stsctl::providers::cloudflare
