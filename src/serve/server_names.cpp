#include "serve/server_names.h"

#include "base/text.h"

namespace stsctl::serve {

namespace {

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower(name);
}

}  // namespace

void ServerNames::add(std::string_view name, std::size_t certificate) {
  names_.try_emplace(canonical(name), certificate);
}

std::optional<std::size_t> ServerNames::find(std::string_view server_name) const {
  const std::string name = canonical(server_name);
  if (name.find('*') != std::string::npos) return std::nullopt;
  auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0) return std::nullopt;
  found = names_.find("*" + name.substr(dot));
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace stsctl::serve
