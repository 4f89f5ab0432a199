#include "providers/aws/route53_error.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/aws/identity_error.h"

namespace stsctl::providers::aws {

namespace {

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
  if (auto identity = identity_error(error, reply, now, "docs/providers/route53.md"))
    return *std::move(identity);
  if (reply.status >= 500) return {Code::internal, said};
  if (named && reply.status == 404) return {Code::not_found, said};
  if (named && reply.status == 400) return {Code::invalid, said};
  return {Code::protocol, said, {}, "does 'endpoint' name Route 53?"};
}

}  // namespace stsctl::providers::aws
