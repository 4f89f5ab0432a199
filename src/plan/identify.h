#pragma once
// Which id belongs into the _mta-sts record: keep the one that is there, or make a new one. The
// reasons stand in docs/policy-id.md.

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "plan/desired.h"

namespace stsctl::plan {

/// What is known when an id is chosen.
struct IdQuestion {
  std::vector<std::string> records;   ///< TXT values at the name that are STS records.
  std::optional<std::string> served;  ///< The policy file the host serves now.
  Time now{};
  Duration valid_for{0};                     ///< How much later than `now` it may be published.
  std::vector<sts::MxPattern> leaving = {};  ///< What the id is to say of the new policy.
};

/// The answer.
struct IdAnswer {
  std::string id;       ///< What the record is to say.
  bool is_new = false;  ///< False: the published id stays.
  std::string why;      ///< For people.
  /// An id to publish before the policy changes, in place of a foreign one: it announces the policy
  /// served now, so that an apply that dies between policy and id leaves a trace.
  std::optional<std::string> adopt;
  /// New automatic ids: the day by which all older policies have ended (sts::PolicyId::horizon).
  std::optional<Day> horizon;
};

/// Pure: equal questions, equal answers. `desired.policy` must be set.
IdAnswer choose_id(const Desired& desired, const IdQuestion& question);

}  // namespace stsctl::plan
