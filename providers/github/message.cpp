#include "providers/github/message.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/reason.h"
#include "providers/policy_edit.h"
#include "sts/policy.h"

namespace stsctl::providers::github {

namespace {

using plan::PolicyEdit;

constexpr std::size_t most_lines = 100;

std::string reason(const PolicyEdit& edit) {
  if (!edit.after) return "removed";
  const std::optional<sts::Policy> wanted = sts::parse_policy(edit.after->body).value;
  if (!wanted) return "changed";
  return plan::policy_reason(edit.before ? std::optional(edit.before->body) : std::nullopt,
                             *wanted);
}

const char* verb(const PolicyEdit& edit) {
  if (!edit.before) return "Add";
  return edit.after ? "Change" : "Remove";
}

}  // namespace

std::string commit_message(const std::vector<PolicyEdit>& edits) {
  const PolicyEdit& first = edits.front();
  const bool alike = std::ranges::all_of(
      edits, [&](const PolicyEdit& edit) { return std::string(verb(edit)) == verb(first); });
  if (edits.size() == 1)
    return fmt::format("{} the MTA-STS policy of {}\n\n{}\n", verb(first), domain_of(first).text(),
                       reason(first));
  std::string message = fmt::format("{} the MTA-STS policies of {} domains\n\n",
                                    alike ? verb(first) : "Change", edits.size());
  for (std::size_t i = 0; i < edits.size() && i < most_lines; ++i)
    message += fmt::format("- {}: {}\n", domain_of(edits[i]).text(), reason(edits[i]));
  if (edits.size() > most_lines)
    message += fmt::format("- and {} more\n", edits.size() - most_lines);
  return message;
}

}  // namespace stsctl::providers::github
