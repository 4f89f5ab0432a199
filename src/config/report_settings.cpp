#include "config/report_settings.h"

#include <filesystem>

#include "base/text.h"
#include "config/keys.h"

namespace stsctl::config {

namespace {

std::vector<std::string> server_names(Reader& reader, const Node& node) {
  std::vector<std::string> list;
  for (const auto& [text, mark] : reader.list(node, "'authserv_ids'")) {
    if (text.empty()) reader.error(mark, "an authserv-id is empty");
    list.push_back(text);
  }
  return list;
}

std::vector<std::string> domain_names(Reader& reader, const Node& node) {
  std::vector<std::string> list;
  for (const auto& [text, mark] : reader.list(node, "'signers'")) {
    const Result<dns::Name> name = dns::Name::parse(text);
    if (name)
      list.push_back(name->text());
    else
      reader.error(mark, "'" + printable(text) + "' is no domain: " + name.error().what);
  }
  return list;
}

}  // namespace

std::string beside(const std::string& path, const std::string& file) {
  return (std::filesystem::path(path).parent_path() / file).string();
}

ReportSettings read_report_settings(Reader& reader, const Node& node) {
  ReportSettings settings;
  if (node.kind == Node::Kind::null || reader.mapping(node, "'reports'") == nullptr)
    return settings;
  reader.check_keys(node, names(report_keys()), "'reports'");
  if (const Node* store = node.find("store"))
    if (const auto path = reader.text_of(*store, "'store'"))
      settings.store = beside(reader.file(), *path);
  if (const Node* ids = node.find("authserv_ids"))
    settings.authserv_ids = server_names(reader, *ids);
  if (const Node* signers = node.find("signers")) settings.signers = domain_names(reader, *signers);
  return settings;
}

}  // namespace stsctl::config
