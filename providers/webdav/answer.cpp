#include "providers/webdav/answer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "io/http_trace.h"

namespace stsctl::providers::webdav {

namespace {

struct Meaning {
  Code code;
  std::string what;
  std::string hint = {};
};

Meaning redirect(const io::Reply& reply) {
  return {
      Code::protocol,
      fmt::format("the server redirects to {}",
                  printable(io::masked_url(reply.header("Location").value_or("another place")))),
      "'url' must be that of the server itself"};
}

Meaning meaning(const io::Reply& reply) {
  const int status = reply.status;
  if (status >= 300 && status < 400) return redirect(reply);
  switch (status) {
    case 401:
      return {Code::unauthorized, "the server does not accept the credentials",
              "check 'user' and 'password', or 'token'"};
    case 403:
      return {Code::unauthorized, "the server forbids it",
              "the user needs leave to read and write there; a folder is not read either"};
    case 404:
    case 410:
      return {Code::not_found, "there is no such thing"};
    case 405:
    case 501:
      return {Code::unsupported, "the server does not do this there",
              "are WebDAV and its methods switched on for this place?"};
    case 409:
      return {Code::not_found, "a collection on the way does not exist",
              "those before {domain} in 'url' must be there"};
    case 412:
      return {Code::conflict, "it changed since it was read",
              "run plan again to see what is there"};
    case 423:
      return {Code::conflict, "it is locked by another client", "run apply again later"};
    case 400:
    case 411:
    case 413:
    case 414:
    case 415:
    case 422:
      return {Code::invalid, "the server refuses the request"};
    case 500:
      return {Code::internal, "the server failed",
              "see its log: nginx says so too when it may not write, or when its disk is full"};
    case 507:
      return {Code::internal, "the server's disk is full"};
    case 502:
    case 503:
    case 504:
      return {Code::unreachable, "the server is not ready", "run apply again later"};
    default:
      return {Code::protocol, "an answer that makes no sense here",
              "does 'url' name a server that takes PUT?"};
  }
}

}  // namespace

bool is_mod_dav_fs(const io::Reply& options) {
  return options.ok() && std::ranges::any_of(options.headers, [](const io::Header& header) {
           return lower(header.name) == "dav" &&
                  header.value.find("<http://apache.org/dav/propset/fs/1>") != std::string::npos;
         });
}

Error problem(const io::Reply& reply, const std::string& method, const std::string& url) {
  Meaning found = meaning(reply);
  return {found.code, fmt::format("{} ({})", found.what, reply.status),
          fmt::format("{} {}", method, url), std::move(found.hint)};
}

}  // namespace stsctl::providers::webdav
