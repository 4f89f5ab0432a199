#pragma once
// A CloudFront distribution whose edges are told that policies changed. Knows no bucket.

#include <memory>
#include <string>
#include <vector>

#include "io/services.h"
#include "providers/aws/cloudfront_wire.h"
#include "providers/aws/signed_api.h"

namespace stsctl::providers::aws {

/// The settings `distribution` and `cloudfront_endpoint`.
std::vector<SettingSpec> distribution_settings();

class Distribution {
 public:
  /// The one that `settings` name; null if they name none. It is asked as `account` is.
  /// Code::invalid for what is no distribution's id, or beside a store that is not AWS's;
  /// unsupported where the partition has no CloudFront.
  static Result<std::unique_ptr<Distribution>> open(const Settings& settings,
                                                    const io::Services& services,
                                                    const SignedApi& account);

  /// Returns when no edge holds what was stored at `keys` before. One invalidation for all; while
  /// too many are under way it is asked for again, with growing pauses. Code::timeout when it has
  /// not come to its end within ten minutes, cancelled; and those of cloudfront_error().
  Result<Done> drop(std::vector<std::string> keys, const std::stop_token& stop) const;

  /// How many requests drop() sends, where nothing fails and it takes as long as it usually does.
  static std::size_t drop_requests();

 private:
  Distribution(std::string id, const io::Services& services, std::unique_ptr<SignedApi> signed_api);
  std::string shown() const;
  std::string base_url() const;
  Result<Invalidation> create(const std::string& body) const;
  Result<Invalidation> look_at(const std::string& invalidation) const;
  Result<Invalidation> ask(const io::Request& request, const char* action) const;
  std::unexpected<Error> too_late(const std::string& invalidation,
                                  const Result<Invalidation>& last) const;

  const std::string id_;
  io::Log& log_;
  io::Clock& clock_;
  const std::unique_ptr<SignedApi> signed_;
};

}  // namespace stsctl::providers::aws
