#pragma once
// What senders make of a domain: a judgement of facts. Pure.

#include <optional>
#include <string>
#include <vector>

#include "engine/look.h"
#include "sts/policy.h"

namespace stsctl::engine {

/// How bad a finding is, and a whole domain: as bad as its worst.
enum class Grade {
  pass,  ///< As it should be.
  warn,  ///< Some senders, or one day soon, will do other than is wanted.
  fail,  ///< Senders do not what the policy is there for, or refuse mail.
};
const char* to_string(Grade grade);

/// One thing seen.
struct VerifyFinding {
  Grade grade = Grade::pass;
  std::string id;       ///< Stable word: "mx-not-allowed".
  std::string subject;  ///< What it is about: "mail.example.com [192.0.2.1]".
  std::string text;     ///< What is there, and what a sender will do because of it.
  std::string mend;     ///< What to do; may be empty.
  bool operator==(const VerifyFinding&) const = default;
};

/// One domain, judged.
struct Verdict {
  dns::Name domain;
  Grade grade = Grade::pass;
  std::optional<sts::Policy> policy;  ///< What senders fetch, if it can be read.
  std::string id;                     ///< What senders see in _mta-sts; may be empty.
  std::vector<VerifyFinding> findings;
  std::vector<std::string> context;  ///< SPF, DMARC and DANE, a line each.
};

/// What is judged: the policy as it is, or what would be if it enforced.
enum class Judged { as_published, as_enforced };

Verdict judge(const Facts& facts, Judged judged = Judged::as_published);

}  // namespace stsctl::engine
