#include <algorithm>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "providers/provider.h"

namespace stsctl::cli {

namespace {

using Json = nlohmann::ordered_json;

const char* type_name(SettingType type) {
  switch (type) {
    case SettingType::text:
      return "text";
    case SettingType::secret:
      return "secret";
    case SettingType::path:
      return "path";
    case SettingType::url:
      return "url";
    case SettingType::name:
      return "name";
    case SettingType::duration:
      return "duration";
    case SettingType::integer:
      return "integer";
    case SettingType::boolean:
      return "boolean";
    case SettingType::choice:
      return "choice";
    case SettingType::share:
      return "share";
    case SettingType::list:
      return "list";
    case SettingType::object:
      return "object";
  }
  return "text";
}

std::string settings_text(const std::vector<SettingSpec>& settings, const std::string& indent) {
  std::size_t width = 0;
  for (const SettingSpec& one : settings)
    width = std::max(width, one.name.size());
  std::string text;
  for (const SettingSpec& one : settings) {
    text += fmt::format("{}{:<{}} {:<9} {}{}{}{}\n", indent, one.name, width, type_name(one.type),
                        one.required ? "Required. " : "", one.description,
                        one.description.ends_with('.') ? "" : ".",
                        one.fallback.empty() ? "" : fmt::format(" Default: {}.", one.fallback));
    text += settings_text(one.fields, indent + "  ");
  }
  return text;
}

std::string capabilities_text(const providers::Capabilities& can) {
  return fmt::format(
      "      a zone's changes are {}; a concurrent change is {}; smallest TTL {}{}; zones written "
      "at "
      "once: {}\n",
      can.atomic_batch ? "made all or none" : "made one by one",
      can.compare_and_swap ? "refused by compare-and-swap" : "looked for just before writing",
      format_duration(can.minimum_ttl), can.automatic_ttl ? ", or 0: automatic" : "",
      can.write_concurrency);
}

std::string as_text() {
  std::string text = "DNS providers (under 'dns')\n";
  for (const providers::DnsKind& kind : providers::dns_kinds())
    text += fmt::format("\n  {}: {}\n", kind.name, kind.summary) +
            settings_text(kind.settings, "    ") + capabilities_text(kind.capabilities);
  text += "\nPolicy hosts (under 'hosts')\n";
  for (const providers::HostKind& kind : providers::host_kinds())
    text +=
        fmt::format("\n  {}: {}\n", kind.name, kind.summary) + settings_text(kind.settings, "    ");
  return text;
}

Json settings_json(const std::vector<SettingSpec>& settings) {
  Json list = Json::array();
  for (const SettingSpec& one : settings) {
    Json json{{"name", one.name},
              {"type", type_name(one.type)},
              {"required", one.required},
              {"description", one.description}};
    if (!one.fallback.empty()) json["default"] = one.fallback;
    if (!one.fields.empty()) json["fields"] = settings_json(one.fields);
    list.push_back(std::move(json));
  }
  return list;
}

std::string as_json() {
  Json dns = Json::array();
  for (const providers::DnsKind& kind : providers::dns_kinds())
    dns.push_back({{"name", kind.name},
                   {"summary", kind.summary},
                   {"settings", settings_json(kind.settings)},
                   {"capabilities",
                    {{"atomic_batch", kind.capabilities.atomic_batch},
                     {"compare_and_swap", kind.capabilities.compare_and_swap},
                     {"minimum_ttl", kind.capabilities.minimum_ttl.count()},
                     {"automatic_ttl", kind.capabilities.automatic_ttl},
                     {"write_concurrency", kind.capabilities.write_concurrency}}}});
  Json hosts = Json::array();
  for (const providers::HostKind& kind : providers::host_kinds())
    hosts.push_back({{"name", kind.name},
                     {"summary", kind.summary},
                     {"settings", settings_json(kind.settings)}});
  return Json{{"dns", dns}, {"hosts", hosts}}.dump(2) + "\n";
}

}  // namespace

void add_providers(CLI::App& app, Context& context) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = add_command(app, context, "providers",
                                  "List the DNS providers and policy hosts with their settings",
                                  "  stsctl providers", [&context, json] {
                                    context.world.out << (*json ? as_json() : as_text());
                                    return exit_done;
                                  });
  command->add_flag("--json", *json, "Print one JSON object");
}

}  // namespace stsctl::cli
