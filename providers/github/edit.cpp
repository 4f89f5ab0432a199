#include "providers/github/edit.h"

#include <fmt/format.h>

#include "providers/policy_path.h"

namespace stsctl::providers::github {

namespace {

std::string sha_of(const std::optional<plan::PolicyFile>& file) {
  return file ? blob_sha(file->body) : std::string();
}

}  // namespace

std::optional<Result<Done>> settled(const plan::PolicyEdit& edit, const std::string& path,
                                    const Entries& now) {
  // GitHub would replace them without a word.
  for (const std::string& folder : folders_to(path))
    if (const auto above = now.find(folder); above != now.end() && above->second.type != "tree")
      return fail(Code::refused,
                  fmt::format("'{}' is no folder, so that no policy can lie in it", folder), path,
                  "move it away, or change 'path'");
  const auto found = now.find(path);
  const bool there = found != now.end();
  if (there && !found->second.is_file())
    return fail(Code::refused, "what stands there is no ordinary file", path,
                "move it away, or change 'path'");
  const std::string live = there ? found->second.sha : "";
  if (live == sha_of(edit.after)) return Done{};
  if (live == sha_of(edit.before)) return std::nullopt;
  return fail(Code::conflict, "the policy file changed since it was read", path,
              "run plan again to see what is there");
}

bool worth_another_look(Code code) {
  return code == Code::conflict || code == Code::internal || code == Code::unreachable ||
         code == Code::timeout || code == Code::protocol;
}

}  // namespace stsctl::providers::github
