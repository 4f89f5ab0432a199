#pragma once
// One line of the access log. Pure: knows no file.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/time.h"

namespace stsctl::serve {

enum class LogFormat {
  json,    ///< One JSON object a line.
  common,  ///< NCSA common log format; it does not name the host.
};

/// What is said of one request. What the client sent is shown terminal-safe, quoted and cut.
struct Access {
  Time at{};
  std::string_view listener;  ///< "http://127.0.0.1:8080"
  std::string_view client;
  std::string_view method;
  std::string_view target;
  std::string_view host;
  std::string_view version;  ///< "HTTP/1.1"
  std::string_view user_agent;
  int status = 0;
  std::size_t bytes = 0;  ///< Of the body.
  std::chrono::microseconds took{0};
};

/// Appends the line and a line feed. A request that could not be read has no method.
void append_line(std::string& out, const Access& access, LogFormat format);

}  // namespace stsctl::serve
