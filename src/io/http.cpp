#include "io/http.h"

#include <algorithm>
#include <utility>

#include <curl/curl.h>

#include "base/text.h"

namespace stsctl::io {

std::optional<std::string> find_header(const std::vector<Header>& headers, std::string_view name) {
  const std::string wanted = lower(name);
  const auto found = std::ranges::find_if(
      headers, [&](const Header& header) { return lower(header.name) == wanted; });
  return found == headers.end() ? std::nullopt : std::optional(found->value);
}

std::optional<Time> parse_http_date(const std::string& text) {
  const time_t date = curl_getdate(text.c_str(), nullptr);
  return date < 0 ? std::nullopt : std::optional(Time(Duration(date)));
}

Request get(std::string url, std::vector<Header> headers) {
  return {.url = std::move(url), .headers = std::move(headers), .repeatable = true};
}

}  // namespace stsctl::io
