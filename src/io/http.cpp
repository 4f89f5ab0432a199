#include "io/http.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace stsctl::io {

std::optional<std::string> find_header(const std::vector<Header>& headers, std::string_view name) {
  const std::string wanted = lower(name);
  const auto found = std::ranges::find_if(
      headers, [&](const Header& header) { return lower(header.name) == wanted; });
  return found == headers.end() ? std::nullopt : std::optional(found->value);
}

Request get(std::string url, std::vector<Header> headers) {
  return {.url = std::move(url), .headers = std::move(headers), .repeatable = true};
}

}  // namespace stsctl::io
