#pragma once
// Where a host keeps the policy of a domain: a template with {domain}. Shared by the hosts of
// files.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "dns/name.h"

namespace stsctl::providers {

/// What stands for the mail domain in a template.
inline constexpr std::string_view domain_placeholder = "{domain}";

/// The `path` setting of hosts with a root folder.
SettingSpec path_setting();

/// A path below a root folder, one file a domain: "mta-sts.{domain}/.well-known/mta-sts.txt".
class PolicyPath {
 public:
  /// From the `path` setting. Code::invalid, with the place in the configuration, when it is the
  /// same for every domain, or leaves the root.
  static Result<PolicyPath> read(const Settings& settings);

  /// The file of one domain, relative to the root.
  std::string file(const dns::Name& domain) const;

 private:
  std::string pattern_;
};

/// The file of one domain below the setting `root`.
Result<std::string> policy_file(const Settings& settings, const dns::Name& domain);

/// `pattern` with every {domain} replaced by the name in lower-case A-labels.
std::string fill_in(std::string_view pattern, const dns::Name& domain);

/// The folders that lead to a relative file, outermost first: "a/b/c.txt" gives "a" and "a/b".
std::vector<std::string> folders_to(std::string_view file);

}  // namespace stsctl::providers
