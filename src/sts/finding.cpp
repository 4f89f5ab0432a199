#include "sts/finding.h"

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

}  // namespace stsctl::sts
