#include "sts/mx_pattern.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "sts/grammar.h"

namespace stsctl::sts {

namespace {

// RFC 5321 §4.1.2: Domain = sub-domain *("." sub-domain), sub-domain = Let-dig [Ldh-str].
bool is_mail_domain(std::string_view text) {
  for (const std::string_view label : split(text, '.')) {
    if (label.empty() || !is_alnum(label.front()) || !is_alnum(label.back())) return false;
    if (!std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; })) return false;
  }
  return true;
}

bool all_numeric(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Code::invalid,
              fmt::format("{} is no mx pattern: {} (RFC 8461 §3.2)", quoted(text), why));
}

}  // namespace

Result<MxPattern> parse_mx_pattern(std::string_view text, bool strict) {
  const bool wildcard = text.starts_with("*.");
  const std::string_view host = wildcard ? text.substr(2) : text;
  if (host.find('*') != std::string_view::npos)
    return bad(text, "'*' stands only as the whole left-most label");
  if (text.starts_with('[')) return bad(text, "an address literal is not allowed");
  if (!host.empty() && all_numeric(host)) return bad(text, "an IP address is not allowed");
  if (strict && !is_mail_domain(host))
    return bad(text, host.ends_with('.') ? "a final dot is not allowed"
                                         : "it is no domain name of letters, digits and '-'");
  Result<dns::Name> name = dns::Name::parse(host);
  if (!name) return bad(text, name.error().what);
  if (!is_mail_domain(name->text()))
    return bad(text, "only letters, digits and '-' are allowed in a host name");
  return MxPattern{wildcard, std::move(*name)};
}

std::string format_mx_pattern(const MxPattern& pattern) {
  return (pattern.wildcard ? "*." : "") + pattern.host.text();
}

bool matches(const MxPattern& pattern, const dns::Name& mx_host) {
  if (!pattern.wildcard) return pattern.host == mx_host;
  const std::string& text = mx_host.text();
  const std::size_t dot = text.find('.');
  return dot != std::string::npos && std::string_view(text).substr(dot + 1) == pattern.host.text();
}

bool covers(const MxPattern& wide, const MxPattern& narrow) {
  if (wide == narrow) return true;
  return wide.wildcard && !narrow.wildcard && matches(wide, narrow.host);
}

}  // namespace stsctl::sts
