#pragma once
// Shows each request and its answer in the log, without secrets. Knows no API.

#include <string>
#include <string_view>

#include "io/clock.h"
#include "io/http.h"
#include "io/log.h"

namespace stsctl::io {

/// Does a header, query parameter or field of that name hold what nobody may see?
bool names_secret(std::string_view name);
/// `url` without user information and with "***" for the values of query parameters whose names say
/// that they are secret.
std::string masked_url(std::string_view url);
/// The value, or "***" (after the scheme word of an Authorization) where the name says it is
/// secret.
std::string masked_header(const Header& header);

/// Http over Http. At level debug one line for each exchange, then its headers, and the beginning
/// of the body of an answer that reports a failure. Bodies that succeed are not shown: they may
/// mint tokens; nor are those sent. Secrets the log knows are masked in every Error that passes,
/// and in the body of every answer that reports a failure.
class Trace : public Http {
 public:
  Trace(Http& next, Clock& clock, Log& log) : next_(next), clock_(clock), log_(log) {}
  Result<Reply> send(const Request& request) override;

 private:
  Http& next_;
  Clock& clock_;
  Log& log_;
};

}  // namespace stsctl::io
