#pragma once
// Plans and outcomes as text for a terminal and as Markdown for a pull request. Pure.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/apply.h"
#include "plan/plan.h"

namespace stsctl::cli {

/// A diff a person reads at a glance: only what changes, unchanged domains counted.
std::string plan_text(const plan::Plan& plan, bool color);

/// A pull-request comment: summary first, a folded diff a domain, what needs attention before the
/// rest. Never longer than `limit` bytes; a line says how many domains were cut.
std::string plan_markdown(const plan::Plan& plan, std::size_t limit = 65000);

/// "2 to change, 9,998 unchanged, 1 refused, 1 not readable".
std::string plan_summary(const plan::Plan& plan);

/// A line for every domain that was not unchanged, and the summary.
std::string outcomes_text(const std::vector<engine::Outcome>& outcomes, bool color);
/// schemas/apply.schema.json.
std::string outcomes_json(const std::vector<engine::Outcome>& outcomes);

}  // namespace stsctl::cli
