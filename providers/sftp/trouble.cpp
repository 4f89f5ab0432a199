#include "providers/sftp/trouble.h"

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::sftp {

namespace {

constexpr std::size_t longest_shown = 300;

// The number and what the server says to it.
std::string in_its_words(const Answer& refused) {
  const auto number = static_cast<std::uint32_t>(refused.status);
  if (refused.text.empty()) return fmt::format("the server answers with status {}", number);
  return fmt::format("the server answers with status {}: {}", number,
                     printable(shortened(refused.text, longest_shown)));
}

}  // namespace

Error trouble(const Answer& refused, const std::string& what, const std::string& where) {
  const auto error = [&](Code code, const std::string& why, std::string hint = {}) {
    return Error{code, fmt::format("cannot {}: {}", what, why), where, std::move(hint)};
  };
  switch (refused.status) {
    case Status::no_such_file:
      return error(Code::not_found, "there is no such file or folder");
    case Status::permission_denied:
      return error(Code::unauthorized, "permission denied",
                   "the user on the server must be allowed to read and write below 'root'");
    case Status::failure:
      if (!refused.text.empty() && refused.text != "Failure") break;
      return error(Code::internal, "the server says only 'Failure'",
                   "is its disk or the user's quota full, or something else in the way?");
    case Status::unsupported:
      return error(Code::unsupported, "the server does not know this request");
    default:
      break;
  }
  return error(Code::internal, in_its_words(refused));
}

Result<Done> done(const Result<Answer>& answer, const std::string& what, const std::string& where) {
  if (!answer) return fail(answer);
  if (answer->status == Status::ok) return Done{};
  return std::unexpected(trouble(*answer, what, where));
}

}  // namespace stsctl::providers::sftp
