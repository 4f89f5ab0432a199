#pragma once
// A value or one Error. Knows nothing of what failed.

#include <expected>
#include <string>
#include <utility>

namespace stsctl {

/// What kind of trouble, coarse enough to branch on. Nothing branches on text.
enum class Code {
  invalid,       ///< Input or configuration that can never work as it stands.
  not_found,     ///< The thing asked for does not exist.
  conflict,      ///< The world is not what the caller expected to replace.
  unauthorized,  ///< Missing, wrong or insufficient credentials.
  rate_limited,  ///< The service asked for fewer requests, and retries did not help.
  unreachable,   ///< No connection, or it broke before an answer came.
  timeout,       ///< No answer within the deadline.
  protocol,      ///< An answer that breaks its own format.
  unsupported,   ///< Well-formed, but this provider or version cannot do it.
  refused,       ///< stsctl will not do it: unsafe, or somebody else's record.
  cancelled,     ///< Stopped by a signal before it was done.
  internal,      ///< The operating system failed us: disk full, no permission.
};

/// The stable lower-case word for `code`, as it stands in JSON.
const char* to_string(Code code);

/// One failure, always about one thing (a line of YAML, a domain, a request).
/// Holds no secret.
struct Error {
  Code code = Code::invalid;
  std::string what;   ///< What happened: "max_age is 40000000, at most 31557600".
  std::string where;  ///< "stsctl.yaml:12:5", "example.com", "cloudflare GET /zones"; may be empty.
  std::string hint;   ///< What to do next; may be empty.
  bool operator==(const Error&) const = default;
};

/// `where: what` and, on a line of its own, the hint.
std::string to_string(const Error& error);

/// A value, or the Error that says why there is none.
template <class T>
using Result = std::expected<T, Error>;

/// Success that carries nothing, for functions that only may fail.
struct Done {
  bool operator==(const Done&) const = default;
};

/// `return fail(Code::invalid, "…")` in any function that returns a Result.
inline std::unexpected<Error> fail(Code code, std::string what, std::string where = {},
                                   std::string hint = {}) {
  return std::unexpected(Error{code, std::move(what), std::move(where), std::move(hint)});
}

/// Passes the error of another Result on.
template <class T>
std::unexpected<Error> fail(const Result<T>& failed) {
  return std::unexpected(failed.error());
}

/// Passes an error on, filling `where` in if nobody nearer to the fault did.
template <class T>
std::unexpected<Error> fail_at(const Result<T>& failed, std::string where) {
  Error error = failed.error();
  if (error.where.empty()) error.where = std::move(where);
  return std::unexpected(std::move(error));
}

}  // namespace stsctl
