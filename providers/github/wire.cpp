#include "providers/github/wire.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"

namespace stsctl::providers::github {

namespace {

using nlohmann::json;

std::unexpected<Error> unexpected_json(std::string_view what) {
  return fail(Code::protocol, fmt::format("the API's answer is not the {} expected", what), {},
              "does 'endpoint' name a GitHub REST API?");
}

json parse(std::string_view text) {
  return json::parse(text, nullptr, false);
}

// The member `key` of an object if it is a string, else "".
std::string text_at(const json& value, const char* key) {
  if (!value.is_object()) return {};
  const auto found = value.find(key);
  return found != value.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json member(const json& value, const char* key) {
  if (!value.is_object()) return {};
  const auto found = value.find(key);
  return found == value.end() ? json() : *found;
}

// What is not UTF-8 (a committer's name) must not throw.
std::string text_of(const json& body) {
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_sha(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::string> sha_of(const json& value, const char* key, std::string_view what) {
  std::string sha = text_at(value, key);
  if (!is_sha(sha)) return unexpected_json(what);
  return sha;
}

Result<std::string> decoded(const json& value, std::string_view what) {
  if (text_at(value, "encoding") != "base64") return unexpected_json(what);
  std::optional<std::string> content = decode_base64(text_at(value, "content"));
  if (!content) return unexpected_json(what);
  return std::move(*content);
}

void sign(json& body, const CommitNote& note) {
  body["message"] = note.message;
  if (!note.person) return;
  const json person{{"name", note.person->name}, {"email", note.person->email}};
  body["author"] = person;
  body["committer"] = person;
}

}  // namespace

std::string blob_sha(std::string_view content) {
  std::string object = fmt::format("blob {}", content.size());
  object += '\0';
  object += content;
  return hex(sha1(object));
}

std::string url_encoded(std::string_view text, bool keep_slashes) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (keep_slashes && c == '/');
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

bool Site::has_certificate() const {
  constexpr std::array<std::string_view, 3> served{"issued", "uploaded", "approved"};
  return std::ranges::find(served, certificate) != served.end();
}

Result<File> parse_contents(std::string_view text) {
  const json answer = parse(text);
  if (answer.is_array()) return fail(Code::unsupported, "a folder stands where the file should be");
  if (!answer.is_object()) return unexpected_json("file");
  if (const std::string type = text_at(answer, "type"); type != "file")
    return fail(Code::unsupported,
                fmt::format("a {} stands where the file should be", printable(type)));
  if (text_at(answer, "encoding") == "none")
    return fail(Code::invalid, "the file is larger than the API gives out: it is no policy");
  Result<std::string> sha = sha_of(answer, "sha", "file");
  if (!sha) return fail(sha);
  Result<std::string> content = decoded(answer, "file");
  if (!content) return fail(content);
  // A symbolic link is answered with its target's content under the link's own name.
  if (blob_sha(*content) != *sha)
    return fail(Code::unsupported, "the content is not that of the file (a symbolic link?)");
  return File{std::move(*sha), std::move(*content)};
}

Result<std::string> parse_blob(std::string_view text, const std::string& sha) {
  Result<std::string> content = decoded(parse(text), "file");
  if (content && blob_sha(*content) != sha) return unexpected_json("file");
  return content;
}

Result<Tree> parse_tree(std::string_view text) {
  const json answer = parse(text);
  const json list = member(answer, "tree");
  const json truncated = member(answer, "truncated");
  if (!list.is_array() || !truncated.is_boolean()) return unexpected_json("tree");
  Tree tree{.entries = {}, .truncated = truncated.get<bool>()};
  for (const json& one : list) {
    const Result<std::string> sha = sha_of(one, "sha", "tree");
    const std::string path = text_at(one, "path");
    if (!sha || path.empty()) return unexpected_json("tree");
    const json size = member(one, "size");
    tree.entries.insert_or_assign(
        path, Entry{.mode = text_at(one, "mode"),
                    .type = text_at(one, "type"),
                    .sha = *sha,
                    .size = size.is_number_integer() ? size.get<std::int64_t>() : 0});
  }
  return tree;
}

Result<std::string> parse_ref(std::string_view text) {
  const json object = member(parse(text), "object");
  if (text_at(object, "type") != "commit") return unexpected_json("branch");
  return sha_of(object, "sha", "branch");
}

Result<std::string> parse_commit_tree(std::string_view text) {
  return sha_of(member(parse(text), "tree"), "sha", "commit");
}

Result<std::string> parse_made(std::string_view text) {
  return sha_of(parse(text), "sha", "object");
}

Result<std::string> parse_committed(std::string_view text) {
  return sha_of(member(parse(text), "commit"), "sha", "commit");
}

Result<Site> parse_site(std::string_view text) {
  const json answer = parse(text);
  if (!answer.is_object() || !answer.contains("cname")) return unexpected_json("Pages site");
  const json source = member(answer, "source");
  const json is_public = member(answer, "public");
  const json certificate = member(answer, "https_certificate");
  return Site{.cname = lower(text_at(answer, "cname")),
              .from_branch = text_at(answer, "build_type") != "workflow",
              .branch = text_at(source, "branch"),
              .folder = text_at(source, "path"),
              .is_public = !is_public.is_boolean() || is_public.get<bool>(),
              .certificate = text_at(certificate, "state"),
              .certificate_story = text_at(certificate, "description")};
}

Result<Build> parse_build(std::string_view text) {
  const json answer = parse(text);
  if (text_at(answer, "status").empty()) return unexpected_json("Pages build");
  return Build{.status = text_at(answer, "status"),
               .commit = text_at(answer, "commit"),
               .error = printable(text_at(member(answer, "error"), "message"))};
}

std::string put_body(const std::string& branch, std::string_view content, const std::string& sha,
                     const CommitNote& note) {
  json body{{"branch", branch}, {"content", base64(content)}};
  if (!sha.empty()) body["sha"] = sha;
  sign(body, note);
  return text_of(body);
}

std::string delete_body(const std::string& branch, const std::string& sha, const CommitNote& note) {
  json body{{"branch", branch}, {"sha", sha}};
  sign(body, note);
  return text_of(body);
}

std::string tree_body(const std::string& base, const std::vector<Change>& changes) {
  json tree = json::array();
  for (const Change& change : changes) {
    json entry{{"path", change.path}, {"mode", change.mode}, {"type", "blob"}};
    if (change.content)
      entry["content"] = *change.content;
    else
      entry["sha"] = nullptr;
    tree.push_back(std::move(entry));
  }
  return text_of({{"base_tree", base}, {"tree", std::move(tree)}});
}

std::string commit_body(const std::string& tree, const std::string& parent,
                        const CommitNote& note) {
  json body{{"tree", tree}, {"parents", json::array({parent})}};
  sign(body, note);
  return text_of(body);
}

std::string ref_body(const std::string& commit) {
  return text_of({{"sha", commit}, {"force", false}});
}

}  // namespace stsctl::providers::github
