#pragma once
// The XML and the paths of CloudFront's invalidations (API 2020-05-31). Pure; knows no connection.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/http.h"

namespace stsctl::providers::aws {

/// An invalidation as the service tells of it.
struct Invalidation {
  std::string id;          ///< "IDFDVBD632BHDS5".
  bool completed = false;  ///< No edge holds what was to be dropped.
  bool operator==(const Invalidation&) const = default;
};

/// The path that every sender asks for (RFC 8461 §3.3).
inline constexpr std::string_view policy_url_path = "/.well-known/mta-sts.txt";

/// What to invalidate when the objects `keys` changed, each path once: the one that senders ask
/// for, and each key, which a viewer-request function makes of it: edges hold a file under the one
/// or the other, and AWS recommends both. More than 100 (the first 1,000 a month are free) become
/// one wildcard at what all keys begin with, so that one invalidation always suffices. Only what is
/// no ASCII, or "unsafe" (RFC 1738 §2.2), is percent-encoded: with more encoded than that,
/// CloudFront finds nothing.
/// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
std::vector<std::string> invalidation_paths(std::vector<std::string> keys);

/// The body of CreateInvalidation. `reference` is the CallerReference.
std::string invalidation_body(const std::vector<std::string>& paths, const std::string& reference);

/// The answer of CreateInvalidation and GetInvalidation. Code::protocol when it is another text.
Result<Invalidation> parse_invalidation(std::string_view xml);

/// Says "later", with nothing done, for its rate; not for too many invalidations under way.
bool cloudfront_asks_to_wait(const io::Reply& reply);

/// The error that an answer other than 2xx to `action` ("CreateInvalidation"), got at `now`, is;
/// `where` is left empty. Code::rate_limited: too many requests, or invalidations under way;
/// unauthorized, naming the permission that lacks; not_found (the distribution); invalid;
/// unreachable (the service failed); protocol for the rest.
Error cloudfront_error(const io::Reply& reply, Time now, std::string_view action);

}  // namespace stsctl::providers::aws
