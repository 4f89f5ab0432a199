#include "providers/aws/s3.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <utility>

#include "base/parallel.h"
#include "providers/address.h"
#include "providers/aws/cloudfront.h"
#include "providers/aws/s3_client.h"
#include "providers/policy_path.h"

namespace stsctl::providers::aws {

namespace {

using Body = std::optional<std::string>;

struct Options {
  PolicyPath path;
  plan::Address address;
  Duration edge_delay;
};

class S3 final : public PolicyHost {
 public:
  S3(std::unique_ptr<S3Client> client, std::unique_ptr<Distribution> distribution, Options options,
     const io::Services& services)
      : client_(std::move(client)),
        distribution_(std::move(distribution)),
        options_(std::move(options)),
        services_(services) {}

  std::vector<Result<Body>> read(const std::vector<dns::Name>& domains,
                                 const Watch& watch) override {
    const auto one = [&](const dns::Name& domain) -> Result<Body> {
      Result<Object> object = client_->get(options_.path.file(domain), longest_body);
      watch.advanced(1);
      return object ? Result<Body>(std::move(object->body)) : fail(object);
    };
    return or_cancelled(parallel_map(domains, client_->concurrency(), watch.stop, one), "read");
  }

  std::vector<Result<Done>> write(const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch) override {
    const auto one = [&](const plan::PolicyEdit& edit) {
      Result<Done> done = write_one(edit);
      watch.advanced(1);
      return done;
    };
    auto all =
        or_cancelled(parallel_map(edits, client_->concurrency(), watch.stop, one), "written");
    if (distribution_) drop_from_edges(edits, all, watch.stop);
    return all;
  }

  std::size_t write_requests(std::size_t policies) const override {
    return 2 * policies + (distribution_ && policies > 0 ? Distribution::drop_requests() : 0);
  }
  std::size_t read_requests(std::size_t policies) const override { return policies; }
  std::vector<io::Rate> rates() const override { return client_->rates(); }

  std::optional<plan::Address> address(const dns::Name& /*domain*/) const override {
    return if_any(options_.address);
  }
  Duration edge_delay() const override { return options_.edge_delay; }

 private:
  Result<Done> write_one(const plan::PolicyEdit& edit) {
    const std::string key = options_.path.file(domain_of(edit));
    return careful_write(
        edit, client_->shown(key), services_, [&] { return client_->get(key, longest_body); },
        [&](const Object& live, int /*attempt*/) {
          return edit.after ? put(key, edit.after->body, live) : client_->remove(key);
        });
  }

  // Also of what was as wanted already: an apply that died may have stored it and told nobody.
  void drop_from_edges(const std::vector<plan::PolicyEdit>& edits, std::vector<Result<Done>>& all,
                       const std::stop_token& stop) {
    std::vector<std::size_t> written;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < edits.size(); ++i) {
      if (!all[i]) continue;
      written.push_back(i);
      keys.push_back(options_.path.file(domain_of(edits[i])));
    }
    if (keys.empty()) return;
    const Result<Done> dropped = distribution_->drop(std::move(keys), stop);
    if (dropped) return;
    const auto take_back = [&](std::size_t i) {
      return this->take_back(edits[i], dropped.error());
    };
    const auto taken_back = parallel_map(written, client_->concurrency(), {}, take_back);
    for (std::size_t k = 0; k < written.size(); ++k)
      all[written[k]] = *taken_back[k];
  }

  // A policy that edges may serve an older one of must be seen by the next plan, which keeps no
  // note of this run; the object is what it sees.
  Result<Done> take_back(const plan::PolicyEdit& edit, Error error) {
    const Result<Done> back = write_one({.before = edit.after, .after = edit.before});
    error.hint += error.hint.empty() ? "" : "; ";
    error.hint += back ? "the policy is as it was before: run apply again"
                       : "the policy is stored, and edges may serve the one before for as long as "
                         "'cache_control' says";
    return std::unexpected(std::move(error));
  }

  // Some stores know no conditions (501); what was read a moment ago is all there is to go by then.
  Result<Done> put(const std::string& key, const std::string& body, const Object& live) {
    if (!unconditional_) {
      Result<Done> done = client_->put(key, body, &live);
      if (done || done.error().code != Code::unsupported) return done;
      unconditional_ = true;
    }
    return client_->put(key, body, nullptr);
  }

  const std::unique_ptr<S3Client> client_;
  const std::unique_ptr<Distribution> distribution_;  // may be null
  const Options options_;
  const io::Services services_;
  std::atomic<bool> unconditional_{false};
};

std::vector<SettingSpec> settings() {
  std::vector<SettingSpec> own = identity_settings(
      "The bucket's region, which also says whose token service is asked, and whether the account "
      "is in China, GovCloud or elsewhere");
  own.insert(own.begin(), {.name = "bucket",
                           .type = SettingType::text,
                           .description = "The bucket that holds the policies.",
                           .required = true});
  own.push_back(path_setting());
  own.back().description = "Key of a policy; {domain} stands for the mail domain.";
  own.push_back({.name = "addressing",
                 .type = SettingType::choice,
                 .description = "Whether the bucket stands in the path of a URL or in its host "
                                "name.",
                 .fallback = "host at AWS for a name without dots, else path",
                 .choices = {"path", "host"}});
  own.push_back({.name = "cache_control",
                 .type = SettingType::text,
                 .description = "The header Cache-Control that policies are stored with.",
                 .fallback = "max-age=300"});
  own.push_back(address_setting());
  own.push_back(edge_delay_setting());
  std::ranges::move(distribution_settings(), std::back_inserter(own));
  return with_api_settings(std::move(own), s3_defaults());
}

Result<Done> check_address(const plan::Address& address, const Settings& settings) {
  const std::string reason = address.cname ? unfit_host(address.cname->text()) : "";
  if (reason.empty()) return Done{};
  return fail(Code::invalid, reason, settings.where("address"),
              "put CloudFront or another server with a certificate for mta-sts.DOMAIN in front, "
              "and name that");
}

Result<std::unique_ptr<PolicyHost>> open(const Settings& settings, const io::Services& services) {
  Result<PolicyPath> path = PolicyPath::read(settings);
  if (!path) return fail(path);
  Result<plan::Address> address = read_address(settings);
  if (!address) return fail(address);
  if (const Result<Done> fits = check_address(*address, settings); !fits) return fail(fits);
  Result<std::unique_ptr<S3Client>> client = S3Client::open(settings, services);
  if (!client) return fail(client);
  Result<std::unique_ptr<Distribution>> distribution =
      Distribution::open(settings, services, (*client)->account());
  if (!distribution) return fail(distribution);
  return std::make_unique<S3>(std::move(*client), std::move(*distribution),
                              Options{.path = std::move(*path),
                                      .address = std::move(*address),
                                      .edge_delay = Duration(settings.integer("edge_delay"))},
                              services);
}

}  // namespace

HostKind s3_kind() {
  return {"s3", "Amazon S3 and stores that speak its language", settings(), open};
}

}  // namespace stsctl::providers::aws
