#pragma once
// What a request is answered with. Pure: knows no connection and no clock.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "serve/policies.h"

namespace stsctl::serve {

/// What a listener is for.
enum class Service {
  policies,  ///< /.well-known/mta-sts.txt and /healthz, for everybody.
  metrics,   ///< /metrics and /healthz, for the operator.
};

/// The parts of a request that decide the answer; views into the connection's buffer.
struct Request {
  std::string_view method;
  std::string_view target;
  bool http_1_0 = false;
  std::size_t hosts = 0;  ///< How many Host fields there are,
  std::string_view host;  ///< and the first.
  std::string_view if_none_match;
};

/// What is sent. Views into the policies and constants.
struct Answer {
  int status = 200;
  std::string_view type;   ///< Content-Type.
  std::string_view body;   ///< Of GET; HEAD sends its length.
  std::string_view etag;   ///< Empty: none.
  bool is_head = false;    ///< No body is sent.
  bool is_policy = false;  ///< May be cached for a minute.
  std::string text = {};   ///< The body, where it is made for this answer.

  /// What GET sends, and HEAD only the length of.
  std::string_view content() const { return text.empty() ? body : std::string_view(text); }
  std::size_t sent_bytes() const { return is_head || status == 304 ? 0 : content().size(); }
};

/// Everything an answer is made from.
struct Site {
  const Policies& policies;
  Service service = Service::policies;
  bool healthy = true;                                    ///< What /healthz says.
  const std::function<std::string()>* metrics = nullptr;  ///< The text of /metrics.
};

/// The answer to a well-formed request.
Answer answer(const Request& request, const Site& site);
/// The answer to a request that is not met: 400, 404, 405, 408, 431, 500.
Answer refusal(int status);

/// "200 OK".
std::string_view status_line(int status);

/// How the connection goes on, for the header of an answer.
struct Framing {
  std::string_view date;  ///< RFC 9110 §5.6.7.
  bool keep_alive = true;
  bool http_1_0 = false;  ///< Of the request: keeping the connection must be said.
};

/// Appends the whole answer as it goes over the wire.
void append(std::string& out, const Answer& answer, const Framing& framing);

}  // namespace stsctl::serve
