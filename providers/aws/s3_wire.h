#pragma once
// The URLs and answers of S3 and of stores that speak its language. Pure; knows no connection.
// https://docs.aws.amazon.com/AmazonS3/latest/API/

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "io/http.h"

namespace stsctl::providers::aws {

/// How the name of a bucket stands in a URL.
enum class Addressing {
  path,       ///< https://HOST/BUCKET/KEY
  host_name,  ///< https://BUCKET.HOST/KEY ("virtual-hosted style")
};

/// The usual one: by host name at AWS, unless the name holds a dot, which AWS's certificates do not
/// cover; by path elsewhere.
Addressing usual_addressing(std::string_view bucket, bool at_aws);

/// URL of an object; `endpoint` has no final slash.
std::string object_url(const std::string& endpoint, Addressing addressing,
                       const std::string& bucket, const std::string& key);

/// Is the base URL `endpoint` one of Amazon's own?
bool is_at_aws(std::string_view endpoint);

/// Base URL of S3 in `region`.
std::string s3_endpoint(std::string_view region);

/// Why `host` cannot be what mta-sts.DOMAIN points to: a bucket website serves no HTTPS, and S3's
/// own certificate names no mail domain. Empty: it may.
std::string unfit_host(std::string_view host);

/// Is there no object of that name? Another 404 is about the bucket, or from something that is no
/// store.
bool is_no_such_key(const io::Reply& reply);

/// Says "later", with nothing done: SlowDown, Throttling (503 or 429).
bool s3_asks_to_wait(const io::Reply& reply);

/// The error that an answer other than 2xx is, got at `now`; `where` is left empty.
/// Code::conflict: what is stored is not what the condition asks for (412, 409); unsupported: the
/// store knows no conditions (501); unauthorized; not_found (the bucket); rate_limited;
/// unreachable (the store failed: a change may have happened); protocol for the rest.
Error s3_error(const io::Reply& reply, Time now);

}  // namespace stsctl::providers::aws
