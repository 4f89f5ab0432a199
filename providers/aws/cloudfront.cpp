#include "providers/aws/cloudfront.h"

#include <utility>

#include <fmt/format.h>

#include "base/random.h"
#include "providers/aws/poll.h"
#include "providers/aws/region.h"
#include "providers/aws/s3_wire.h"
#include "providers/aws/xml.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::chrono::minutes patience{10};
// Most invalidations have come to their end by then.
constexpr std::chrono::seconds usual_time{60};

// Made once for each drop(), whose repeats after a lost answer carry the same one and so find the
// same invalidation. It is drawn, not derived from what was stored: a policy that goes back to an
// earlier text would carry the earlier reference, be taken for a repeat, and nothing would be
// dropped. The time is for people who read the list of invalidations.
std::string new_reference(Time now) {
  return fmt::format("stsctl-{}-{}", format_compact_time(now), random_word());
}

Result<Done> check(const Settings& settings, const Partition& partition) {
  if (!is_id(settings.text("distribution")))
    return fail(Code::invalid, "'distribution' is the id of a CloudFront distribution",
                settings.where("distribution"), "such as E2QWRUHAPOMQZL, not its domain name");
  if (settings.has("cloudfront_endpoint")) return Done{};
  if (settings.has("endpoint") && !is_at_aws(settings.text("endpoint")))
    return fail(Code::invalid, "a store that is not Amazon's has no CloudFront 'distribution'",
                settings.where("distribution"), "drop 'distribution', or 'endpoint'");
  if (partition.cloudfront.empty())
    return fail(Code::unsupported, "there is no CloudFront where 'region' is",
                settings.where("distribution"), "drop 'distribution'");
  return Done{};
}

// Is it worth asking again, after the tries of one request are used up?
bool may_mend(Code code, bool is_made) {
  return code == Code::rate_limited ||
         (is_made && (code == Code::unreachable || code == Code::timeout));
}

}  // namespace

std::vector<SettingSpec> distribution_settings() {
  return {{.name = "distribution",
           .type = SettingType::text,
           .description = "Id of the CloudFront distribution in front, whose edges are told of "
                          "every change.",
           .fallback = "nobody is told"},
          {.name = "cloudfront_endpoint",
           .type = SettingType::url,
           .description = "Base URL of the CloudFront API.",
           .fallback = "https://cloudfront.amazonaws.com, or the partition's"}};
}

Distribution::Distribution(std::string id, const io::Services& services,
                           std::unique_ptr<SignedApi> signed_api)
    : id_(std::move(id)),
      log_(services.log),
      clock_(services.clock),
      signed_(std::move(signed_api)) {}

Result<std::unique_ptr<Distribution>> Distribution::open(const Settings& settings,
                                                         const io::Services& services,
                                                         const SignedApi& account) {
  if (!settings.has("distribution")) return nullptr;
  const Partition& partition = partition_of(find_region(read_identity(settings), services));
  if (const Result<Done> fits = check(settings, partition); !fits) return fail(fits);
  const bool elsewhere = partition.cloudfront.empty();  // then `cloudfront_endpoint` says where
  const Partition& home = elsewhere ? partition_of("") : partition;
  ApiDefaults defaults{
      .endpoint = settings.text("cloudfront_endpoint", std::string(home.cloudfront)),
      .timeout = Duration(settings.integer("timeout", 30)),
      .retry = {.throttled = cloudfront_asks_to_wait}};
  // `endpoint` and `rate` are the store's.
  Settings own;
  if (settings.has("ca_file")) own.set("ca_file", settings.text("ca_file"), "");
  Result<std::unique_ptr<SignedApi>> signed_api = account.open_beside(
      own, services, {std::string(home.cloudfront_region), "cloudfront"}, std::move(defaults));
  if (!signed_api) return fail(signed_api);
  return std::unique_ptr<Distribution>(
      new Distribution(settings.text("distribution"), services, std::move(*signed_api)));
}

Result<Done> Distribution::drop(std::vector<std::string> keys, const std::stop_token& stop) const {
  const std::string body =
      invalidation_body(invalidation_paths(std::move(keys)), new_reference(clock_.now()));
  const auto end = clock_.steady() + patience;
  std::string id;  // "" until it is made
  for (std::size_t asked = 1;; ++asked) {
    const Result<Invalidation> now = id.empty() ? create(body) : look_at(id);
    if (now && now->completed) return Done{};
    if (!now && !may_mend(now.error().code, !id.empty())) return fail(now);
    if (now) id = now->id;
    if (clock_.steady() >= end) return too_late(id, now);
    clock_.sleep(poll_delay(asked, 1, {}), stop);
    if (stop.stop_requested())
      return fail(Code::cancelled, "stopped before the edges had dropped the old policies",
                  shown());
  }
}

std::size_t Distribution::drop_requests() {
  return 1 + polls_until(usual_time, 1, {});
}

std::string Distribution::shown() const {
  return "distribution " + id_;
}

std::unexpected<Error> Distribution::too_late(const std::string& invalidation,
                                              const Result<Invalidation>& last) const {
  const std::string time = describe_duration(patience);
  if (invalidation.empty())
    return fail(Code::rate_limited, fmt::format("{}, for {}", last.error().what, time), shown());
  const std::string what =
      last ? fmt::format("invalidation {} is still in progress after {}", invalidation, time)
           : fmt::format("invalidation {} could not be asked about for {}: {}", invalidation, time,
                         last.error().what);
  return fail(Code::timeout, what, shown());
}

Result<Invalidation> Distribution::create(const std::string& body) const {
  return ask({.method = "POST",
              .url = base_url(),
              .headers = {{"Content-Type", "text/xml"}},
              .body = body,
              .repeatable = true},  // by its CallerReference
             "CreateInvalidation");
}

Result<Invalidation> Distribution::look_at(const std::string& invalidation) const {
  return ask(io::get(base_url() + "/" + invalidation), "GetInvalidation");
}

std::string Distribution::base_url() const {
  return fmt::format("{}/2020-05-31/distribution/{}/invalidation", signed_->api().endpoint, id_);
}

Result<Invalidation> Distribution::ask(const io::Request& request, const char* action) const {
  const Result<io::Reply> reply = signed_->send(request);
  Result<Invalidation> answer =
      !reply ? fail(reply)
             : (reply->ok() ? parse_invalidation(reply->body)
                            : std::unexpected(cloudfront_error(*reply, clock_.now(), action)));
  if (answer) return answer;
  Error error = answer.error();
  error.what = log_.mask(error.what);
  // The action says more than its URL does; where credentials are wrong says more than the action.
  if (error.where.empty() || error.where.starts_with(request.method + " "))
    error.where = fmt::format("cloudfront {} {}", action, id_);
  return std::unexpected(std::move(error));
}

}  // namespace stsctl::providers::aws
