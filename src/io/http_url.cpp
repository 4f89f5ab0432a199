#include "io/http_url.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::io {

namespace {

std::string part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

bool is_sendable(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (lower(host) == "localhost") return true;
  if (host == "[::1]" || host == "::1") return true;
  std::array<unsigned char, 4> address{};
  return inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1 && address[0] == 127;
}

bool is_link_local(std::string_view host) {
  std::array<unsigned char, 16> address{};
  if (inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1)
    return address[0] == 169 && address[1] == 254;
  if (!host.starts_with('[') || !host.ends_with(']')) return false;
  const std::string inner(host.substr(1, host.size() - 2));
  constexpr std::array<unsigned char, 4> metadata{0xfd, 0x00, 0x0e, 0xc2};
  return inet_pton(AF_INET6, inner.c_str(), address.data()) == 1 &&
         std::equal(metadata.begin(), metadata.end(), address.begin());
}

Result<Url> Url::parse(const std::string& text, bool link_local) {
  Url url;
  url.handle_.reset(curl_url());
  if (!is_sendable(text) ||
      curl_url_set(url.handle(), CURLUPART_URL, text.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK)
    return fail(Code::invalid, "this is no absolute URL", {},
                "write https://HOST/PATH, everything but ASCII percent-encoded");
  const std::string scheme = part(url.handle(), CURLUPART_SCHEME);
  if (scheme != "https" && scheme != "http")
    return fail(Code::invalid, "the URL's scheme is neither https nor http");
  url.tls_ = scheme == "https";
  url.host_ = part(url.handle(), CURLUPART_HOST);
  url.origin_ = fmt::format("{}://{}:{}", scheme, lower(url.host_),
                            part(url.handle(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  const std::string port = part(url.handle(), CURLUPART_PORT);
  url.shown_ = fmt::format("{}://{}{}{}{}", scheme, url.host_, port.empty() ? "" : ":", port,
                           part(url.handle(), CURLUPART_PATH));
  if (!url.tls_ && !is_loopback(url.host_) && !(link_local && is_link_local(url.host_)))
    return fail(Code::invalid, "plain http is spoken only to this machine", url.shown_,
                "use https");
  return url;
}

}  // namespace stsctl::io
