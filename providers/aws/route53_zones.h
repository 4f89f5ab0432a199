#pragma once
// Which hosted zone of the account holds a name, and what stands at its names, in as few requests
// as the listings allow.

#include <map>
#include <mutex>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "dns/name.h"
#include "providers/aws/route53_client.h"

namespace stsctl::providers::aws {

/// The account's zones, as far as they were asked for. Calls may come from any thread.
class ZoneIndex {
 public:
  explicit ZoneIndex(Route53Client& client) : client_(client) {}

  /// See DnsProvider::find_zones. Public zones only. At most a request a domain, and about one for
  /// every 100 zones of the account, whichever is less.
  std::vector<Result<dns::Name>> find(const std::vector<dns::Name>& names,
                                      const std::stop_token& stop);
  /// The zone that find() gave, or that has this name.
  Result<HostedZone> zone(const dns::Name& name);

 private:
  using Found = std::unordered_map<std::string, std::vector<HostedZone>>;  // by name, without dot

  Result<Done> sweep(const std::vector<dns::Name>& wanted, const std::stop_token& stop,
                     Found& found);
  Result<dns::Name> choose(const dns::Name& name, const Found& found);

  Route53Client& client_;
  std::mutex mutex_;
  std::unordered_map<dns::Name, HostedZone> known_;  // under mutex_
};

using SetsByOwner = std::map<dns::Name, std::vector<ApiSet>>;

/// The record sets at `owners`, each with its list, empty where nothing stands.
Result<SetsByOwner> read_owners(Route53Client& client, const HostedZone& zone,
                                const std::vector<dns::Name>& owners, const std::stop_token& stop);

}  // namespace stsctl::providers::aws
