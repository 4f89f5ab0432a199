#pragma once
// Reading, replacing and removing one file at the other end of a session. Knows no policy.

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "providers/sftp/session.h"

namespace stsctl::providers::sftp {

/// A file below the root, in sftp's quoting.
struct Place {
  std::string path;  ///< For people.
  std::string file;
  std::string temporary;             ///< Beside it, of this run alone.
  std::vector<std::string> folders;  ///< Those between root and file, outermost first.
};

/// `file` is relative to `root`; `root` is absolute, or relative to where the login begins.
/// Code::invalid for what cannot be said to sftp.
Result<Place> place(const std::string& root, const std::string& file, const std::string& run);

/// Is the folder `root` there? Code::not_found, unauthorized, invalid (no folder) if not.
Result<Done> check_root(Session& session, const std::string& root, const std::stop_token& stop);

/// The content; none when the file, or a folder on the way, does not exist. Code::invalid past
/// `limit` bytes or when it is no regular file.
Result<std::optional<std::string>> read(Session& session, const Place& place, std::size_t limit,
                                        const std::stop_token& stop);

/// How files are left.
struct Finish {
  std::optional<unsigned> mode;  ///< Of a file; a folder gets the same, and the right to search.
  bool sync = false;             ///< Ask the server to flush a file before it takes its place.
};

/// Makes the folders to the file that are missing, and writes `content` beside it.
Result<Done> upload_new(Session& session, const Place& place, const std::string& content,
                        const Finish& finish);
/// Writes `content` beside the file, and reads what stands at the file right after that. That the
/// upload failed is of interest only where that was read.
struct Staged {
  Result<Done> uploaded;
  Result<std::optional<std::string>> live;
};
Staged upload_and_read(Session& session, const Place& place, const std::string& content,
                       const Finish& finish, std::size_t limit);
/// Puts what was uploaded into its place, atomically, if nothing stands there: the server compares.
/// Code::conflict when something does, or the server cannot do that; commit() or discard() is to
/// follow then.
Result<Done> claim(Session& session, const Place& place);
/// Puts what was uploaded into its place, atomically, over whatever stands there.
Result<Done> commit(Session& session, const Place& place);
/// Takes what was uploaded away.
void discard(Session& session, const Place& place);

/// Removes the file, and the folders that it leaves empty.
Result<Done> remove(Session& session, const Place& place);

}  // namespace stsctl::providers::sftp
