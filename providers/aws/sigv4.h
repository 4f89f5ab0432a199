#pragma once
// AWS Signature Version 4 in its header form. Pure; knows no service's calls.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "io/http.h"
#include "providers/aws/credentials.h"

namespace stsctl::providers::aws {

/// What a signature is good for.
struct Scope {
  std::string region;   ///< "us-east-1".
  std::string service;  ///< "route53".
};

/// The headers that `request` lacks to be signed at `now`: X-Amz-Date, X-Amz-Security-Token for
/// temporary keys, X-Amz-Content-Sha256 for the service "s3", and Authorization. Host, content-type
/// and every header of the request are signed as they stand, so the request must be sent as it is,
/// and within five minutes. S3 takes the path as it stands on the wire, every other service encodes
/// it once more.
std::vector<io::Header> sign(const io::Request& request, const Credentials& credentials,
                             const Scope& scope, Time now);

/// The canonical request that sign() digests; `signed_by` are the request's headers and those that
/// sign() adds before Authorization. For tests and for comparing with what a service expected.
std::string canonical_request(const io::Request& request, const std::vector<io::Header>& signed_by,
                              const Scope& scope);

/// `text` with every byte but A-Z a-z 0-9 - . _ ~ percent-encoded in upper case (RFC 3986 §2.3),
/// and '/' kept if `keep_slash`.
std::string uri_encode(std::string_view text, bool keep_slash = false);

}  // namespace stsctl::providers::aws
