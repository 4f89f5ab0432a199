#include "sts/finding.h"

#include <utility>

namespace stsctl::sts {

std::string errors(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::error) continue;
    if (!text.empty()) text += "; ";
    text += finding.message + " (" + finding.rule + ")";
  }
  return text;
}

Finding finding_of(Severity severity, std::string rule, std::string message) {
  const std::string suffix = " (" + rule + ")";
  if (message.ends_with(suffix)) message.resize(message.size() - suffix.size());
  return {severity, std::move(rule), std::move(message)};
}

}  // namespace stsctl::sts
