#include "providers/aws/identity_error.h"

#include <chrono>
#include <string>

#include <fmt/format.h>

#include "providers/aws/signing_http.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::chrono::minutes tolerable_skew{4};

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

}  // namespace

std::optional<Error> identity_error(const ApiError& error, const io::Reply& reply, Time now,
                                    std::string_view page) {
  const std::string said = fmt::format("{}: {}", error.code, error.message);
  if (is_signature(error.code)) return signature_error(error, reply, now);
  if (says_expired(error.code))
    return Error{Code::unauthorized,
                 said,
                 {},
                 "sign in again, or let stsctl renew the session: name a profile or role instead "
                 "of AWS_SESSION_TOKEN"};
  if (error.code == "InvalidClientTokenId" || error.code == "UnrecognizedClientException" ||
      error.code == "InvalidAccessKeyId")
    return Error{Code::unauthorized,
                 said,
                 {},
                 "the access key is unknown or switched off, or of another partition (see "
                 "'region')"};
  if (reply.status != 401 && reply.status != 403) return std::nullopt;
  if (error.code.empty())
    return Error{Code::unauthorized, fmt::format("the service answers {}", reply.status)};
  return Error{Code::unauthorized,
               said,
               {},
               fmt::format("allow it in the IAM policy of these credentials; {} has one", page)};
}

}  // namespace stsctl::providers::aws
