#pragma once
// What most commands begin with: the configuration read, the wanted domains chosen, the providers
// opened.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "config/config.h"
#include "engine/accounts.h"
#include "rollout/evidence.h"

namespace stsctl::cli {

/// A configuration in use.
struct Session {
  config::Config config;
  std::vector<config::Domain> domains;  ///< Those that --target chose.
  engine::Accounts accounts;
  std::vector<plan::Desired> desired;      ///< Pairs with `domains`.
  std::unique_ptr<io::Resolver> resolver;  ///< Null: nobody is to be asked.
  rollout::ReportSource reports;           ///< Of the store that the configuration names.
};

/// How config::load reads the disk and the environment of this world.
config::Sources sources(World& world);

enum class Secrets { read, left_out };

/// Reads the configuration; prints every diagnostic to stderr. None when there was an error.
std::optional<config::Config> load_config(const Context& context, Secrets secrets = Secrets::read);

/// The domains that fit one of `targets` (names or globs, U-labels allowed); all when it is empty.
/// Code::not_found, naming the nearest, when a target fits none.
Result<std::vector<config::Domain>> choose(const config::Config& config,
                                           const std::vector<std::string>& targets);

/// All of the above, and the providers opened. None when something was wrong, which has then been
/// printed: exit_usage.
std::optional<Session> open_session(const Context& context,
                                    const std::vector<std::string>& targets);

}  // namespace stsctl::cli
