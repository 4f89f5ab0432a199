#pragma once
// One HTTP request and its answer. Knows no API, no retry and no rate.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stsctl::io {

/// One header field of a request or an answer.
struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

/// The first value of the field `name` (compared without regard to case), if it is there.
std::optional<std::string> find_header(const std::vector<Header>& headers, std::string_view name);

/// A point in time in any of HTTP's three forms (RFC 9110 §5.6.7); none for other text.
std::optional<Time> parse_http_date(const std::string& text);

/// What is sent. Secrets belong into headers or the body: those never show in an Error.
struct Request {
  std::string method = "GET";
  std::string url;  ///< Absolute, percent-encoded; https, or http to loopback. Sent as it stands.
  std::vector<Header> headers = {};
  std::string body = {};

  /// Doing it twice does no more than doing it once, so that it may be sent again when its answer
  /// was lost. Only the caller knows: GET and HEAD are, a PUT of a whole resource often is.
  bool repeatable = false;

  /// For a cloud's metadata service: plain http to a link-local address is allowed too.
  bool link_local = false;

  std::chrono::milliseconds timeout{0};  ///< Until the whole answer is there; 0: the client's own.
  std::size_t answer_limit = 0;          ///< Bytes of a body, decompressed; 0: the client's own.
  std::string ca_file = {};              ///< PEM file of the only CAs trusted; "": the system's.
  int attempt = 1;                       ///< Which try this is; counted by Retry, shown by Trace.
};

/// A repeatable GET.
Request get(std::string url, std::vector<Header> headers = {});

/// What came back, whatever its status; the body with Content-Encoding undone.
struct Reply {
  int status = 0;
  std::vector<Header> headers = {};
  std::string body = {};

  std::optional<std::string> header(std::string_view name) const {
    return find_header(headers, name);
  }
  bool ok() const { return status >= 200 && status < 300; }
};

/// Sends requests; blocks until the answer is there. Calls may come from any thread.
class Http {
 public:
  virtual ~Http() = default;

  /// Any status is a Reply, a redirect too: it is never followed. Errors, their `where` being
  /// "METHOD scheme://host/path" (no query, no user information):
  /// Code::invalid (a URL or header that cannot be sent, plain http beyond loopback, an unreadable
  /// ca_file), Code::unreachable (no address, refused, the connection broke before the whole answer
  /// came), Code::timeout, Code::protocol (not HTTP, or an answer longer than allowed),
  /// Code::unauthorized (the server's certificate), Code::rate_limited (only with a Throttle: the
  /// service asks for a longer wait than is granted), Code::cancelled (stopped).
  /// After unreachable, timeout and protocol the server may have done what was asked.
  virtual Result<Reply> send(const Request& request) = 0;
};

}  // namespace stsctl::io
