#pragma once
// The files ~/.aws/config and ~/.aws/credentials. Pure: text in, profiles out.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stsctl::providers::aws {

/// Keys (lower case) and values of one section. Lists of values below a key ("s3 =" and indented
/// lines) are left out.
using Section = std::map<std::string, std::string>;

/// What both files say of one profile.
struct Profile {
  Section credentials;  ///< From ~/.aws/credentials.
  Section config;       ///< From ~/.aws/config.

  /// The value of `key`, the credentials file first; none if it is not there or empty.
  std::optional<std::string> get(const std::string& key) const;
};

using Profiles = std::map<std::string, Profile>;

/// Adds the profiles of a file's text. In the config file sections are "[default]" and
/// "[profile NAME]", others are no profiles; in the credentials file "[NAME]". Code::invalid with
/// "PATH:LINE" for a line that is none of section, key, continuation and comment.
Result<Done> read_config(std::string_view text, const std::string& path, Profiles& profiles);
Result<Done> read_credentials(std::string_view text, const std::string& path, Profiles& profiles);

}  // namespace stsctl::providers::aws
