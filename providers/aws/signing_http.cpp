#include "providers/aws/signing_http.h"

#include <iterator>
#include <utility>

#include "providers/aws/xml.h"

namespace stsctl::providers::aws {

bool says_expired(std::string_view code) {
  return code == "ExpiredToken" || code == "ExpiredTokenException";
}

SigningHttp::SigningHttp(io::Http& next, CredentialChain& chain, const io::Clock& clock,
                         Scope scope)
    : next_(next), chain_(chain), clock_(clock), scope_(std::move(scope)) {}

Result<io::Reply> SigningHttp::send(const io::Request& request) {
  const Result<Credentials> keys = chain_.get();
  if (!keys) return fail(keys);
  Result<io::Reply> reply = send_as(request, *keys);
  const bool refused = reply && (reply->status == 400 || reply->status == 403);
  if (!refused || !says_expired(parse_error(reply->body).code)) return reply;
  const Result<Credentials> others = chain_.get_instead_of(*keys);
  return others ? send_as(request, *others) : reply;
}

Result<io::Reply> SigningHttp::send_as(const io::Request& request, const Credentials& keys) {
  io::Request signed_request = request;
  std::vector<io::Header> headers = sign(request, keys, scope_, clock_.now());
  std::ranges::move(headers, std::back_inserter(signed_request.headers));
  return next_.send(signed_request);
}

}  // namespace stsctl::providers::aws
