#include "providers/aws/s3.h"

#include <atomic>
#include <utility>

#include "base/parallel.h"
#include "providers/address.h"
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
  S3(std::unique_ptr<S3Client> client, Options options, const io::Services& services)
      : client_(std::move(client)), options_(std::move(options)), services_(services) {}

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
    return or_cancelled(parallel_map(edits, client_->concurrency(), watch.stop, one), "written");
  }

  std::size_t write_requests(std::size_t policies) const override { return 2 * policies; }
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
  const Options options_;
  const io::Services services_;
  std::atomic<bool> unconditional_{false};
};

std::vector<SettingSpec> settings() {
  std::vector<SettingSpec> own = identity_settings();
  own.insert(own.begin(), {.name = "bucket",
                           .type = SettingType::text,
                           .description = "The bucket that holds the policies.",
                           .required = true});
  own.push_back(path_setting());
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
  return std::make_unique<S3>(std::move(*client),
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
