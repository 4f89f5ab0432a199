#include "providers/aws/sts.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "providers/aws/keys.h"
#include "providers/aws/sigv4.h"
#include "providers/aws/xml.h"

namespace stsctl::providers::aws {

namespace {

void add_field(std::string& form, const char* name, const std::string& value) {
  if (!value.empty()) form += fmt::format("&{}={}", name, uri_encode(value));
}

const char* hint_for(const std::string& code) {
  if (code == "AccessDenied")
    return "the role's trust policy must name this identity and the action, and the identity must "
           "be allowed to assume it";
  if (code == "ExpiredTokenException" || code == "ExpiredToken") return "get a new token";
  if (code == "SignatureDoesNotMatch")
    return "check the secret access key and this machine's clock";
  if (code == "InvalidIdentityToken")
    return "the account needs an identity provider for the token's issuer and audience";
  return "";
}

// The service's message may repeat what was signed, the session token too.
std::string said(const ApiError& error) {
  return error.code == "SignatureDoesNotMatch" ? error.code
                                               : fmt::format("{}: {}", error.code, error.message);
}

}  // namespace

Sts::Sts(io::Http& http, const io::Clock& clock, StsPlace place)
    : http_(http), clock_(clock), place_(std::move(place)) {}

io::Request Sts::request(const char* action, const Role& role) const {
  std::string form = fmt::format("Action={}&Version=2011-06-15", action);
  add_field(form, "RoleArn", role.arn);
  add_field(form, "RoleSessionName", role.session_name.empty() ? "stsctl" : role.session_name);
  add_field(form, "ExternalId", role.external_id);
  add_field(form, "DurationSeconds", role.duration);
  return {.method = "POST",
          .url = place_.endpoint + "/",
          .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
          .body = std::move(form),
          .repeatable = true};
}

Result<Credentials> Sts::assume_role(const Role& role, const Credentials& source) const {
  io::Request signed_request = request("AssumeRole", role);
  std::vector<io::Header> headers =
      sign(signed_request, source, {place_.region, "sts"}, clock_.now());
  std::ranges::move(headers, std::back_inserter(signed_request.headers));
  return send(signed_request, "AssumeRole");
}

Result<Credentials> Sts::assume_role_with_web_identity(const Role& role,
                                                       const std::string& token) const {
  io::Request unsigned_request = request("AssumeRoleWithWebIdentity", role);
  add_field(unsigned_request.body, "WebIdentityToken", token);
  return send(unsigned_request, "AssumeRoleWithWebIdentity");
}

Result<Credentials> Sts::send(const io::Request& request, const char* action) const {
  const std::string where = fmt::format("sts {}", action);
  const Result<io::Reply> reply = http_.send(request);
  if (!reply) return fail_at(reply, where);
  if (reply->ok()) {
    Result<Credentials> keys = parse_assumed_role(reply->body);
    if (!keys) return fail_at(keys, where);
    return keys;
  }
  const ApiError error = parse_error(reply->body);
  if (error.code.empty())
    return fail(Code::protocol, fmt::format("the service answers {}", reply->status), where);
  return fail(Code::unauthorized, said(error), where, hint_for(error.code));
}

}  // namespace stsctl::providers::aws
