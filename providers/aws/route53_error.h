#pragma once
// What Route 53's refusals mean to a person. Pure; knows no connection.

#include "base/result.h"
#include "base/time.h"
#include "io/http.h"

namespace stsctl::providers::aws {

/// Says "later": Throttling and PriorRequestNotComplete, both with status 400 and nothing done.
bool asks_to_wait(const io::Reply& reply);

/// The error that an answer other than 2xx is, got at `now`; `where` is left empty. Code::internal:
/// the service failed, so that a change may have happened. A signature that is refused is told from
/// a wrong clock by the answer's Date; what was signed is not repeated, since it holds the session
/// token.
Error route53_error(const io::Reply& reply, Time now);

}  // namespace stsctl::providers::aws
