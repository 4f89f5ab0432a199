#pragma once
// OpenStack Swift with its S3 API, as swift_s3.py starts it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/http.h"
#include "servers/faulty_http.h"

namespace stsctl::servers {

/// Who may use the S3 API.
std::string swift_access_key();
std::string swift_secret_key();

/// Runs while it exists. Its S3 API signs for the region "us-east-1" and has buckets in the path.
/// The calls use Swift's own API; each throws std::runtime_error when Swift refuses it.
class Swift {
 public:
  Swift();
  std::uint16_t port() const { return server_.port(); }

  void make_bucket(const std::string& bucket) const;
  /// The body of an object, if there is one. Any thread.
  std::optional<std::string> get(const std::string& bucket, const std::string& key) const;
  void put(const std::string& bucket, const std::string& key, const std::string& body) const;
  void drop(const std::string& bucket, const std::string& key) const;
  std::vector<std::string> keys(const std::string& bucket) const;

 private:
  io::Reply send(const std::string& method, const std::string& path,
                 const std::string& body = {}) const;

  Folder folder_;
  PythonServer server_;
  std::unique_ptr<io::Http> http_;
};

}  // namespace stsctl::servers
