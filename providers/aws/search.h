#pragma once
// AWS's usual sources of credentials, asked in their usual order.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/services.h"
#include "providers/aws/credentials.h"
#include "providers/aws/metadata.h"
#include "providers/aws/profile.h"
#include "providers/aws/sts.h"

namespace stsctl::providers::aws {

/// Both files, where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE or the home folder have them;
/// a file that does not exist is empty. Code::invalid for one that cannot be read.
Result<Profiles> load_profiles(io::Files& files, const io::Environment& env);

/// The profile in use: the configured one, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default".
std::string profile_name(const Identity& identity, const io::Environment& env);

/// One pass: environment, role of the profile, web identity, the profile's keys, its
/// credential_process, container, instance; then the role that the configuration names.
class Search {
 public:
  /// `http` is asked for roles and metadata.
  Search(const io::Services& services, io::Http& http, const Identity& identity);

  /// See CredentialChain::get().
  Result<Credentials> run();

 private:
  using Answered = Result<Answer>;

  Result<Credentials> find();
  Result<Credentials> take_on(const Role& role, const Credentials& source) const;

  Answered from_environment() const;
  Answered from_profile_role();
  Answered from_web_identity() const;
  Answered from_profile_keys();

  Answered environment_keys() const;
  Answered assume_profile_role(const std::string& name, std::set<std::string> visited);
  Result<Credentials> source_of(const std::string& name, const Profile& profile,
                                std::set<std::string> visited);
  Result<Credentials> keys_of_source(const std::string& name, std::set<std::string> visited);
  Answered web_identity_of(const Profile& profile) const;
  Answered keys_of(const std::string& name) const;
  Answered from_process(const std::string& command) const;

  Answered as_web_identity(const Role& role, const std::string& token_file) const;
  Sts sts() const;
  Result<const Profile*> find_profile(const std::string& name) const;
  std::optional<std::string> variable(const char* name) const;
  std::string region() const;

  const io::Services& services_;
  io::Http& http_;
  const Identity& identity_;
  std::string profile_;
  bool profile_stated_;  // somewhere, not only by default
  Result<Profiles> profiles_;
};

}  // namespace stsctl::providers::aws
