#pragma once
// Edits that turn what a name holds into what it should hold. Knows no order and no id.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace stsctl::plan {

/// What one TXT name should say: one record of ours, others left alone.
struct WantedTxt {
  dns::Name owner;
  std::string value;                                             ///< The record to publish.
  std::function<bool(std::string_view)> ours;                    ///< Is a value one of this kind?
  std::function<bool(std::string_view, std::string_view)> same;  ///< Equal by meaning?
  std::optional<Duration> ttl;                                   ///< None: keep, or `default_ttl`.
  Duration default_ttl{0};
};

/// The edits at a TXT name; none if it says so already. A CNAME there is removed in the same batch:
/// whether that is allowed is the caller's question.
std::vector<RecordEdit> diff_txt(const WantedTxt& wanted, const NameState& state);

/// The edits that give the policy host its address record, a CNAME or A and AAAA sets.
std::vector<RecordEdit> diff_address(const dns::Name& owner, const Address& wanted,
                                     std::optional<Duration> ttl, const NameState& state);

/// The edits that take the values of a kind out of a TXT set, and leave others alone.
std::vector<RecordEdit> remove_txt(const std::function<bool(std::string_view)>& ours,
                                   const NameState& state);

/// The edits that take the policy host's address record out, if it is still the one that `wanted`
/// asks for; none where somebody has pointed the name elsewhere.
std::vector<RecordEdit> remove_address(const dns::Name& owner, const Address& wanted,
                                       const NameState& state);

}  // namespace stsctl::plan
