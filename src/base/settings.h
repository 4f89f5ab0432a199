#pragma once
// What a provider may be configured with, as data, and the values it was given. The configuration
// loader validates by the one and hands over the other; the JSON Schema and the docs are made from
// it. Knows no provider and no YAML.

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stsctl {

/// The shape of one setting.
enum class SettingType {
  text,      ///< Any string.
  secret,    ///< A string that never reaches a log, plan, error or argv.
  path,      ///< A file or folder; relative ones are taken from the configuration file's folder.
  url,       ///< An http(s) base URL; http only to loopback.
  name,      ///< A domain name (U-labels allowed); handed over as A-labels.
  duration,  ///< "30s", "1d"; handed over in seconds.
  integer,   ///< A whole number within [least, most].
  boolean,   ///< true or false.
  choice,    ///< One of `choices`.
  share,     ///< A part of all: "0.1%".
  list,      ///< A list of strings; one string counts as a list of one.
  object,    ///< A mapping with `fields`.
};

/// One setting a provider takes.
struct SettingSpec {
  std::string name;  ///< Key in YAML.
  SettingType type = SettingType::text;
  std::string description;  ///< One sentence for editors and docs.
  bool required = false;
  bool nullable = false;          ///< May be null, which switches an inherited part off.
  std::string fallback = {};      ///< What holds when it is left out, for docs; may be empty.
  std::int64_t least = 0;         ///< integer: smallest value; duration: seconds.
  std::int64_t most = INT64_MAX;  ///< integer: largest value; duration: seconds.
  std::string pattern = {};       ///< text: what all of it fits, for the schema.
  std::vector<std::string> choices = {};  ///< choice: the words allowed.
  std::vector<SettingSpec> fields = {};   ///< object: what it holds.
};

/// The settings of one entry under `dns:` or `hosts:`, validated, secrets resolved.
class Settings {
 public:
  using List = std::vector<std::string>;
  using Value = std::variant<std::string, std::int64_t, bool, List>;

  /// A field of an object is named with a dot: "key.secret"; the object itself is set to true.
  /// `where` is "file:line:column" of the value, for errors found later.
  void set(const std::string& name, Value value, std::string where);

  bool has(const std::string& name) const { return values_.contains(name); }
  /// text, secret, path, url, name, choice: the value, or `fallback` when it was not given.
  std::string text(const std::string& name, const std::string& fallback = {}) const;
  /// integer; duration in seconds.
  std::int64_t integer(const std::string& name, std::int64_t fallback = 0) const;
  bool boolean(const std::string& name, bool fallback = false) const;
  List list(const std::string& name) const;
  /// Where in the configuration `name` stands; where the entry stands if it was not given.
  std::string where(const std::string& name) const;

  std::string account;  ///< The entry's key under `dns:` or `hosts:`, "cf".
  std::string place;    ///< "file:line:column" of the entry.

 private:
  std::map<std::string, Value> values_;
  std::map<std::string, std::string> where_;
};

}  // namespace stsctl
