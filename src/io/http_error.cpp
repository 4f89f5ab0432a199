#include "io/http_error.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include "base/text.h"

namespace stsctl::io {

namespace {

Error certificate_error(const Failure& failure) {
  const auto error = [&](const std::string& what, std::string hint) {
    return Error{Code::unauthorized,
                 fmt::format("the certificate of {} {}", failure.host, what),
                 {},
                 std::move(hint)};
  };
  switch (failure.verify_result) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:  // what libcurl leaves when the chain is good and the name is not
      return error(
          failure.names.empty() ? "is for another name" : "is only for " + printable(failure.names),
          "the certificate must hold the name in the URL");
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return error("has expired", "the server must renew it; check this machine's clock too");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return error("is not valid yet", "check this machine's clock");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return error("is self-signed and not trusted here",
                   "if it is your own server, name its certificate with ca_file");
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      return error(
          "is issued by no CA trusted here, or the server sends no intermediate certificate",
          "for a CA of your own, name it with ca_file");
    default:
      return error(
          fmt::format("is not accepted: {}", X509_verify_cert_error_string(failure.verify_result)),
          {});
  }
}

// A handshake that broke off is a broken connection; one that was refused is another matter.
Error handshake_error(const Failure& failure) {
  constexpr std::array broken{"reset", "SSL_ERROR_SYSCALL", "unexpected eof",
                              "SSL_ERROR_ZERO_RETURN", "Broken pipe"};
  const bool broke = std::ranges::any_of(
      broken, [&](const char* word) { return failure.text.find(word) != std::string::npos; });
  if (broke)
    return {Code::unreachable,
            fmt::format("the connection to {} broke during the TLS handshake", failure.host)};
  if (failure.text.find("wrong version number") != std::string::npos)
    return {Code::protocol,
            fmt::format("{} does not speak TLS on this port", failure.host),
            {},
            "check scheme and port of the URL"};
  return {Code::protocol,
          fmt::format("no TLS with {}: {}", failure.host, printable(failure.text)),
          {},
          "TLS 1.2 or later is needed"};
}

Error connect_error(const Failure& failure) {
  if (failure.system_error == 0)
    return {Code::unreachable, fmt::format("no connection to {}", failure.host)};
  const std::error_code reason(static_cast<int>(failure.system_error), std::generic_category());
  return {Code::unreachable,
          fmt::format("no connection to {}: {}", failure.host, reason.message()),
          {},
          "is the service running, and is its port right?"};
}

}  // namespace

Error describe(const Failure& failure) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Code::unreachable,
              fmt::format("no address found for {}", failure.host),
              {},
              "check the name, and this machine's resolver"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Code::unreachable, "no address found for the proxy", {}, "check https_proxy"};
    case CURLE_PROXY:
      return {Code::unreachable,
              fmt::format("the proxy gives no connection to {}", failure.host),
              {},
              "check https_proxy and no_proxy"};
    case CURLE_COULDNT_CONNECT:
      return connect_error(failure);
    case CURLE_OPERATION_TIMEDOUT:
      return {Code::timeout,
              fmt::format(fmt::runtime(failure.connected ? "no complete answer from {} within {}"
                                                         : "no connection to {} within {}"),
                          failure.host, failure.deadline)};
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_error(failure);
    case CURLE_SSL_CONNECT_ERROR:
      return handshake_error(failure);
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return {Code::unreachable,
              fmt::format("the connection to {} broke before the whole answer came", failure.host)};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return {Code::protocol,
              fmt::format("{} does not answer in HTTP", failure.host),
              {},
              "check scheme and port of the URL"};
    case CURLE_BAD_CONTENT_ENCODING:
      return {Code::protocol,
              fmt::format("{} sends a compressed answer that is broken", failure.host)};
    case CURLE_OUT_OF_MEMORY:
      return {Code::internal, "out of memory"};
    case CURLE_FAILED_INIT:
      return {Code::internal, "libcurl does not start"};
    default:
      return {Code::protocol,
              fmt::format("no answer from {}: {}", failure.host, curl_easy_strerror(failure.code))};
  }
}

}  // namespace stsctl::io
