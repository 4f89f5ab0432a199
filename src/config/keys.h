#pragma once
// Every key of the configuration outside provider settings, as tables. The loader checks by them
// and the JSON Schema is made from them, so the two cannot disagree.

#include <string>
#include <vector>

#include "base/settings.h"

namespace stsctl::config {

/// What may be said of a domain, also under `defaults` and in a group's `defaults`.
const std::vector<SettingSpec>& domain_keys();
/// The fields of one of domain_keys() that is an object.
const std::vector<SettingSpec>& fields_of(const std::string& domain_key);
/// What may be said of one stage of a rollout, and of its `gate` and `brake`.
const std::vector<SettingSpec>& stage_keys();
const std::vector<SettingSpec>& stage_fields_of(const std::string& stage_key);
/// The keys of a rollout that is more than a list of stages.
const std::vector<SettingSpec>& rollout_keys();
/// The keys of a file.
const std::vector<SettingSpec>& file_keys();
/// The keys of a group.
const std::vector<SettingSpec>& group_keys();

/// The keys of `reports`.
const std::vector<SettingSpec>& report_keys();

/// Their names alone.
std::vector<std::string> names(const std::vector<SettingSpec>& specs);

}  // namespace stsctl::config
