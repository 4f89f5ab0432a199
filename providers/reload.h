#pragma once
// Tells a server on this machine that something changed, by a program of its operator's choice.

#include "base/result.h"
#include "base/settings.h"
#include "io/process.h"

namespace stsctl::providers {

/// The setting `reload` of policy hosts.
SettingSpec reload_setting();

/// Runs `argv` without a shell, a minute at most; nothing when it is empty. Its failure is
/// Code::internal with what it said, and `hint`.
Result<Done> run_reload(io::Process& process, const Settings::List& argv, const std::string& hint);

}  // namespace stsctl::providers
