#pragma once
// How many requests applying a plan takes, account by account. Asks nobody.

#include <vector>

#include "engine/accounts.h"
#include "plan/plan.h"

namespace stsctl::engine {

/// What apply() will ask of each account whose service counts requests, sorted by account.
std::vector<plan::RequestBudget> request_budget(const plan::Plan& plan, const Accounts& accounts);

}  // namespace stsctl::engine
