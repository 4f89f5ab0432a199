#pragma once
// The batch language of OpenSSH's sftp: what is said to it and what its answers mean. Pure: knows
// no program and no connection.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::providers::sftp {

/// `path` as one word: spaces, quotes, backslashes and what sftp would take for a glob stand for
/// themselves, and no path is taken for an option. Code::invalid for a control character, and for a
/// path too long for sftp's lines of 2,047 bytes.
Result<std::string> path_word(std::string_view path);

/// The lines that say `commands` one after the other. A failed one does not end the batch, and each
/// is followed by a comment that sftp echoes: it marks the end of the answer. `mark` is a word that
/// the server cannot guess.
std::string script(const std::vector<std::string>& commands, std::string_view mark);
/// What sftp says when it has done them all.
std::string last_line(std::size_t commands, std::string_view mark);

/// What sftp said, parted by the marks.
struct Transcript {
  std::vector<std::string> answers;  ///< One a command it got to the end of; "" is success.
  std::string rest;                  ///< What came after the last of the marks.
};
Transcript part(std::string_view said, std::string_view mark);

/// What an answer means.
enum class Meaning {
  done,
  absent,       ///< There is no such file or folder.
  unfound,      ///< `get` finds none, be it absent or out of reach: see probe().
  denied,       ///< No permission.
  failure,      ///< SSH_FX_FAILURE: disk full, file exists, folder not empty, …
  wrong_kind,   ///< A folder in place of a file, or a file in place of a folder.
  unsupported,  ///< The server does not know the request.
  other,
};
Meaning meaning(std::string_view answer);

/// The permissions in a line of `ls -ln`: "-rwxr-xr-x    1 33 …" is 0755. None for any other line.
std::optional<unsigned> permissions(std::string_view line);

/// The failure `answer` (its meaning not `done`) as an Error about `path`; `what` was wanted: "read
/// the file".
Error problem(std::string_view answer, const std::string& what, const std::string& path);

}  // namespace stsctl::providers::sftp
