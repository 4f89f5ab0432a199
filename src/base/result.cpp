#include "base/result.h"

namespace stsctl {

const char* to_string(Code code) {
  switch (code) {
    case Code::invalid:
      return "invalid";
    case Code::not_found:
      return "not_found";
    case Code::conflict:
      return "conflict";
    case Code::unauthorized:
      return "unauthorized";
    case Code::rate_limited:
      return "rate_limited";
    case Code::unreachable:
      return "unreachable";
    case Code::timeout:
      return "timeout";
    case Code::protocol:
      return "protocol";
    case Code::unsupported:
      return "unsupported";
    case Code::refused:
      return "refused";
    case Code::cancelled:
      return "cancelled";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

std::string to_string(const Error& error) {
  std::string text = error.where.empty() ? error.what : error.where + ": " + error.what;
  if (!error.hint.empty()) text += "\n  hint: " + error.hint;
  return text;
}

}  // namespace stsctl
