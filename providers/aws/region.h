#pragma once
// The partitions of AWS: which names and which signing region a region's services have. Pure.

#include <string>
#include <string_view>

namespace stsctl::providers::aws {

/// A world of its own: accounts, regions and credentials of one are unknown to the others.
struct Partition {
  std::string_view dns_suffix;              ///< "amazonaws.com".
  std::string_view route53;                 ///< Base URL of its Route 53.
  std::string_view route53_region;          ///< The region that Route 53 requests are signed for.
  std::string_view cloudfront = {};         ///< Base URL of its CloudFront; "": it has none.
  std::string_view cloudfront_region = {};  ///< The region that CloudFront requests are signed for.
};

/// The partition of `region`, told by its prefix; the commercial one for any other.
const Partition& partition_of(std::string_view region);

/// The region that requests to Route 53 are signed for: the partition's, but `region` itself where
/// that is of no partition known here and an `endpoint` of its own is named for it.
std::string route53_signing_region(const std::string& region, bool own_endpoint);

/// Base URL of the security token service of `region`.
std::string sts_endpoint(std::string_view region);

}  // namespace stsctl::providers::aws
