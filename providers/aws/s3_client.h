#pragma once
// The calls of S3 that a policy needs, one function a call. Knows no policy.

#include <memory>
#include <string>
#include <vector>

#include "io/services.h"
#include "providers/aws/s3_wire.h"
#include "providers/aws/signed_api.h"
#include "providers/careful_write.h"

namespace stsctl::providers::aws {

/// An object as it is stored.
struct Object : StoredPolicy {
  std::string etag;  ///< As the store wrote it; "": it wrote none.
};

/// Calls may come from any thread. Errors: those of s3_error(), of io::Http and of the credentials;
/// `where` names the call and the object. After unreachable, timeout and protocol a change may have
/// happened.
class S3Client {
 public:
  /// `settings` are those of the host.
  static Result<std::unique_ptr<S3Client>> open(const Settings& settings,
                                                const io::Services& services);

  std::size_t concurrency() const { return signed_->api().concurrency; }
  /// The account that asks, for other services.
  const SignedApi& account() const { return *signed_; }
  const std::vector<io::Rate>& rates() const { return signed_->api().rates; }
  /// "s3://BUCKET/KEY".
  std::string shown(const std::string& key) const;

  /// GetObject. Code::protocol past `limit` bytes.
  Result<Object> get(const std::string& key, std::size_t limit) const;
  /// PutObject, as text. With `live`, only if that is still what is stored (If-Match, or
  /// If-None-Match: * where it has no body).
  Result<Done> put(const std::string& key, const std::string& body, const Object* live) const;
  /// DeleteObject; what does not exist is done.
  Result<Done> remove(const std::string& key) const;

 private:
  S3Client(const Settings& settings, const io::Services& services,
           std::unique_ptr<SignedApi> signed_api);
  Result<io::Reply> send(io::Request request, const std::string& key) const;
  std::unexpected<Error> refused(const io::Reply& reply, const std::string& method,
                                 const std::string& key) const;

  io::Log& log_;
  const io::Clock& clock_;
  std::unique_ptr<SignedApi> signed_;
  std::string bucket_;
  Addressing addressing_;
  std::string cache_control_;
};

/// The settings `endpoint`, `concurrency`, … with their defaults for S3.
ApiDefaults s3_defaults();

}  // namespace stsctl::providers::aws
