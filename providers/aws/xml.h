#pragma once
// What every XML answer of AWS has in common. Pure; knows no service.

#include <string>
#include <string_view>

#include <pugixml.hpp>

namespace stsctl::providers::aws {

/// What a failed request says.
struct ApiError {
  std::string code;     ///< "AccessDenied"; "" if the body is no error of AWS.
  std::string message;  ///< All messages, with "; " between; safe for a terminal.
  std::string region;   ///< That S3 expected the request to be signed for; safe for a terminal.
  bool operator==(const ApiError&) const = default;
};

/// Reads `<ErrorResponse><Error><Code>…`, `<Error><Code>…` and
/// `<InvalidChangeBatch><Messages><Message>…`; from other text nothing.
ApiError parse_error(std::string_view body);

/// The text of the child `name`, without blanks around it; "" if there is none.
std::string text_of(const pugi::xml_node& parent, const char* name);

/// Can `id`, as an answer has it, stand in a path, so that no answer leads a request elsewhere?
bool is_id(std::string_view id);

}  // namespace stsctl::providers::aws
