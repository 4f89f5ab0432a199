#pragma once
// The flags of commands that look at domains as a sender does, and the look itself.

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "engine/look.h"

namespace stsctl::cli {

struct LookFlags {
  std::string ca_file;
  bool no_smtp = false;
  std::optional<Duration> timeout;  ///< For one look at one server; none: io::ProbeOptions'.
  engine::LookOptions look;
};

/// Adds --ca-file, --https-port and --dns-port.
void add_eye_flags(CLI::App& command, LookFlags& flags);
/// Adds these, --no-smtp and --smtp-port.
void add_look_flags(CLI::App& command, LookFlags& flags);
/// Adds --timeout, where no other --timeout is meant.
void add_look_timeout(CLI::App& command, LookFlags& flags);

/// The names in `texts`; none, said on stderr, when one is no domain name.
std::optional<std::vector<dns::Name>> read_names(const Context& context,
                                                 const std::vector<std::string>& texts);

/// Looks, with progress; domains not reached before a stop are left out. None when nobody can be
/// asked, which has then been printed: exit_usage.
std::optional<std::vector<engine::Facts>> look(Context& context,
                                               const std::vector<dns::Name>& domains,
                                               const LookFlags& flags);

}  // namespace stsctl::cli
