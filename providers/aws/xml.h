#pragma once
// What every XML answer of AWS has in common. Pure; knows no service.

#include <string>
#include <string_view>

namespace stsctl::providers::aws {

/// What a failed request says.
struct ApiError {
  std::string code;     ///< "AccessDenied"; "" if the body is no error of AWS.
  std::string message;  ///< All messages, with "; " between; safe for a terminal.
  bool operator==(const ApiError&) const = default;
};

/// Reads `<ErrorResponse><Error><Code>…`, `<Error><Code>…` and
/// `<InvalidChangeBatch><Messages><Message>…`; from other text nothing.
ApiError parse_error(std::string_view body);

}  // namespace stsctl::providers::aws
