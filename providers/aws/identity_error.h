#pragma once
// What AWS's services say of who asks. Pure; knows no service.

#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "io/http.h"
#include "providers/aws/xml.h"

namespace stsctl::providers::aws {

/// What is wrong with keys, session, clock or permissions, as `error` in `reply`, got at `now`,
/// says; none if it is something else. `page` of the documentation has an IAM policy that suffices.
/// A signature that is refused is told from a wrong clock by the answer's Date; what was signed is
/// not repeated, since it holds the session token.
std::optional<Error> identity_error(const ApiError& error, const io::Reply& reply, Time now,
                                    std::string_view page);

}  // namespace stsctl::providers::aws
