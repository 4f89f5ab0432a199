#pragma once
// The requests that a server of policies is sent, one function a request. Knows no policy.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/http.h"
#include "providers/account.h"
#include "providers/careful_write.h"
#include "providers/webdav/answer.h"

namespace stsctl::providers::webdav {

/// What is stored.
struct Stored : StoredPolicy {
  Etag etag;
};

/// What must hold for a change to be carried out, where the server heeds it.
struct Condition {
  enum class Kind {
    none,
    absent,     ///< Nothing is stored there.
    unchanged,  ///< `etag`, a strong one, is still what is stored.
  };
  Kind kind = Kind::none;
  Etag etag = {};
};

/// Calls may come from any thread. Errors: those of problem() and of io::Http. After unreachable,
/// timeout and protocol a change may have been carried out.
class Client {
 public:
  /// `authorization`: value of the header of that name; "": none is sent.
  Client(Api api, std::string authorization);

  std::size_t concurrency() const { return api_.concurrency; }
  const std::vector<io::Rate>& rates() const { return api_.rates; }

  /// Code::protocol past `limit` bytes.
  Result<Stored> get(const std::string& url, std::size_t limit) const;
  /// Does the server of this place replace atomically by PUT (is_mod_dav_fs)?
  Result<bool> puts_atomically(const std::string& url) const;
  /// One that exists is fine.
  Result<Done> make_collection(const std::string& url) const;
  /// `repeatable`: nobody else knows the place, so that a lost answer is followed by another try.
  Result<Done> put(const std::string& url, const std::string& body, const Condition& condition,
                   bool repeatable) const;
  /// Replaces `to`, or with Condition::absent fails when it exists.
  Result<Done> move(const std::string& from, const std::string& to,
                    const Condition& condition) const;
  /// What does not exist is done.
  Result<Done> remove(const std::string& url, const Condition& condition) const;

 private:
  Result<io::Reply> send(io::Request request) const;
  Result<Done> change(io::Request request) const;

  Api api_;
  std::string authorization_;
};

}  // namespace stsctl::providers::webdav
