#pragma once
// What becomes of an edit, given what is in the repository. Pure.

#include <map>
#include <optional>
#include <string>

#include "plan/plan.h"
#include "providers/github/wire.h"

namespace stsctl::providers::github {

/// What is in a repository, by path.
using Entries = std::map<std::string, Entry, std::less<>>;

/// The result of an edit of the file at `path` that needs no commit: done already, or not to be
/// done (Code::conflict: changed since; Code::refused: something else than a file is in the way).
std::optional<Result<Done>> settled(const plan::PolicyEdit& edit, const std::string& path,
                                    const Entries& now);

/// May a write that ended so have happened, or be possible after another look?
bool worth_another_look(Code code);

}  // namespace stsctl::providers::github
