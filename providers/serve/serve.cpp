#include "providers/serve/serve.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/parallel.h"
#include "providers/account.h"
#include "providers/address.h"
#include "providers/directory/directory.h"
#include "providers/policy_edit.h"
#include "providers/policy_path.h"
#include "providers/reload.h"
#include "sts/policy.h"

namespace stsctl::providers::serve {

namespace {

constexpr Duration default_wait{60};
constexpr Duration stopped_wait{5};
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{2000};

using Body = std::optional<std::string>;

class Serve final : public PolicyHost {
 public:
  Serve(Api api, const Settings& settings, const io::Services& services, plan::Address address,
        std::unique_ptr<PolicyHost> store)
      : api_(std::move(api)),
        services_(services),
        store_(std::move(store)),
        reload_(settings.list("reload")),
        wait_(settings.integer("wait", default_wait.count())),
        edge_delay_(settings.integer("edge_delay")),
        address_(std::move(address)) {}

  std::vector<Result<Body>> read(const std::vector<dns::Name>& domains,
                                 const Watch& watch) override {
    const auto read = [&](const dns::Name& domain) {
      auto body = read_one(domain);
      watch.advanced(1);
      return body;
    };
    return or_cancelled(parallel_map(domains, api_.concurrency, watch.stop, read), "read");
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override {
    std::vector<Result<Done>> results(edits.size());
    std::vector<std::size_t> pending = compare(edits, results, watch);
    if (pending.size() < edits.size()) watch.advanced(edits.size() - pending.size());
    if (pending.empty()) return results;
    pending = pass_on(edits, pending, results, watch);
    await(edits, pending, results, watch);
    return results;
  }

  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return if_any(address_);
  }

  Duration edge_delay() const override { return edge_delay_; }

  bool as_configured() const override { return store_ == nullptr; }

 private:
  // What the running server answers for mta-sts.`domain`, wherever that name points now.
  Result<Body> read_one(const dns::Name& domain) const {
    const std::string host = domain.under("mta-sts").text();
    io::Request request = io::get(api_.endpoint + std::string(sts::policy_path), {{"Host", host}});
    request.answer_limit = longest_body;
    const Result<io::Reply> reply = api_.http->send(request);
    if (!reply) return fail(reply);
    if (reply->status == 200) return Body(reply->body);
    if (reply->status == 404) return Body{};
    if (reply->status == 500)
      return fail(Code::internal, "the server cannot read its policy", host, "look at its log");
    return fail(Code::protocol, fmt::format("the server answers {}", reply->status), host,
                "does 'endpoint' name a running 'stsctl serve'?");
  }

  static std::vector<dns::Name> domains_of(const std::vector<plan::PolicyEdit>& edits,
                                           const std::vector<std::size_t>& which) {
    std::vector<dns::Name> domains;
    for (const std::size_t i : which)
      domains.push_back(domain_of(edits[i]));
    return domains;
  }

  // The edits whose policy is not served yet, and what is to be replaced is.
  std::vector<std::size_t> compare(const std::vector<plan::PolicyEdit>& edits,
                                   std::vector<Result<Done>>& results, const Watch& watch) {
    std::vector<std::size_t> all(edits.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = i;
    const auto live = read(domains_of(edits, all), {.stop = watch.stop, .advance = {}});
    std::vector<std::size_t> pending;
    for (const std::size_t i : all) {
      const Result<bool> is_open =
          live[i] ? is_pending(edits[i], *live[i], api_.endpoint) : fail(live[i]);
      if (!is_open) results[i] = fail(is_open);
      if (is_open && *is_open) pending.push_back(i);
    }
    return pending;
  }

  // Lets the server know; those it could not be told of are settled. The others are returned.
  std::vector<std::size_t> pass_on(const std::vector<plan::PolicyEdit>& edits,
                                   const std::vector<std::size_t>& pending,
                                   std::vector<Result<Done>>& results, const Watch& watch) {
    std::vector<Result<Done>> told(pending.size(), Done{});
    if (store_) {
      std::vector<plan::PolicyEdit> wanted;
      for (const std::size_t i : pending)
        wanted.push_back(edits[i]);
      told = store_->write(wanted, watch);
    } else if (const auto done =
                   run_reload(services_.process, reload_, "the server has not been reloaded");
               !done) {
      std::ranges::fill(told, done);
    }
    if (!store_) watch.advanced(pending.size());
    std::vector<std::size_t> left;
    for (std::size_t n = 0; n < pending.size(); ++n) {
      results[pending[n]] = told[n];
      if (told[n]) left.push_back(pending[n]);
    }
    return left;
  }

  // Asks until the server answers with every new policy: the id that announces it comes after. What
  // was passed on is seen through for a moment even when a stop is requested.
  void await(const std::vector<plan::PolicyEdit>& edits, std::vector<std::size_t> pending,
             std::vector<Result<Done>>& results, const Watch& watch) {
    const auto begin = services_.clock.steady();
    auto pause = first_pause;
    while (!pending.empty()) {
      const auto live = read(domains_of(edits, pending), {});
      std::vector<std::size_t> left;
      for (std::size_t n = 0; n < pending.size(); ++n) {
        const plan::PolicyEdit& edit = edits[pending[n]];
        Result<Done>& result = results[pending[n]];
        result = Done{};
        if (live[n] && *live[n] == wanted(edit)) continue;
        result = not_served(edit, live[n]);
        left.push_back(pending[n]);
      }
      pending = std::move(left);
      const Duration patience = watch.stop.stop_requested() ? std::min(wait_, stopped_wait) : wait_;
      if (services_.clock.steady() - begin >= patience || services_.stop.stop_requested()) return;
      services_.clock.sleep(pause, services_.stop);
      pause = std::min(pause * 2, longest_pause);
    }
  }

  static Body wanted(const plan::PolicyEdit& edit) {
    return edit.after ? Body(edit.after->body) : Body{};
  }

  std::unexpected<Error> not_served(const plan::PolicyEdit& edit, const Result<Body>& live) const {
    if (!live) return fail(live);
    const std::string what = fmt::format("the server does not answer with the new policy after {}",
                                         describe_duration(wait_));
    const Body before = edit.before ? Body(edit.before->body) : Body{};
    if (*live != before)
      return fail(Code::timeout, what + ", but with a third one", api_.endpoint,
                  "does it read the same configuration as this run?");
    return fail(Code::timeout, what, api_.endpoint,
                reload_.empty() ? "give it the new configuration and SIGHUP, or set 'reload'; then "
                                  "run apply again"
                                : "look at its log: it keeps its policies while the new "
                                  "configuration is faulty");
  }

  const Api api_;
  const io::Services services_;
  const std::unique_ptr<PolicyHost> store_;  ///< Null: the server serves its configuration.
  const Settings::List reload_;
  const Duration wait_;
  const Duration edge_delay_;
  const plan::Address address_;
};

std::vector<SettingSpec> settings() {
  return with_api_settings(
      {{.name = "root",
        .type = SettingType::path,
        .description = "Folder that apply writes policies to and the server serves them from; left "
                       "out, the server serves what its configuration says."},
       path_setting(),
       address_setting(),
       reload_setting(),
       {.name = "wait",
        .type = SettingType::duration,
        .description = "How long the server may take to answer with a new policy.",
        .fallback = format_duration(default_wait),
        .least = 1,
        .most = 3600},
       edge_delay_setting()},
      {});
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services) {
  Result<Api> api = open_api(settings, services, {});
  if (!api) return fail(api);
  Result<plan::Address> address = read_address(settings);
  if (!address) return fail(address);
  std::unique_ptr<PolicyHost> store;
  if (settings.has("root")) {
    Result<std::unique_ptr<PolicyHost>> opened = directory::kind().make(settings, services);
    if (!opened) return fail(opened);
    store = std::move(*opened);
  }
  return std::make_unique<Serve>(std::move(*api), settings, services, std::move(*address),
                                 std::move(store));
}

}  // namespace

HostKind kind() {
  return {"serve", "The web server built in: stsctl serve", settings(), open};
}

Result<std::optional<std::string>> stored_file(const Settings& settings, const dns::Name& domain) {
  if (!settings.has("root")) return std::optional<std::string>{};
  return policy_file(settings, domain);
}

}  // namespace stsctl::providers::serve
