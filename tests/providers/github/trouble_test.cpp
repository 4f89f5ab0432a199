#include "providers/github/trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stsctl::providers::github {
namespace {

using io::Header;
using io::Reply;
using testing::HasSubstr;

Reply said(int status, const std::string& message, std::vector<Header> headers = {}) {
  return {.status = status,
          .headers = std::move(headers),
          .body = nlohmann::json{{"message", message}, {"status", std::to_string(status)}}.dump()};
}

TEST(ErrorOf, TellsApartWhatGitHubSays) {
  struct Case {
    Reply reply;
    Code code;
    const char* what;
    const char* hint;
  };
  for (const Case& c : std::vector<Case>{
           {said(401, "Bad credentials"), Code::unauthorized, "token", "expired"},
           {said(403, "Resource not accessible by personal access token",
                 {{"X-Accepted-GitHub-Permissions", "contents=write"}}),
            Code::unauthorized, "may not", "contents=write"},
           {said(403, "Resource not accessible by personal access token"), Code::unauthorized,
            "may not", "Contents: read and write"},
           {said(403, "Resource protected by organization SAML enforcement. You must grant"),
            Code::unauthorized, "SAML", "single sign-on"},
           {said(403, "Repository was archived so is read-only."), Code::unauthorized, "archived",
            "unarchive"},
           {said(403, "You have exceeded a secondary rate limit. Please wait a few minutes"),
            Code::rate_limited, "secondary", "later"},
           {said(403, "API rate limit exceeded for user ID 1."), Code::rate_limited, "fewer",
            "later"},
           {said(403, "?", {{"Retry-After", "30"}}), Code::rate_limited, "fewer", "later"},
           {said(403, "?", {{"x-ratelimit-remaining", "0"}}), Code::rate_limited, "fewer", "later"},
           {said(429, "Too many"), Code::rate_limited, "Too many", "later"},
           {said(404, "Not Found"), Code::not_found, "may not see it", "repository"},
           {said(404, "This repository is empty."), Code::not_found, "no commit yet", "first one"},
           {said(409, "Git Repository is empty."), Code::not_found, "no commit yet", "first one"},
           {said(404, "No commit found for the ref main"), Code::not_found, "branch", "create"},
           {said(404, "Branch main not found"), Code::not_found, "branch", "create"},
           {said(422, "Reference does not exist"), Code::not_found, "branch", "create"},
           {said(409, "a/b does not match 0123"), Code::conflict, "does not match", "plan again"},
           {said(409, "is at 0123 but expected 4567"), Code::conflict, "expected", "plan again"},
           {said(422, "Update is not a fast forward"), Code::conflict, "fast", "plan again"},
           {said(422, "Invalid request.\n\n\"sha\" wasn't supplied."), Code::conflict, "sha",
            "plan again"},
           {said(409,
                 "Repository rule violations found\n\nChanges must be made through a pull "
                 "request."),
            Code::unauthorized, "does not take", "rules"},
           {said(422, "Repository rule violations found\n\nCommits must have verified signatures."),
            Code::unauthorized, "does not take", "rules"},
           {said(409, "At least 1 approving review is required by reviewers with write access."),
            Code::unauthorized, "does not take", "rules"},
           {said(422, "GitRPC::BadObjectState"), Code::invalid, "refuses", ""},
           {said(301, "Moved Permanently"), Code::not_found, "renamed", "new name"},
           {said(451, "Repository access blocked"), Code::unauthorized, "blocked", ""},
           {said(500, "Server Error"), Code::internal, "500", "later"},
           {{.status = 502, .body = "<html>Unicorn!</html>"}, Code::internal, "Unicorn", "later"},
           {{.status = 418, .body = "tea"}, Code::protocol, "418", "endpoint"},
           {{.status = 204, .body = ""}, Code::protocol, "204", "endpoint"},
       }) {
    const Error error = error_of(c.reply);
    EXPECT_EQ(error.code, c.code) << c.reply.body;
    EXPECT_THAT(error.what, HasSubstr(c.what)) << c.reply.body;
    EXPECT_THAT(error.hint, HasSubstr(c.hint)) << c.reply.body;
  }
}

TEST(ErrorOf, ShowsTheDetailsButDrivesNoTerminal) {
  const Error error = error_of(
      {.status = 422,
       .body =
           R"({"message":"Validation Failed","errors":[{"message":"\u001b[31mpath"},"two",7]})"});
  EXPECT_THAT(error.what, HasSubstr("Validation Failed; \\x1B[31mpath; two"));
  EXPECT_LT(error_of(said(500, std::string(5000, 'x'))).what.size(), 400U);
}

TEST(IsRateLimit, IsNoOther403) {
  EXPECT_FALSE(is_rate_limit(
      said(403, "Must have admin rights to Repository.", {{"X-RateLimit-Remaining", "4999"}})));
  EXPECT_FALSE(is_rate_limit(said(404, "Not Found", {{"X-RateLimit-Remaining", "0"}})));
  EXPECT_TRUE(is_rate_limit(said(403, "You have triggered an abuse detection mechanism.")));
}

}  // namespace
}  // namespace stsctl::providers::github
