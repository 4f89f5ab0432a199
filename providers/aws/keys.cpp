#include "providers/aws/keys.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

namespace stsctl::providers::aws {

namespace {

using nlohmann::json;

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Credentials> complete(Credentials keys, std::string_view expiration) {
  if (keys.access_key.empty() || keys.secret_key.empty())
    return fail(Code::protocol, "the answer holds no AccessKeyId and SecretAccessKey");
  if (expiration.empty()) return keys;
  const Result<Time> expires = parse_expiration(expiration);
  if (!expires) return fail(expires);
  keys.expires = *expires;
  return keys;
}

}  // namespace

Result<Credentials> parse_key_document(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return fail(Code::protocol, "the answer is no JSON object");
  if (document.contains("Version") && document["Version"] != 1)
    return fail(Code::protocol, "the answer's Version is not 1");
  if (const std::string code = text_at(document, "Code"); !code.empty() && code != "Success")
    return fail(Code::protocol, "the answer's Code is not Success");
  std::string token = text_at(document, "SessionToken");
  if (token.empty()) token = text_at(document, "Token");
  return complete({.access_key = text_at(document, "AccessKeyId"),
                   .secret_key = text_at(document, "SecretAccessKey"),
                   .session_token = std::move(token)},
                  text_at(document, "Expiration"));
}

Result<Credentials> parse_assumed_role(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size()))
    return fail(Code::protocol, "the answer is no XML");
  // <AssumeRoleResponse><AssumeRoleResult><Credentials>, both names as the action is called
  const pugi::xml_node keys = document.document_element().first_child().child("Credentials");
  return complete({.access_key = keys.child("AccessKeyId").text().get(),
                   .secret_key = keys.child("SecretAccessKey").text().get(),
                   .session_token = keys.child("SessionToken").text().get()},
                  keys.child("Expiration").text().get());
}

Result<Time> parse_expiration(std::string_view text) {
  constexpr std::size_t seconds_end = 19;  // of "2026-11-24T08:15:00"
  std::string whole(text.substr(0, seconds_end));
  std::string_view rest = text.substr(whole.size());
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
  }
  const Result<Time> time = parse_time(whole + "Z");
  if (!time || (rest != "Z" && rest != "+00:00"))
    return fail(Code::protocol, "the answer's Expiration is no time in UTC");
  return time;
}

}  // namespace stsctl::providers::aws
