#include "serve/access_line.h"

#include <iterator>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::serve {

namespace {

constexpr std::size_t longest_field = 256;

// Readable in a terminal and cut. A backslash begins an escape, so one that was sent is doubled:
// the line says exactly which bytes came.
std::string shown(std::string_view text) {
  std::string doubled;
  for (const char c : text.substr(0, longest_field))
    doubled += c == '\\' ? std::string_view("\\\\") : std::string_view(&c, 1);
  return printable(doubled) + (text.size() > longest_field ? "..." : "");
}

std::string quoted(std::string_view text, std::string_view escaped) {
  std::string out = "\"";
  for (const char c : shown(text)) {
    if (escaped.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string json(std::string_view text) {
  return quoted(text, "\"\\");
}

void append_json(std::string& out, const Access& access) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"time":"{}","listener":"{}","client":"{}","method":{},"host":{},"target":{},)"
                 R"("status":{},"bytes":{},"microseconds":{},"user_agent":{}}})"
                 "\n",
                 format_time(access.at), access.listener, access.client, json(access.method),
                 json(access.host), json(access.target), access.status, access.bytes,
                 access.took.count(), json(access.user_agent));
}

void append_common(std::string& out, const Access& access) {
  std::string line = "-";
  if (!access.method.empty())
    line = fmt::format("{} {} {}", access.method, access.target, access.version);
  fmt::format_to(std::back_inserter(out), "{} - - [{:%d/%b/%Y:%H:%M:%S} +0000] {} {} {}\n",
                 access.client, access.at, quoted(line, "\""), access.status, access.bytes);
}

}  // namespace

void append_line(std::string& out, const Access& access, LogFormat format) {
  format == LogFormat::json ? append_json(out, access) : append_common(out, access);
}

}  // namespace stsctl::serve
