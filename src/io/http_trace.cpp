#include "io/http_trace.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::io {

namespace {

constexpr std::size_t longest_shown_body = 1000;

std::string masked_query(std::string_view query) {
  std::string out;
  for (const std::string_view pair : split(query, '&')) {
    if (!out.empty()) out += '&';
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    if (equals != std::string_view::npos && names_secret(name))
      out += fmt::format("{}=***", name);
    else
      out += pair;
  }
  return out;
}

std::string result_line(const Result<Reply>& result) {
  if (!result) return fmt::format("{}: {}", to_string(result.error().code), result.error().what);
  return fmt::format("{}, {} bytes", result->status, result->body.size());
}

std::string header_lines(std::string_view mark, const std::vector<Header>& headers) {
  std::string out;
  for (const Header& header : headers)
    out += fmt::format("\n  {} {}: {}", mark, header.name, masked_header(header));
  return out;
}

}  // namespace

bool names_secret(std::string_view name) {
  constexpr std::array words{"auth",   "token",     "key",        "secret",    "cookie",
                             "passwd", "password",  "credential", "signature", "session",
                             "jwt",    "assertion", "consumer"};
  const std::string lowered = lower(name);
  if (lowered == "sig" || lowered == "code" || lowered == "pwd") return true;
  return std::ranges::any_of(
      words, [&](const char* word) { return lowered.find(word) != std::string::npos; });
}

std::string masked_url(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t mark = url.find('?');
  std::string out(url.substr(0, mark));
  if (const std::size_t scheme = out.find("://"); scheme != std::string::npos) {
    const std::size_t host = scheme + 3;
    const std::size_t path = std::min(out.find('/', host), out.size());
    const std::size_t at = out.rfind('@', path);
    if (at != std::string::npos && at >= host) out.erase(host, at + 1 - host);
  }
  if (mark != std::string_view::npos) out += '?' + masked_query(url.substr(mark + 1));
  return out;
}

std::string masked_header(const Header& header) {
  if (!names_secret(header.name)) return header.value;
  const std::size_t blank = header.value.find(' ');
  const bool has_scheme = lower(header.name) == "authorization" && blank != std::string::npos;
  return has_scheme ? header.value.substr(0, blank) + " ***" : "***";
}

Result<Reply> Trace::send(const Request& request) {
  const bool shown = log_.enabled(LogLevel::debug);
  const auto begin = clock_.steady();
  Result<Reply> result = next_.send(request);
  if (!result) {
    Error& error = result.error();
    error.what = log_.mask(error.what);
    error.where = log_.mask(error.where);
  }
  // Providers put what the service says into their Errors, and some services repeat credentials.
  if (result && result->status >= 400) result->body = log_.mask(result->body);
  if (!shown) return result;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - begin);
  std::string text = fmt::format("{} {} ({} bytes, try {}) -> {} in {} ms", request.method,
                                 masked_url(request.url), request.body.size(), request.attempt,
                                 result_line(result), elapsed.count());
  text += header_lines(">", request.headers);
  if (result) text += header_lines("<", result->headers);
  if (result && result->status >= 400)
    text += "\n  < " + printable(result->body.substr(0, longest_shown_body));
  log_.write(LogLevel::debug, text);
  return result;
}

}  // namespace stsctl::io
