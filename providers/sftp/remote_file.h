#pragma once
// Reading, replacing and removing one file at the other end of a session. Knows no policy.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "providers/sftp/session.h"

namespace stsctl::providers::sftp {

/// A file below the root.
struct Place {
  std::string where;  ///< For people: host and path.
  std::string file;
  std::string temporary;             ///< Beside it, of this run alone.
  std::vector<std::string> folders;  ///< Those between root and file, outermost first.
};

/// `file` is relative to `root`; `root` is absolute, or relative to where the login begins.
/// Code::invalid for a path with a control character, and one too long for servers.
Result<Place> place(const Login& login, const std::string& root, const std::string& file,
                    const std::string& run);

// The tasks below run in Session::each(). An Error of the session itself (unreachable, timeout,
// protocol, cancelled) leaves unknown how much was done.

/// Is the folder `root` there? Code::not_found, unauthorized, invalid (no folder) if not.
Task<Result<Done>> check_root(Session& session, const std::string& root);

/// The content; none when the file, or a folder on the way, does not exist. Code::invalid past
/// `limit` bytes or when it is no regular file.
Task<Result<std::optional<std::string>>> read(Session& session, const Place& place,
                                              std::size_t limit);

/// How files are left.
struct Finish {
  std::optional<unsigned> mode;  ///< Of a file; a folder gets the same, and the right to search.
  bool sync = false;             ///< Ask the server to flush a file before it takes its place.
};

/// Makes the folders to the file that are missing, and writes `content` beside it.
Task<Result<Done>> upload_new(Session& session, const Place& place, const std::string& content,
                              const Finish& finish);
/// Writes `content` beside the file, and reads what stands at the file right after that. That the
/// upload failed is of interest only where that was read.
struct Staged {
  Result<Done> uploaded;
  Result<std::optional<std::string>> live;
};
Task<Staged> upload_and_read(Session& session, const Place& place, const std::string& content,
                             const Finish& finish, std::size_t limit);
/// Puts what was uploaded into its place, atomically, if nothing stands there: the server compares.
/// Code::conflict when something does, or the server cannot do that; commit() or discard() is to
/// follow then.
Task<Result<Done>> claim(Session& session, const Place& place);
/// Puts what was uploaded into its place, atomically, over whatever stands there.
Task<Result<Done>> commit(Session& session, const Place& place);
/// Takes what was uploaded away.
Task<Done> discard(Session& session, const Place& place);

/// Removes the file, and the folders that it leaves empty.
Task<Result<Done>> remove(Session& session, const Place& place);

}  // namespace stsctl::providers::sftp
