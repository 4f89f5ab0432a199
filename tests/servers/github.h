#pragma once
// The GitHub of tests/emulators/github.py: repositories laid out, looked at and disturbed.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "servers/emulator.h"

namespace stsctl::servers {

/// Runs while it exists. The token "token" may do everything.
class GitHub {
 public:
  /// `state`: JSON as github.py's load() takes it.
  explicit GitHub(const std::string& state) : emulator_("github.py") { emulator_.load(state); }
  /// The same by TLS, without any repository yet.
  GitHub(const TestCa& ca, const std::vector<std::string>& arguments)
      : emulator_("github.py", ca, arguments) {}

  /// A commit, as git sees it.
  struct Commit {
    std::string sha;
    std::string author;  ///< "NAME <ADDRESS>"
    std::string message;
  };

  const std::string& url() const { return emulator_.url(); }
  const Emulator& emulator() const { return emulator_; }
  /// What a branch holds, by path; every object of the repository is checked by `git fsck`.
  std::map<std::string, std::string> files(const std::string& repository,
                                           const std::string& branch = "main") const;
  /// The files of the branch "main" of every repository; the same check.
  std::map<std::string, std::map<std::string, std::string>> all_files() const;
  /// The content of one file of the branch "main"; none: there is none. May be called by any
  /// thread.
  std::optional<std::string> file(const std::string& repository, const std::string& path) const;
  /// Its bare Git repository.
  std::string git_folder(const std::string& repository) const;
  /// The mode of a file, "100644".
  std::string mode(const std::string& repository, const std::string& path) const;
  /// Newest first.
  std::vector<Commit> commits(const std::string& repository,
                              const std::string& branch = "main") const;
  /// The neighbour: a commit with these contents, of any bytes; none: the file is gone.
  void commit(const std::string& repository,
              const std::map<std::string, std::optional<std::string>>& files,
              const std::string& branch = "main") const;
  /// The methods and paths asked for since the last forget(), "GET /repos/o/r/pages".
  std::vector<std::string> requests() const;

 private:
  Emulator emulator_;
};

}  // namespace stsctl::servers
