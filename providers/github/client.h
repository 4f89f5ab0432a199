#pragma once
// The calls of GitHub's REST API that policies need, one function a call. Knows no policy.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/services.h"
#include "providers/account.h"
#include "providers/github/wire.h"

namespace stsctl::providers::github {

/// Calls may come from any thread; `repository` is "OWNER/NAME". Writes are sent one after the
/// other, at least `write_interval` apart, as GitHub asks. Errors: those of error_of()
/// (providers/github/trouble.h), of io::Http, and of the wire; `where` names the call, none holds
/// the token. After a write that ends with unreachable, timeout, protocol or internal it may have
/// happened.
class Client {
 public:
  Client(Api api, std::string token, Duration write_interval, const io::Services& services);

  std::size_t concurrency() const { return api_.concurrency; }
  const std::vector<io::Rate>& rates() const { return api_.rates; }
  Duration write_interval() const { return write_interval_; }

  /// Done if the token sees the repository: what else is not found in it is not there.
  Result<Done> see(const std::string& repository) const;
  /// A file at a branch or commit; none if the branch, there, has no such file, or the repository
  /// no commit.
  Result<std::optional<File>> contents(const std::string& repository, const std::string& path,
                                       const std::string& ref) const;
  /// The commit a branch is at.
  Result<std::string> head(const std::string& repository, const std::string& branch) const;
  /// All that lies below a commit or branch, at any depth.
  Result<Tree> tree(const std::string& repository, const std::string& ref) const;
  /// What lies right in a tree or the root of a commit; paths without the folder's own.
  Result<Tree> folder(const std::string& repository, const std::string& sha) const;
  /// The tree of a commit, for create_tree().
  Result<std::string> tree_of(const std::string& repository, const std::string& commit) const;
  Result<std::string> blob(const std::string& repository, const std::string& sha) const;
  /// None if Pages is not on.
  Result<std::optional<Site>> site(const std::string& repository) const;
  /// None if there is none yet.
  Result<std::optional<Build>> latest_build(const std::string& repository) const;

  /// Writes or removes one file in a commit of its own, which is returned.
  Result<std::string> put(const std::string& repository, const std::string& path,
                          const std::string& body) const;
  Result<std::string> remove(const std::string& repository, const std::string& path,
                             const std::string& body) const;
  /// Objects that no branch holds yet: making them twice does no more than once.
  Result<std::string> create_tree(const std::string& repository, const std::string& body) const;
  Result<std::string> create_commit(const std::string& repository, const std::string& body) const;
  /// Code::conflict if the branch has moved.
  Result<Done> move_branch(const std::string& repository, const std::string& branch,
                           const std::string& body) const;

 private:
  Result<io::Reply> exchange(const char* method, const std::string& repository,
                             const std::string& path, const std::string& body,
                             bool repeatable) const;
  Result<io::Reply> write(const char* method, const std::string& repository,
                          const std::string& path, const std::string& body, bool repeatable) const;

  Api api_;
  std::string token_;
  Duration write_interval_;
  io::Services services_;
  mutable std::mutex writing_;
  mutable std::optional<std::chrono::steady_clock::time_point> last_write_;  ///< Under writing_.
};

}  // namespace stsctl::providers::github
