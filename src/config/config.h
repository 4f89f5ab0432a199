#pragma once
// The configuration as values: stsctl.yaml and what it includes, read, checked and resolved as far
// as text alone allows. Knows no provider (they come as a Catalog) and no disk (it comes as
// Sources).

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "plan/desired.h"
#include "rollout/rollout.h"

namespace stsctl::config {

/// A provider that `provider:` may name, and the settings it takes.
struct ProviderSpec {
  std::string name;
  std::vector<SettingSpec> settings;
  /// Do settings that are right one by one make sense together? Asks nobody. Code::invalid, `where`
  /// as Settings gives it, if not; every other error is none of the text. Empty: they always do.
  std::function<Result<Done>(const Settings& settings)> check = {};
};
struct Catalog {
  std::vector<ProviderSpec> dns;
  std::vector<ProviderSpec> hosts;
};

/// Where the loader gets text from.
struct Sources {
  using Read = std::function<Result<std::string>(const std::string& path, std::size_t limit)>;
  /// The text of a regular file; Code::invalid when it is longer than the limit given.
  Read read;
  /// The same of what may be a pipe too, as a shell's <(…) gives: the main file, ${file:…}. Never
  /// for files found by a pattern: a pipe without a writer would hold us up. None: `read`.
  Read read_stream;
  const Read& stream() const { return read_stream ? read_stream : read; }
  /// Paths that fit a glob, sorted.
  std::function<Result<std::vector<std::string>>(const std::string& pattern)> glob;
  /// An environment variable, if set.
  std::function<std::optional<std::string>(const std::string& name)> env;
  /// False: secrets are left out of the settings, unread. For a machine that must not have them.
  bool secrets = true;
};

/// One fault (or warning) in a configuration file.
struct Diagnostic {
  enum class Severity { error, warning };
  Severity severity = Severity::error;
  std::string file;
  std::size_t line = 0, column = 0;  ///< From 1; 0: the file as a whole.
  std::string message;
  std::string excerpt;    ///< The source line, cut to a readable width; empty if there is none.
  std::size_t caret = 0;  ///< Column of the caret within the excerpt, from 1.
  std::string hint;       ///< "did you mean 'max_age'?"; may be empty.
  bool operator==(const Diagnostic&) const = default;
};

/// `file:line:column: error: message`, the excerpt, a caret under the place, and the hint.
std::string format(const Diagnostic& diagnostic);

/// An entry under `dns:` or `hosts:`.
struct Account {
  std::string name;      ///< Its key.
  std::string provider;  ///< What `provider:` says; known to the catalog.
  Settings settings;
};

/// An entry under `domains:`, defaults, group and preset applied.
struct Domain {
  plan::Desired desired;          ///< Complete but for what only the host knows (its address).
  bool address_from_host = true;  ///< False when `address:` of the domain overrides it.
  std::string where;              ///< "file:line:column" of its key.
  /// What chooses the policy's mode and max_age; null: they are said. Domains share it.
  std::shared_ptr<const rollout::Rollout> rollout = nullptr;
  rollout::Pins pins = {};
};

/// What is said under `reports:`.
struct ReportSettings {
  std::string store;  ///< The file they are kept in; left out: beside the configuration file.
  /// Mail servers whose Authentication-Results are believed (RFC 8601).
  std::vector<std::string> authserv_ids;
  /// Domains whose signed reports count as evidence; empty: those of any.
  std::vector<std::string> signers;
};

struct Config {
  std::vector<Account> dns;
  std::vector<Account> hosts;
  std::vector<Domain> domains;  ///< Sorted by name.
  ReportSettings reports;

  const Account* find_dns(std::string_view name) const;
  const Account* find_host(std::string_view name) const;
};

/// A configuration, if there is one without errors, and every fault found.
struct Loaded {
  std::optional<Config> config;
  std::vector<Diagnostic> diagnostics;
};

/// Reads `path` and everything it includes. Never stops at the first fault. Secrets (`${env:NAME}`,
/// `${file:PATH}` in provider settings) are resolved, and appear in no diagnostic.
Loaded load(const std::string& path, const Catalog& catalog, const Sources& sources);

/// The JSON Schema (draft 2020-12) of the configuration, made from the same tables that load() goes
/// by; schemas/stsctl.schema.json is its output.
std::string json_schema(const Catalog& catalog);

}  // namespace stsctl::config
