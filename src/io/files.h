#pragma once
// Files, behind an interface so that a test can break them. Knows no format.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::io {

/// Holds an exclusive lock until destroyed.
class Lock {
 public:
  virtual ~Lock() = default;
};

/// Something being read piece by piece.
class Input {
 public:
  virtual ~Input() = default;
  /// The next bytes, at least one and at most `most`; empty at the end.
  virtual Result<std::string> read(std::size_t most) = 0;
};

/// What tells one state of a file from another without reading it.
struct FileState {
  bool is_folder = false;
  std::uint64_t size = 0;      ///< Bytes.
  std::int64_t modified = 0;   ///< Nanoseconds since 1970.
  std::uint64_t identity = 0;  ///< Another one after the file was replaced (inode).
  bool operator==(const FileState&) const = default;
};

/// The file system. Calls may come from any thread. Error texts name the path and the system's
/// reason; `where` is the path.
class Files {
 public:
  virtual ~Files() = default;

  /// The whole file; Code::not_found when it does not exist, Code::invalid when it is longer than
  /// `limit` bytes (checked before reading) or no regular file.
  virtual Result<std::string> read(const std::string& path, std::size_t limit) = 0;

  /// The file from its beginning, for what may be longer than memory; Code::not_found,
  /// Code::invalid when it is no regular file.
  virtual Result<std::unique_ptr<Input>> open(const std::string& path) = 0;

  /// As read(), for what a person names: a pipe such as <(command) or a device such as /dev/stdin
  /// is read too, to its end.
  virtual Result<std::string> read_stream(const std::string& path, std::size_t limit) = 0;

  /// Replaces `path` by `content` so that a reader, and a machine that loses power, sees the whole
  /// old file or the whole new one: temporary file beside it, fsync, rename, fsync of the folder.
  /// Mode and (where permitted) owner and group of an existing file are kept; a new one gets `mode`
  /// less the umask. A symbolic link is followed and kept. Missing folders are made when
  /// `make_folders`. Code::invalid where something else than a regular file stands.
  virtual Result<Done> replace(const std::string& path, std::string_view content, bool make_folders,
                               unsigned mode = 0644) = 0;

  /// Removes the file; one that does not exist is no error.
  virtual Result<Done> remove(const std::string& path) = 0;

  /// Removes a folder if it is empty; one that is not, or does not exist, stays and is no error.
  virtual Result<Done> remove_empty_folder(const std::string& folder) = 0;

  /// The names in a folder, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;

  /// The state of a file or folder, of what a symbolic link names; Code::not_found.
  virtual Result<FileState> state(const std::string& path) = 0;

  /// Paths that fit a glob as glob(7) reads it, sorted; none is no error, a folder that cannot be
  /// read is one.
  virtual Result<std::vector<std::string>> glob(const std::string& pattern) = 0;

  /// Waits for the exclusive advisory lock of a folder (flock on the folder itself: leaves no file
  /// behind, ends with the process).
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& folder) = 0;
};

/// The machine's own file system.
std::unique_ptr<Files> real_files();

}  // namespace stsctl::io
