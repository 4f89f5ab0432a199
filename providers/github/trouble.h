#pragma once
// What an answer that reports a failure means, and what a person can do. Pure; knows no request.

#include "base/result.h"
#include "io/http.h"

namespace stsctl::providers::github {

/// Was the request turned away undone for a rate limit: status 429, or 403 with Retry-After, with
/// nothing left of the hour's requests, or with GitHub's words for its secondary limits?
bool is_rate_limit(const io::Reply& reply);

/// Is the repository there but without any commit?
bool is_empty_repository(const io::Reply& reply);

/// Is the repository there but without the branch or commit asked for? Only some calls tell.
bool is_missing_branch(const io::Reply& reply);

/// Code::unauthorized (token refused, a permission missing, a protected branch), rate_limited,
/// not_found (not there, renamed, or hidden from the token), conflict (the file or branch moved:
/// look again), invalid (refused as it stands), internal (GitHub failed: it may have been done),
/// protocol for the rest.
Error error_of(const io::Reply& reply);

}  // namespace stsctl::providers::github
