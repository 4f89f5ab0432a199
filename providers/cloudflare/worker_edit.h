#pragma once
// What becomes of edits, given the Worker's script and the Custom Domains of the account. Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "providers/cloudflare/script.h"
#include "providers/cloudflare/wire.h"

namespace stsctl::providers::cloudflare {

/// Where senders ask for the policy of a domain.
std::string policy_hostname(const dns::Name& domain);

/// What is at Cloudflare: a policy is served when it is in the script and its host name is a Custom
/// Domain of the Worker.
struct Published {
  std::string worker;                           ///< Its name.
  Policies policies;                            ///< In its script, served or not.
  std::map<std::string, CustomDomain> domains;  ///< Of all Workers, by host name.

  Published(std::string name, Policies in_script, const std::vector<CustomDomain>& of_account);
  /// The Custom Domain that leads to the Worker; null: there is none.
  const CustomDomain* attached(const dns::Name& domain) const;
  /// The body that senders get; none: they get none.
  std::optional<std::string> served(const dns::Name& domain) const;
};

/// What is left to do for one edit.
struct Work {
  bool text = false;                   ///< The script holds another body than it is to hold.
  bool attach = false;                 ///< The Worker does not answer at the host name yet.
  std::optional<CustomDomain> detach;  ///< It still does.
  bool none() const { return !text && !attach && !detach; }
};

/// Code::conflict where what is served is neither `before` nor `after`; Code::refused where another
/// Worker answers at the host name.
Result<Work> work_for(const plan::PolicyEdit& edit, const Published& now);

/// `policies` with the edit made.
void carry_out(const plan::PolicyEdit& edit, Policies& policies);

}  // namespace stsctl::providers::cloudflare
