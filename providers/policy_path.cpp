#include "providers/policy_path.h"

#include <filesystem>

#include "base/text.h"

namespace stsctl::providers {

namespace {

constexpr const char* default_path = "mta-sts.{domain}/.well-known/mta-sts.txt";

std::string fault_of(const std::string& pattern) {
  if (pattern.find(domain_placeholder) == std::string::npos) return "'path' must hold {domain}";
  if (pattern.starts_with('/')) return "'path' is relative and cannot begin with '/'";
  for (const std::string_view part : split(pattern, '/'))
    if (part == "..") return "'path' must not lead upwards: no '..'";
  return {};
}

}  // namespace

SettingSpec path_setting() {
  return {.name = "path",
          .type = SettingType::text,
          .description = "File of a policy below the root; {domain} stands for the mail domain.",
          .fallback = default_path};
}

Result<PolicyPath> PolicyPath::read(const Settings& settings) {
  PolicyPath path;
  path.pattern_ = settings.text("path", default_path);
  if (std::string fault = fault_of(path.pattern_); !fault.empty())
    return fail(Code::invalid, std::move(fault), settings.where("path"));
  return path;
}

std::string PolicyPath::file(const dns::Name& domain) const {
  return fill_in(pattern_, domain);
}

Result<std::string> policy_file(const Settings& settings, const dns::Name& domain) {
  const Result<PolicyPath> path = PolicyPath::read(settings);
  if (!path) return fail(path);
  return (std::filesystem::path(settings.text("root")) / path->file(domain)).string();
}

std::string fill_in(std::string_view pattern, const dns::Name& domain) {
  return replaced(std::string(pattern), domain_placeholder, domain.text());
}

std::vector<std::string> folders_to(std::string_view file) {
  std::vector<std::string> folders;
  for (std::size_t at = file.find('/', 1); at != std::string_view::npos;
       at = file.find('/', at + 1))
    if (file[at - 1] != '/') folders.emplace_back(file.substr(0, at));
  return folders;
}

}  // namespace stsctl::providers
