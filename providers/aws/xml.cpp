#include "providers/aws/xml.h"

#include <algorithm>

#include <pugixml.hpp>

#include "base/text.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::size_t longest_message = 2000;

void add(std::string& messages, const pugi::xml_node& node) {
  const std::string text = printable(trim(node.text().get()));
  if (text.empty() || messages.size() > longest_message) return;
  messages += (messages.empty() ? "" : "; ") + text.substr(0, longest_message);
}

}  // namespace

ApiError parse_error(std::string_view body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node root = document.document_element();
  const std::string_view name = root.name();
  ApiError error;
  if (name == "ErrorResponse" || name == "Error") {
    const pugi::xml_node inner = name == "Error" ? root : root.child("Error");
    error.code = printable(trim(inner.child("Code").text().get()));
    add(error.message, inner.child("Message"));
    error.region = printable(text_of(inner, "Region"));
    for (const pugi::xml_node message : inner.child("Messages"))
      add(error.message, message);
  } else if (!root.child("Messages").empty() || !root.child("Message").empty()) {
    error.code = printable(name);  // the older shape
    for (const pugi::xml_node message : root.child("Messages"))
      add(error.message, message);
    add(error.message, root.child("Message"));
  }
  return error;
}

std::string text_of(const pugi::xml_node& parent, const char* name) {
  return std::string(trim(parent.child(name).text().get()));
}

bool is_id(std::string_view id) {
  return !id.empty() && std::ranges::all_of(id, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

}  // namespace stsctl::providers::aws
