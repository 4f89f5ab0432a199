#include "io/log.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"

namespace stsctl::io {

namespace {

// Every byte but the unreserved ones of RFC 3986 §2.3 as %XX.
std::string percent_encoded(std::string_view text, bool upper) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    out +=
        plain ? std::string(1, c) : fmt::format(fmt::runtime(upper ? "%{:02X}" : "%{:02x}"), byte);
  }
  return out;
}

std::string json_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else
      out += c;
  }
  return out;
}

}  // namespace

const char* to_string(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "warn";
}

LogLevel parse_log_level(std::string_view word) {
  for (const LogLevel level : {LogLevel::error, LogLevel::info, LogLevel::debug})
    if (word == to_string(level)) return level;
  return LogLevel::warn;
}

void Log::write(LogLevel level, std::string_view text) {
  if (!enabled(level)) return;
  const std::string masked = mask(text);
  std::string lines = fmt::format("{}: ", to_string(level));
  for (const std::string_view line : split(masked, '\n'))
    lines += printable(line) + '\n';
  const std::lock_guard lock(writing_);
  out_ << lines << std::flush;
}

void Log::hide(const std::string& secret) {
  if (trim(secret).empty()) return;
  const std::lock_guard lock(guard_);
  for (std::string form : {secret, percent_encoded(secret, true), percent_encoded(secret, false),
                           json_escaped(secret), base64(secret)})
    if (std::ranges::find(secrets_, form) == secrets_.end()) secrets_.push_back(std::move(form));
  // A secret that contains another must go first, or its remainder would show.
  std::ranges::stable_sort(secrets_, std::ranges::greater{}, &std::string::size);
}

std::string Log::mask(std::string_view text) const {
  std::string out(text);
  const std::shared_lock lock(guard_);
  for (const std::string& secret : secrets_)
    for (std::size_t at = out.find(secret); at != std::string::npos; at = out.find(secret, at + 3))
      out.replace(at, secret.size(), "***");
  return out;
}

}  // namespace stsctl::io
