#pragma once
// The calls of the Route 53 API, one function a call. Knows no record set of ours.

#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "io/services.h"
#include "providers/aws/route53_wire.h"
#include "providers/aws/signed_api.h"

namespace stsctl::providers::aws {

/// Calls may come from any thread; at most `concurrency` are under way. Errors: Code::unauthorized
/// (keys or permission), not_found (no such zone or change), conflict (a change that does not fit
/// what is there), invalid (one that the service never takes), rate_limited (after retries),
/// internal (the service failed: a change may have happened), those of io::Http and of the
/// credentials, and protocol for the rest. `where` names the call; none holds a key.
class Route53Client {
 public:
  /// `settings` are those of the provider.
  static Result<std::unique_ptr<Route53Client>> open(const Settings& settings,
                                                     const io::Services& services);

  std::size_t concurrency() const { return signed_->api().concurrency; }
  const std::vector<io::Rate>& rates() const { return signed_->api().rates; }

  /// ListHostedZonesByName: at most 100 zones from `begin` on.
  Result<ZonePage> zones(const ZoneMarker& begin);
  /// ListResourceRecordSets: at most `most` (300) sets of a zone from `begin` on.
  Result<RecordPage> record_sets(const HostedZone& zone, const RecordMarker& begin,
                                 std::size_t most);
  /// ChangeResourceRecordSets: all of `body` or nothing. After unreachable, timeout, protocol and
  /// internal it may have happened.
  Result<ChangeInfo> change(const HostedZone& zone, const std::string& body);
  /// GetChange.
  Result<ChangeInfo> change_status(const std::string& change_id);

 private:
  Route53Client(const io::Services& services, std::unique_ptr<SignedApi> signed_api);
  const std::string& endpoint() const { return signed_->api().endpoint; }

  template <class Value>
  Result<Value> ask(const io::Request& request, const std::string& call,
                    Result<Value> (*parse)(std::string_view));

  io::Log& log_;
  const io::Clock& clock_;
  std::unique_ptr<SignedApi> signed_;
  std::counting_semaphore<> slots_;
};

/// The settings `endpoint`, `concurrency`, … with Route 53's defaults.
ApiDefaults route53_defaults();

}  // namespace stsctl::providers::aws
