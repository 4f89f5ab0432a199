#pragma once
// How MTA-STS ends for a domain (RFC 8461 §8.3): a policy of mode none under a new id, then nothing
// until every policy served before has ended in every cache, then record, file and address go. What
// is published tells how far that is; nothing else remembers it. Pure.

#include <vector>

#include "plan/make.h"

namespace stsctl::plan {

/// The policy that takes back the one that is published: its patterns, or those configured where
/// none can be read, for some senders reject a policy without any.
sts::Policy withdrawn_policy(const Desired& desired, const Observed& observed);

/// Is there something published that a sender could follow or still has to be told of?
bool is_announced(const Observed& observed);

/// Adds to `plan`, whose steps so far lead to the policy of mode none, what comes after it: the
/// steps that take everything out, where they are due, and else when they will be.
void add_retirement(DomainPlan& plan, const Observed& observed, const Moment& moment);

/// Adds the step that takes the TLS-RPT record out, if there is one.
void add_tlsrpt_removal(DomainPlan& plan, const Observed& observed);

/// Does `plan` take the record away while a sender may hold a policy that it would have to be told
/// about? (The id of a policy that was served until `now` says until when.)
bool strands_senders(const DomainPlan& plan, const Observed& observed, Time now);

}  // namespace stsctl::plan
