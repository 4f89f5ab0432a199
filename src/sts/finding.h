#pragma once
// What a check of a record or policy has to say. Knows no check.

#include <optional>
#include <string>
#include <vector>

namespace stsctl::sts {

/// How bad a finding is.
enum class Severity {
  error,    ///< The RFC rejects it: a sender sees no record or policy.
  warning,  ///< The RFC allows it, but some well-known sender or checker does not, or it is unwise.
};

/// One thing wrong, with the rule that says so.
struct Finding {
  Severity severity = Severity::error;
  std::string rule;     ///< The source: "RFC 8461 §3.1", or "interoperability" for senders' habits.
  std::string message;  ///< What is wrong and what would be right, naming the senders concerned.
  bool operator==(const Finding&) const = default;
};

/// The value that was read, if there is a valid one, and everything that was found on the way.
template <class T>
struct Checked {
  std::optional<T> value;
  std::vector<Finding> findings;
};

/// Findings of Severity::error as one line, "; " between them; "" if there are none.
std::string errors(const std::vector<Finding>& findings);

/// A finding from the text of an Error that ends with its rule in parentheses: said once is enough.
Finding finding_of(Severity severity, std::string rule, std::string message);

}  // namespace stsctl::sts
