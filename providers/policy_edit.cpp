#include "providers/policy_edit.h"

namespace stsctl::providers {

namespace {

std::optional<std::string> body(const std::optional<plan::PolicyFile>& file) {
  return file ? std::optional<std::string>(file->body) : std::nullopt;
}

}  // namespace

const dns::Name& domain_of(const plan::PolicyEdit& edit) {
  return subject(edit).domain;
}

Result<bool> is_pending(const plan::PolicyEdit& edit, const std::optional<std::string>& live,
                        const std::string& where) {
  if (live == body(edit.after)) return false;
  if (live == body(edit.before)) return true;
  return fail(Code::conflict, "the policy file changed since it was read", where,
              "run plan again to see what is there");
}

}  // namespace stsctl::providers
