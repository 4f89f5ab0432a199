#include "providers/github/trouble.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stsctl::providers::github {

namespace {

using nlohmann::json;

constexpr const char* permissions =
    "a fine-grained token needs 'Contents: read and write' and, for Pages, 'Pages: read' for the "
    "repository; a classic one the scope 'repo'";
constexpr const char* look_again = "run plan again to see what is there";

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The member "message" and those of "errors"; the text itself where it is no JSON.
std::string said_by(std::string_view body) {
  constexpr std::size_t longest = 300;
  const json answer = json::parse(body, nullptr, false);
  std::string text = answer.is_object() ? text_at(answer, "message") : std::string(trim(body));
  if (answer.is_object() && answer.contains("errors") && answer["errors"].is_array())
    for (const json& error : answer["errors"]) {
      const std::string detail = error.is_object()   ? text_at(error, "message")
                                 : error.is_string() ? error.get<std::string>()
                                                     : std::string();
      if (!detail.empty()) text += "; " + detail;
    }
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return printable(text);
}

template <std::size_t N>
bool says_any(const std::string& said, const std::array<std::string_view, N>& words) {
  const std::string text = lower(said);
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

// Rulesets answer 409 or 422 with "rule violations", branch protection with what it asks for.
bool is_protection(const std::string& said) {
  constexpr std::array<std::string_view, 8> words{
      "rule violation", "protected branch",  "pull request",       "approving review",
      "status check",   "cannot be updated", "verified signature", "not authorized to push"};
  return says_any(said, words);
}

Error protection(const std::string& said) {
  return {Code::unauthorized,
          fmt::format("the branch does not take this commit: {}", said),
          {},
          "let the token's owner bypass the branch's rules, or name a 'branch' without them"};
}

Error forbidden(const io::Reply& reply, const std::string& said) {
  Error error{Code::unauthorized, fmt::format("the token may not do this: {}", said), {}, {}};
  // Fine-grained tokens are told what the call needs.
  const auto needed = reply.header("X-Accepted-GitHub-Permissions");
  if (reply.header("X-GitHub-SSO") || says_any(said, std::array<std::string_view, 1>{"saml"}))
    error.hint = "authorize the token for the organization's single sign-on";
  else if (says_any(said, std::array<std::string_view, 1>{"archived"}))
    error.hint = "the repository is archived: unarchive it, or name another";
  else if (needed)
    error.hint =
        fmt::format("the call needs the permission {}; {}", printable(*needed), permissions);
  else
    error.hint = permissions;
  return error;
}

Error missing_branch() {
  return {
      Code::not_found, "the branch is not there", {}, "create it, or name another with 'branch'"};
}

Error not_found() {
  return {Code::not_found,
          "not there, or the token may not see it",
          {},
          fmt::format("GitHub does not tell these apart: check 'repository', then the token: {}",
                      permissions)};
}

Error unprocessable(const std::string& said) {
  constexpr std::array<std::string_view, 3> moved{"fast forward", "fast-forward",
                                                  "\"sha\" wasn't supplied"};
  if (is_protection(said)) return protection(said);
  if (says_any(said, moved)) return {Code::conflict, said, {}, look_again};
  return {Code::invalid, fmt::format("GitHub refuses the change: {}", said)};
}

}  // namespace

bool is_rate_limit(const io::Reply& reply) {
  if (reply.status == 429) return true;
  if (reply.status != 403) return false;
  if (reply.header("Retry-After") || reply.header("X-RateLimit-Remaining") == "0") return true;
  return says_any(
      said_by(reply.body),
      std::array<std::string_view, 3>{"secondary rate", "rate limit exceeded", "abuse detection"});
}

bool is_empty_repository(const io::Reply& reply) {
  return (reply.status == 404 || reply.status == 409) &&
         says_any(said_by(reply.body),
                  std::array<std::string_view, 2>{"repository is empty", "is empty."});
}

// "No commit found for the ref main", "Branch main not found", "Reference does not exist"
bool is_missing_branch(const io::Reply& reply) {
  if (reply.status != 404 && reply.status != 422) return false;
  const std::string said = lower(said_by(reply.body));
  return said.starts_with("no commit found for the ref") ||
         said.starts_with("reference does not exist") ||
         (said.starts_with("branch ") && said.ends_with(" not found"));
}

Error error_of(const io::Reply& reply) {
  const std::string said = said_by(reply.body);
  if (is_rate_limit(reply))
    return {Code::rate_limited,
            fmt::format("GitHub asks for fewer requests: {}", said),
            {},
            "try again later, or with fewer domains"};
  if (is_empty_repository(reply))
    return {Code::not_found,
            "the repository has no commit yet",
            {},
            "make a first one, such as a README, on the branch"};
  if (is_missing_branch(reply)) return missing_branch();
  switch (reply.status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return {Code::not_found,
              "the repository has been renamed or moved",
              {},
              "write its new name into 'repository'"};
    case 401:
      return {Code::unauthorized,
              fmt::format("GitHub does not accept the token: {}", said),
              {},
              "it may be wrong, expired or revoked"};
    case 403:
      return forbidden(reply, said);
    case 404:
      return not_found();
    case 409:
      if (is_protection(said)) return protection(said);
      return {Code::conflict, said, {}, look_again};
    case 422:
      return unprocessable(said);
    case 451:
      return {Code::unauthorized, fmt::format("the repository is blocked: {}", said)};
    default:
      if (reply.status >= 500)
        return {Code::internal,
                fmt::format("GitHub failed with {}: {}", reply.status, said),
                {},
                "try again later"};
      return {Code::protocol,
              fmt::format("the API answers {}: {}", reply.status, said),
              {},
              "does 'endpoint' name a GitHub REST API?"};
  }
}

}  // namespace stsctl::providers::github
