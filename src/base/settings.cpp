#include "base/settings.h"

#include <utility>

namespace stsctl {

void Settings::set(const std::string& name, Value value, std::string where) {
  values_[name] = std::move(value);
  where_[name] = std::move(where);
}

namespace {

template <class T>
T value_or(const std::map<std::string, Settings::Value>& values, const std::string& name,
           const T& fallback) {
  const auto found = values.find(name);
  if (found == values.end()) return fallback;
  const T* value = std::get_if<T>(&found->second);
  return value == nullptr ? fallback : *value;
}

}  // namespace

std::string Settings::text(const std::string& name, const std::string& fallback) const {
  return value_or<std::string>(values_, name, fallback);
}

std::int64_t Settings::integer(const std::string& name, std::int64_t fallback) const {
  return value_or<std::int64_t>(values_, name, fallback);
}

bool Settings::boolean(const std::string& name, bool fallback) const {
  return value_or<bool>(values_, name, fallback);
}

Settings::List Settings::list(const std::string& name) const {
  return value_or<List>(values_, name, {});
}

std::string Settings::where(const std::string& name) const {
  const auto found = where_.find(name);
  return found == where_.end() ? place : found->second;
}

}  // namespace stsctl
