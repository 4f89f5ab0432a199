#include "providers/aws/route53_error.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/aws/signing_http.h"
#include "providers/aws/xml.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::chrono::minutes tolerable_skew{4};

constexpr std::array throttling_codes{"Throttling", "ThrottlingException", "RequestLimitExceeded",
                                      "PriorRequestNotComplete"};

bool is_throttling(std::string_view code) {
  return std::ranges::find(throttling_codes, code) != throttling_codes.end();
}

bool mentions(std::string_view text, std::string_view words) {
  return lower(text).find(words) != std::string::npos;
}

// What was sent does not fit what is there; or it never fits.
Code code_of_change(const std::string& message) {
  for (const char* words : {"already exists", "not found", "do not match", "conflict"})
    if (mentions(message, words)) return Code::conflict;
  return Code::invalid;
}

bool is_signature(std::string_view code) {
  return code == "SignatureDoesNotMatch" || code == "InvalidSignatureException" ||
         code == "RequestExpired" || code == "RequestTimeTooSkewed";
}

std::optional<Time> server_time(const io::Reply& reply) {
  const std::optional<std::string> date = reply.header("Date");
  return date ? io::parse_http_date(*date) : std::nullopt;
}

// "12 minutes behind"; "" where the clocks agree or the service does not tell its own.
std::string skew(const io::Reply& reply, Time now) {
  const std::optional<Time> theirs = server_time(reply);
  if (!theirs) return {};
  const Duration ahead = now - *theirs;
  if (std::chrono::abs(ahead) < tolerable_skew) return {};
  return fmt::format("{} {}", describe_duration(std::chrono::abs(ahead)),
                     ahead.count() > 0 ? "ahead of" : "behind");
}

Error signature_error(const ApiError& error, const io::Reply& reply, Time now) {
  const std::string wrong_clock = skew(reply, now);
  if (!wrong_clock.empty())
    return {Code::unauthorized,
            fmt::format("{}: this machine's clock is {} the service's", error.code, wrong_clock),
            {},
            "set the clock: a signature holds for five minutes"};
  return {Code::unauthorized,
          fmt::format("{}: the secret key does not belong to the access key", error.code),
          {},
          "check the secret access key, and 'region' if this is another partition"};
}

// What is wrong with who asks; none if it is something else.
std::optional<Error> identity_error(const ApiError& error, const io::Reply& reply, Time now) {
  const std::string said = fmt::format("{}: {}", error.code, error.message);
  if (is_signature(error.code)) return signature_error(error, reply, now);
  if (says_expired(error.code))
    return Error{Code::unauthorized,
                 said,
                 {},
                 "sign in again, or let stsctl renew the session: name a profile or role instead "
                 "of AWS_SESSION_TOKEN"};
  if (error.code == "InvalidClientTokenId" || error.code == "UnrecognizedClientException")
    return Error{Code::unauthorized,
                 said,
                 {},
                 "the access key is unknown or switched off, or of another partition (see "
                 "'region')"};
  if (reply.status != 401 && reply.status != 403) return std::nullopt;
  if (error.code.empty())
    return Error{Code::unauthorized, fmt::format("the service answers {}", reply.status)};
  return Error{
      Code::unauthorized,
      said,
      {},
      "allow it in the IAM policy of these credentials; docs/providers/route53.md has one"};
}

}  // namespace

bool asks_to_wait(const io::Reply& reply) {
  return reply.status == 400 && is_throttling(parse_error(reply.body).code);
}

Error route53_error(const io::Reply& reply, Time now) {
  const ApiError error = parse_error(reply.body);
  const bool named = !error.code.empty();
  const std::string said = named ? fmt::format("{}: {}", error.code, error.message)
                                 : fmt::format("the service answers {}", reply.status);
  if (is_throttling(error.code) || reply.status == 429)
    return {Code::rate_limited, said, {}, "others use the account's rate too: try again later"};
  if (error.code == "InvalidChangeBatch")
    return {code_of_change(error.message), "the change is refused: " + error.message};
  if (auto identity = identity_error(error, reply, now)) return *std::move(identity);
  if (reply.status >= 500) return {Code::internal, said};
  if (named && reply.status == 404) return {Code::not_found, said};
  if (named && reply.status == 400) return {Code::invalid, said};
  return {Code::protocol, said, {}, "does 'endpoint' name Route 53?"};
}

}  // namespace stsctl::providers::aws
