#pragma once
// Which file holds which zone: by the names of the files.

#include <map>
#include <string>
#include <vector>

#include "dns/name.h"
#include "io/files.h"

namespace stsctl::providers::zonefile {

/// What stands for a zone's name in a path or an argument.
constexpr std::string_view placeholder = "{zone}";

/// `text` with every placeholder replaced by the zone's name in lower-case A-labels.
std::string filled(const std::string& text, const dns::Name& zone);

/// The zones of an account and, for each, the files whose names stand for it: mostly one.
using ZonePaths = std::map<dns::Name, std::vector<std::string>>;

/// Finds the files that fit `pattern`, which holds one placeholder: upper case and U-labels
/// ("Example.COM.zone", "münchen.example.zone") stand for the same name. `listed`: the zones
/// wanted, all when empty; one that has no file gets the path that the pattern gives.
Result<ZonePaths> discover(const std::string& pattern, const std::vector<std::string>& listed,
                           io::Files& files);

/// `text` for glob(7), standing for itself.
std::string glob_quoted(std::string_view text);

}  // namespace stsctl::providers::zonefile
