#include "config/settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "config/keys.h"

namespace stsctl::config {

namespace {

constexpr std::size_t longest_secret = 65536;

// Is the host part of a URL this machine?
bool is_loopback_url(std::string_view url) {
  url.remove_prefix(std::string_view("http://").size());
  std::string_view host = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) return false;
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return host == "localhost" || (host.starts_with("127.") &&
                                 host.find_first_not_of("0123456789.") == std::string_view::npos);
}

// Reads the settings of one account.
class SettingsReader {
 public:
  SettingsReader(Reader& reader, const Sources& sources) : reader_(reader), sources_(sources) {}

  void read(const Node& mapping, const std::vector<SettingSpec>& specs, const std::string& prefix) {
    std::vector<std::string> known = names(specs);
    if (prefix.empty()) known.insert(known.begin(), "provider");
    if (prefix.empty()) hide_unknown(mapping, specs);
    reader_.check_keys(mapping, known, prefix.empty() ? "this account" : "'" + prefix + "'");
    for (const SettingSpec& spec : specs) {
      const std::string name = prefix.empty() ? spec.name : prefix + "." + spec.name;
      if (const Node* value = mapping.find(spec.name))
        read_value(*value, spec, name);
      else if (spec.required)
        reader_.error(mapping.mark, fmt::format("'{}' is missing: {}", name, spec.description));
    }
  }

  Settings take() { return std::move(settings_); }

 private:
  // A secret may stand behind a key that is misspelt; before anything of its line is shown.
  void hide_unknown(const Node& mapping, const std::vector<SettingSpec>& specs) {
    for (const auto& [key, value] : mapping.entries) {
      const auto spec = std::ranges::find(specs, key.text, &SettingSpec::name);
      if (spec == specs.end() && key.text != "provider")
        reader_.hide(value.mark);
      else if (spec != specs.end() && spec->type == SettingType::object)
        hide_unknown(value, spec->fields);
    }
  }

  void read_value(const Node& node, const SettingSpec& spec, const std::string& name) {
    if (spec.type == SettingType::object) {
      if (reader_.mapping(node, "'" + name + "'") == nullptr) return;
      settings_.set(name, true, reader_.where(node.mark));
      return read(node, spec.fields, name);
    }
    if (spec.type == SettingType::list) return read_list(node, name);
    if (node.kind != Node::Kind::scalar)
      return reader_.error(node.mark, fmt::format("'{}' must be one value", name));
    if (spec.type == SettingType::secret && !sources_.secrets) return;
    if (spec.type == SettingType::secret) check_plain_secret(node, name);
    const std::optional<std::string> text = expand(node.text, node.mark, name);
    if (text) convert(*text, node, spec, name);
  }

  void read_list(const Node& node, const std::string& name) {
    std::vector<const Node*> items;
    if (node.kind == Node::Kind::sequence)
      for (const Node& item : node.items)
        items.push_back(&item);
    else
      items.push_back(&node);
    Settings::List list;
    for (const Node* item : items) {
      if (item->kind != Node::Kind::scalar)
        return reader_.error(item->mark, fmt::format("'{}' must be a list of text", name));
      if (auto text = expand(item->text, item->mark, name)) list.push_back(std::move(*text));
    }
    settings_.set(name, std::move(list), reader_.where(node.mark));
  }

  void check_plain_secret(const Node& node, const std::string& name) {
    if (node.text.find("${env:") != std::string::npos ||
        node.text.find("${file:") != std::string::npos)
      return;
    reader_.hide(node.mark);
    reader_.warning(node.mark, fmt::format("'{}' is a secret in clear text", name),
                    "keep it out of this file: \"${env:NAME}\" or \"${file:PATH}\"");
  }

  // Replaces ${env:NAME} and ${file:PATH}. No diagnostic shows what they stand for.
  std::optional<std::string> expand(const std::string& text, const Mark& mark,
                                    const std::string& name) {
    std::string out;
    std::size_t at = 0;
    while (true) {
      const std::size_t begin = text.find("${", at);
      out += text.substr(at, begin - at);
      if (begin == std::string::npos) return out;
      const std::size_t end = text.find('}', begin);
      if (end == std::string::npos) {
        reader_.error(mark, fmt::format("'{}': '${{' without its '}}'", name));
        return std::nullopt;
      }
      const auto value = resolve(text.substr(begin + 2, end - begin - 2), mark, name);
      if (!value) return std::nullopt;
      out += *value;
      at = end + 1;
    }
  }

  std::optional<std::string> resolve(const std::string& reference, const Mark& mark,
                                     const std::string& name) {
    if (reference.starts_with("env:")) {
      const std::string variable = reference.substr(4);
      std::optional<std::string> value = sources_.env(variable);
      if (value && !value->empty()) return value;
      reader_.error(mark, fmt::format("'{}': the environment variable {} is {}", name,
                                      printable(variable), value ? "empty" : "not set"));
      return std::nullopt;
    }
    if (reference.starts_with("file:")) {
      const Result<std::string> text =
          sources_.stream()(absolute(reference.substr(5)), longest_secret);
      if (text && !trim(*text).empty()) return std::string(trim(*text));
      reader_.error(mark, fmt::format("'{}': {}", name,
                                      text ? "the file is empty" : to_string(text.error())));
      return std::nullopt;
    }
    reader_.error(mark, fmt::format("'{}': '${{{}}}' is unknown", name, printable(reference)),
                  "write ${env:NAME} or ${file:PATH}");
    return std::nullopt;
  }

  std::string absolute(const std::string& path) const {
    return (std::filesystem::path(reader_.file()).parent_path() / path).lexically_normal().string();
  }

  void convert(const std::string& text, const Node& node, const SettingSpec& spec,
               const std::string& name) {
    const auto set = [&](Settings::Value value) {
      settings_.set(name, std::move(value), reader_.where(node.mark));
    };
    switch (spec.type) {
      case SettingType::path:
        return set(absolute(text));
      case SettingType::integer:
        return integer(text, node, spec, name);
      case SettingType::duration:
        return duration(text, node, spec, name);
      case SettingType::boolean:
        if (const auto value = reader_.boolean(node, "'" + name + "'")) set(*value);
        return;
      case SettingType::url:
        if (text.starts_with("https://") || (text.starts_with("http://") && is_loopback_url(text)))
          return set(text);
        return reader_.error(node.mark, fmt::format("'{}' must be an https:// URL", name),
                             "plain http is for this machine alone");
      case SettingType::name:
        if (const Result<dns::Name> parsed = dns::Name::parse(text); parsed)
          return set(parsed->text());
        else
          return reader_.error(node.mark, parsed.error().what);
      case SettingType::choice:
        if (std::ranges::find(spec.choices, text) != spec.choices.end()) return set(text);
        return reader_.error(node.mark,
                             fmt::format("'{}' is one of: {}", name, join(spec.choices, ", ")));
      default:
        return set(text);
    }
  }

  void integer(const std::string& text, const Node& node, const SettingSpec& spec,
               const std::string& name) {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() &&
        number >= spec.least && number <= spec.most)
      return settings_.set(name, number, reader_.where(node.mark));
    reader_.error(node.mark, fmt::format("'{}' must be a whole number from {} to {}", name,
                                         spec.least, spec.most));
  }

  void duration(const std::string& text, const Node& node, const SettingSpec& spec,
                const std::string& name) {
    const Result<Duration> parsed = parse_duration(text);
    if (!parsed) return reader_.error(node.mark, "'" + name + "': " + parsed.error().what);
    if (parsed->count() < spec.least || parsed->count() > spec.most)
      return reader_.error(node.mark, fmt::format("'{}' must be {} to {}", name,
                                                  format_duration(Duration{spec.least}),
                                                  format_duration(Duration{spec.most})));
    settings_.set(name, static_cast<std::int64_t>(parsed->count()), reader_.where(node.mark));
  }

  Reader& reader_;
  const Sources& sources_;
  Settings settings_;
};

}  // namespace

Settings read_settings(Reader& reader, const Node& mapping, const std::vector<SettingSpec>& specs,
                       const Sources& sources) {
  SettingsReader settings(reader, sources);
  settings.read(mapping, specs, "");
  return settings.take();
}

}  // namespace stsctl::config
