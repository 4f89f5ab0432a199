#pragma once
// Reads what is published for many domains, in as few calls as the providers need.

#include <vector>

#include "engine/accounts.h"
#include "plan/observed.h"
#include "providers/provider.h"

namespace stsctl::engine {

/// What each domain publishes now; results pair with `desired`. What cannot be read is an Error of
/// that name or policy and stops no other. `watch` advances by one for every name and policy:
/// four a domain with a policy, three without.
std::vector<plan::Observed> observe(const std::vector<plan::Desired>& desired,
                                    const Accounts& accounts, const providers::Watch& watch);

/// How far `watch` will have advanced when observe() returns.
std::size_t observe_size(const std::vector<plan::Desired>& desired);

}  // namespace stsctl::engine
