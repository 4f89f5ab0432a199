#include "providers/aws/s3_wire.h"

#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/aws/identity_error.h"
#include "providers/aws/region.h"
#include "providers/aws/sigv4.h"

namespace stsctl::providers::aws {

namespace {

bool is_aws(std::string_view host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
}

std::optional<Error> place_error(const ApiError& error, const io::Reply& reply) {
  const std::string region = reply.header("x-amz-bucket-region").value_or(error.region);
  if (error.code == "PermanentRedirect" || error.code == "AuthorizationHeaderMalformed" ||
      error.code == "IllegalLocationConstraintException" || reply.status == 301)
    return Error{Code::invalid,
                 fmt::format("{}: the bucket is in another region", error.code),
                 {},
                 region.empty() ? "set 'region' to the bucket's"
                                : fmt::format("set 'region: {}'", printable(region))};
  if (error.code == "NoSuchBucket")
    return Error{Code::not_found,
                 "NoSuchBucket: there is no such bucket",
                 {},
                 "check 'bucket' and 'endpoint', or make the bucket"};
  return std::nullopt;
}

}  // namespace

Addressing usual_addressing(std::string_view bucket, bool at_aws) {
  return at_aws && bucket.find('.') == std::string_view::npos ? Addressing::host_name
                                                              : Addressing::path;
}

std::string object_url(const std::string& endpoint, Addressing addressing,
                       const std::string& bucket, const std::string& key) {
  const std::string path = uri_encode(key, true);
  if (addressing == Addressing::path)
    return fmt::format("{}/{}/{}", endpoint, uri_encode(bucket), path);
  const std::size_t host = endpoint.find("://") + 3;
  return fmt::format("{}{}.{}/{}", endpoint.substr(0, host), bucket, endpoint.substr(host), path);
}

bool is_at_aws(std::string_view endpoint) {
  const std::size_t scheme = endpoint.find("://");
  if (scheme != std::string_view::npos) endpoint.remove_prefix(scheme + 3);
  return is_aws(lower(endpoint.substr(0, endpoint.find_first_of(":/"))));
}

std::string s3_endpoint(std::string_view region) {
  return fmt::format("https://s3.{}.{}", region, partition_of(region).dns_suffix);
}

std::string unfit_host(std::string_view host) {
  const std::string name = lower(host.substr(0, host.find_last_not_of('.') + 1));
  if (!is_aws(name)) return {};
  if (name.find("s3-website") != std::string::npos)
    return "a bucket website serves no HTTPS, and a sender takes a policy by nothing else "
           "(RFC 8461 §3.3)";
  if (name.starts_with("s3.") || name.find(".s3.") != std::string::npos ||
      name.find(".s3-") != std::string::npos)
    return "S3's certificate is not for mta-sts.DOMAIN, so that no sender takes the policy "
           "(RFC 8461 §3.3)";
  return {};
}

bool is_no_such_key(const io::Reply& reply) {
  return reply.status == 404 && parse_error(reply.body).code == "NoSuchKey";
}

bool s3_asks_to_wait(const io::Reply& reply) {
  if (reply.status != 503 && reply.status != 429) return false;
  const std::string code = parse_error(reply.body).code;
  return code == "SlowDown" || code == "Throttling" || code == "ThrottlingException" ||
         code == "TooManyRequests";
}

Error s3_error(const io::Reply& reply, Time now) {
  const ApiError error = parse_error(reply.body);
  const std::string said = error.code.empty() ? fmt::format("the store answers {}", reply.status)
                                              : fmt::format("{}: {}", error.code, error.message);
  if (s3_asks_to_wait(reply) || reply.status == 429)
    return {Code::rate_limited, said, {}, "set 'rate', or try again later"};
  if (reply.status == 412 || reply.status == 409)
    return {Code::conflict, "it changed since it was read: " + said, {}, "run plan again"};
  if (auto place = place_error(error, reply)) return *std::move(place);
  if (auto identity = identity_error(error, reply, now, "docs/providers/s3.md"))
    return *std::move(identity);
  if (reply.status == 501) return {Code::unsupported, said};
  if (reply.status >= 500) return {Code::unreachable, said, {}, "run apply again later"};
  if (reply.status == 404) return {Code::not_found, said};
  if (reply.status == 400 && !error.code.empty()) return {Code::invalid, said};
  return {Code::protocol, said, {}, "does 'endpoint' name a store that speaks S3?"};
}

}  // namespace stsctl::providers::aws
