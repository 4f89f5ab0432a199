// The JSON Schema of the configuration, from the tables that the loader goes by.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/config.h"
#include "config/keys.h"

namespace stsctl::config {

namespace {

using Json = nlohmann::ordered_json;

Json object_schema(const std::vector<SettingSpec>& specs);

// What YAML may make of text: 12 and true are read as they are written.
const Json text_types = {"string", "number", "boolean"};

Json type_schema(const SettingSpec& spec) {
  switch (spec.type) {
    case SettingType::text:
      if (!spec.pattern.empty()) return {{"type", text_types}, {"pattern", spec.pattern}};
      return {{"type", text_types}};
    case SettingType::secret:
    case SettingType::path:
      return {{"type", text_types}};
    case SettingType::name:
      return {{"type", "string"}, {"minLength", 1}};
    case SettingType::url:
      return {{"type", "string"}, {"pattern", "^(https?://|\\$\\{)"}};
    case SettingType::duration: {
      Json schema{{"type", {"string", "integer"}},
                  {"pattern", "^[0-9]+[smhdw]?$"},
                  {"minimum", spec.least}};
      if (spec.most < INT64_MAX) schema["maximum"] = spec.most;
      return schema;
    }
    case SettingType::integer:
      if (spec.least == spec.most) return {{"const", spec.least}};
      return {{"type", {"integer", "string"}}, {"minimum", spec.least}, {"maximum", spec.most}};
    case SettingType::boolean:
      return {{"type", "boolean"}};
    case SettingType::choice:
      return {{"enum", spec.choices}};
    case SettingType::share:
      return {{"type", "string"}, {"pattern", "^[0-9]{1,3}(\\.[0-9]{1,4})?%$"}};
    case SettingType::list:
      return {{"anyOf",
               {{{"type", text_types}}, {{"type", "array"}, {"items", {{"type", text_types}}}}}}};
    case SettingType::object:
      return object_schema(spec.fields);
  }
  return {};
}

Json schema_of(const SettingSpec& spec) {
  Json schema = type_schema(spec);
  if (spec.nullable) schema = {{"anyOf", {schema, {{"type", "null"}}}}};
  std::string description = spec.description;
  if (!spec.fallback.empty()) description += fmt::format(" Default: {}.", spec.fallback);
  schema["description"] = description;
  return schema;
}

Json object_schema(const std::vector<SettingSpec>& specs) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const SettingSpec& spec : specs) {
    properties[spec.name] = schema_of(spec);
    if (spec.required) required.push_back(spec.name);
  }
  Json schema{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  return schema;
}

// A TLS-RPT record needs its URIs, unless it goes.
Json domain_schema() {
  Json domain = object_schema(domain_keys());
  const Json gone{{"properties", {{"state", {{"const", "retired"}}}}}, {"required", {"state"}}};
  domain["properties"]["tlsrpt"]["anyOf"][0]["anyOf"] = {{{"required", {"rua"}}}, gone};
  return domain;
}

// One account: `provider` decides which settings it takes.
Json accounts_schema(const std::vector<ProviderSpec>& providers, const std::string& description) {
  Json variants = Json::array();
  Json known = Json::array();
  for (const ProviderSpec& provider : providers) {
    known.push_back(provider.name);
    Json settings = object_schema(provider.settings);
    settings["properties"]["provider"] = {{"const", provider.name}};
    variants.push_back(
        {{"if", {{"properties", {{"provider", {{"const", provider.name}}}}}}}, {"then", settings}});
  }
  Json account{{"type", "object"},
               {"properties", {{"provider", {{"enum", known}}}}},
               {"required", {"provider"}},
               {"allOf", variants}};
  return {{"type", {"object", "null"}},
          {"description", description},
          {"additionalProperties", account}};
}

// A list of stages, or a mapping that holds one.
Json rollout_schema() {
  const Json stages{{"type", "array"}, {"minItems", 1}, {"items", {{"$ref", "#/$defs/stage"}}}};
  Json full = object_schema(rollout_keys());
  const Json description = full["properties"]["stages"]["description"];
  full["properties"]["stages"] = stages;
  full["properties"]["stages"]["description"] = description;
  Json& types = full["properties"]["result_types"];
  types.erase("properties");
  types["propertyNames"] = {{"pattern", "^[a-z0-9-]{1,64}$"}};
  types["additionalProperties"] = {{"enum", {"show", "block", "brake"}}};
  return {{"anyOf", {stages, full}}};
}

}  // namespace

std::string json_schema(const Catalog& catalog) {
  Json schema = object_schema(file_keys());
  schema.erase("required");  // an included file needs no version
  Json& properties = schema["properties"];
  const auto described = [&](const char* key) {
    return properties[key]["description"].get<std::string>();
  };
  properties["dns"] = accounts_schema(catalog.dns, described("dns"));
  properties["hosts"] = accounts_schema(catalog.hosts, described("hosts"));
  const auto reference = [](const char* to, const std::string& description) {
    return Json{{"anyOf", {{{"$ref", to}}, {{"type", "null"}}}}, {"description", description}};
  };
  const auto map_of = [](const char* to, const std::string& description) {
    return Json{{"type", {"object", "null"}},
                {"description", description},
                {"additionalProperties", {{"anyOf", {{{"$ref", to}}, {{"type", "null"}}}}}}};
  };
  properties["defaults"] = reference("#/$defs/domain", described("defaults"));
  properties["domains"] = map_of("#/$defs/domain", described("domains"));
  Json group = object_schema(group_keys());
  group["properties"]["defaults"] =
      reference("#/$defs/domain", group["properties"]["defaults"]["description"]);
  group["properties"]["domains"] =
      map_of("#/$defs/domain", group["properties"]["domains"]["description"]);
  properties["groups"] = map_of("#/$defs/group", described("groups"));
  properties["groups"]["additionalProperties"] = {{"$ref", "#/$defs/group"}};

  properties["rollouts"] = {{"type", {"object", "null"}},
                            {"description", described("rollouts")},
                            {"additionalProperties", {{"$ref", "#/$defs/rollout"}}}};

  Json document{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                {"title", "stsctl configuration"},
                {"description", "Desired MTA-STS and TLS-RPT state of mail domains."}};
  document.update(schema);
  document["$defs"] = {{"domain", domain_schema()},
                       {"group", group},
                       {"stage", object_schema(stage_keys())},
                       {"rollout", rollout_schema()}};
  return document.dump(2) + "\n";
}

}  // namespace stsctl::config
