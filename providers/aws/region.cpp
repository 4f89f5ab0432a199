#include "providers/aws/region.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace stsctl::providers::aws {

namespace {

constexpr Partition commercial{"amazonaws.com", "https://route53.amazonaws.com", "us-east-1",
                               "https://cloudfront.amazonaws.com", "us-east-1"};

constexpr std::array<std::pair<std::string_view, Partition>, 7> others{{
    {"cn-",
     {"amazonaws.com.cn", "https://route53.amazonaws.com.cn", "cn-northwest-1",
      "https://cloudfront.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"}},
    {"us-gov-", {"amazonaws.com", "https://route53.us-gov.amazonaws.com", "us-gov-west-1"}},
    {"eusc-", {"amazonaws.eu", "https://route53.amazonaws.eu", "eusc-de-east-1"}},
    {"us-iso-", {"c2s.ic.gov", "https://route53.c2s.ic.gov", "us-iso-east-1"}},
    {"us-isob-", {"sc2s.sgov.gov", "https://route53.sc2s.sgov.gov", "us-isob-east-1"}},
    {"eu-isoe-", {"cloud.adc-e.uk", "https://route53.cloud.adc-e.uk", "eu-isoe-west-1"}},
    {"us-isof-", {"csp.hci.ic.gov", "https://route53.csp.hci.ic.gov", "us-isof-south-1"}},
}};

// Where the regions of the commercial partition lie, and its pseudo-region "aws-global".
constexpr std::array<std::string_view, 10> commercial_regions{"af-", "ap-", "aws-", "ca-", "eu-",
                                                              "il-", "me-", "mx-",  "sa-", "us-"};

}  // namespace

const Partition& partition_of(std::string_view region) {
  for (const auto& [prefix, partition] : others)
    if (region.starts_with(prefix)) return partition;
  return commercial;
}

std::string route53_signing_region(const std::string& region, bool own_endpoint) {
  const bool known = &partition_of(region) != &commercial || region.empty() ||
                     std::ranges::any_of(commercial_regions, [&](std::string_view prefix) {
                       return region.starts_with(prefix);
                     });
  if (own_endpoint && !known) return region;
  return std::string(partition_of(region).route53_region);
}

std::string sts_endpoint(std::string_view region) {
  return fmt::format("https://sts.{}.{}", region, partition_of(region).dns_suffix);
}

}  // namespace stsctl::providers::aws
