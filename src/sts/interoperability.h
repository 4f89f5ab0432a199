#pragma once
// What well-known senders and checkers make of forms that RFC 8461 and RFC 8460 allow: facts, as
// tables, each seen by running the program named. Knows no parser.

#include <cstddef>
#include <vector>

#include "sts/finding.h"
#include "sts/policy.h"

namespace stsctl::sts {

/// How a valid policy is written. A number is the first line that is so, 0 if none is.
struct PolicyForm {
  std::size_t bytes = 0;
  std::size_t version_late = 0;      ///< "version" is not on line 1.
  std::size_t extension = 0;         ///< An unknown field.
  std::size_t trailing_blank = 0;    ///< A blank at the end of the line.
  std::size_t repeated = 0;          ///< version, mode or max_age once more,
  std::size_t repeated_other = 0;    ///< and with another value,
  std::size_t repeated_invalid = 0;  ///< or with one that the field does not allow.
};

/// How a valid TXT record is written, and what stands beside it.
struct RecordForm {
  bool blank_after_version = false;  ///< Before the first ';'.
  bool extension = false;            ///< An unknown field.
  bool repeated = false;             ///< id or rua more than once.
  bool blank_at_comma = false;       ///< Within rua.
  bool accompanied = false;          ///< Other TXT records stand at the name.

  /// Do all known senders read this form as the RFC does?
  bool read_alike() const { return !blank_after_version && !repeated; }
};

/// Findings of Severity::warning and rule "interoperability", naming who reads it otherwise.
std::vector<Finding> policy_warnings(const Policy& policy, const PolicyForm& form);
std::vector<Finding> sts_record_warnings(const RecordForm& form);
std::vector<Finding> tlsrpt_record_warnings(const RecordForm& form);

}  // namespace stsctl::sts
