#include "sts/policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::sts {

namespace {

constexpr const char* rule = "RFC 8461 §3.2";
constexpr const char* interoperability = "interoperability";
constexpr std::size_t longest_body = 65536;     // RFC 8461 §3.3, suggested
constexpr std::size_t longest_for_all = 10240;  // chasquid
constexpr std::size_t most_findings = 20;       // a body of garbage says the same on every line

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 60;
  if (text.size() <= longest) return "'" + printable(text) + "'";
  return "'" + printable(text.substr(0, longest)) + "…'";
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && is_alnum(name.front()) &&
         std::ranges::all_of(
             name, [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

// Printable, no controls; well-formed UTF-8 (sts-policy-ext-value). printable() alters all else but
// bidirectional marks, which the RFC allows and no policy needs.
bool is_field_value(std::string_view value) {
  return !value.empty() && printable(value) == value;
}

// One policy being read, line by line.
class Reader {
 public:
  Checked<Policy> read(std::string_view body) {
    if (body.size() > longest_body) {
      add(Severity::error, "RFC 8461 §3.3",
          fmt::format("the body has {} bytes, senders may stop at 65536", body.size()));
      return std::move(checked_);
    }
    if (body.ends_with('\n')) body.remove_suffix(1);
    for (const std::string_view line : split(body, '\n')) {
      ++line_;
      field(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    }
    line_ = 0;
    require(version_ > 0, "version");
    require(mode_ > 0, "mode");
    require(max_age_ > 0, "max_age");
    if (mode_ > 0 && policy_.mode != Mode::none && policy_.mx.empty() && !bad_mx_)
      error("no 'mx' field, and mode is not none");
    warn(body.size());
    if (!failed_) checked_.value = std::move(policy_);
    return std::move(checked_);
  }

 private:
  void add(Severity severity, const char* by, std::string message) {
    failed_ = failed_ || severity == Severity::error;
    if (checked_.findings.size() == most_findings) return;
    if (line_ > 0) message = fmt::format("line {}: {}", line_, message);
    checked_.findings.push_back(finding_of(severity, by, std::move(message)));
  }
  void error(std::string message) { add(Severity::error, rule, std::move(message)); }

  void require(bool present, const char* name) {
    if (!present) error(fmt::format("the field '{}' is missing", name));
  }

  void field(std::string_view line) {
    if (line.empty()) return error("a blank line is not allowed");
    if (line_ == 1 && line.starts_with("\xEF\xBB\xBF"))
      return error("the body begins with a byte order mark: save it as UTF-8 without one");
    if (line.find('\r') != std::string_view::npos)
      return error("a carriage return without a line feed: end lines with CRLF or LF");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      return error(fmt::format("{} is no 'name: value' line", quoted(line)));
    const std::string_view name = line.substr(0, colon);
    if (!is_field_name(name))
      return error(fmt::format("{} is no field name: letters, digits, '_', '-', '.' and no blanks",
                               quoted(name)));
    value(name, trim_blanks(line.substr(colon + 1)));
  }

  void value(std::string_view name, std::string_view text) {
    if (name == "version") return once(version_, name, text, &Reader::version);
    if (name == "mode") return once(mode_, name, text, &Reader::mode);
    if (name == "max_age") return once(max_age_, name, text, &Reader::max_age);
    if (name == "mx") return mx(text);
    if (!is_field_value(text))
      error(fmt::format("the value of '{}' is empty or has control characters", printable(name)));
    extensions_ = true;
  }

  // RFC 8461 §3.2: the first of a repeated field is honoured, the others are ignored.
  void once(int& seen, std::string_view name, std::string_view text,
            void (Reader::*take)(std::string_view)) {
    if (++seen == 1) return (this->*take)(text);
    if (seen == 2)
      add(Severity::warning, interoperability,
          fmt::format("the field '{}' is repeated: KumoMTA, the EFF checker and checkdmarc reject "
                      "the policy, and a bad value here most others",
                      name));
  }

  void version(std::string_view text) {
    if (text != "STSv1") error(fmt::format("version is {}, not 'STSv1'", quoted(text)));
  }

  void mode(std::string_view text) {
    const Result<Mode> mode = parse_mode(text);
    if (mode)
      policy_.mode = *mode;
    else
      error(mode.error().what);
  }

  void max_age(std::string_view text) {
    std::int64_t seconds = 0;
    const bool digits = !text.empty() && text.size() <= 10 &&
                        std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits)
      return error(fmt::format("max_age is {}, not 1 to 10 digits of seconds", quoted(text)));
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (seconds > max_max_age.count())
      return error(fmt::format("max_age is {}, at most {}", seconds, max_max_age.count()));
    policy_.max_age = Duration{seconds};
  }

  void mx(std::string_view text) {
    Result<MxPattern> pattern = parse_mx_pattern(text, true);
    if (pattern) {
      policy_.mx.push_back(std::move(*pattern));
    } else {
      bad_mx_ = true;
      error(pattern.error().what);
    }
  }

  void warn(std::size_t size) {
    if (failed_) return;
    const auto say = [&](bool when, const char* message) {
      if (when) add(Severity::warning, interoperability, message);
    };
    const std::int64_t age = policy_.max_age.count();
    say(policy_.mode == Mode::none && policy_.mx.empty(),
        "mode none without mx: chasquid and Stalwart reject it and may go on with an old enforce "
        "policy; keep the mx lines");
    say(age == 0, "max_age 0: chasquid and the EFF checker reject it");
    say(age < min_published_max_age.count(),
        "max_age below 86400: Stalwart caches below 3600 for a day, Google is said to ignore it");
    say(policy_.mode == Mode::enforce && age >= 86400 && age < 604800,
        "max_age below 604800 with enforce: Mimecast's library rejects it");
    say(size > longest_for_all, "more than 10 KB: chasquid reads no further");
    say(extensions_, "an unknown field: senders ignore it, checkdmarc rejects the policy");
  }

  Checked<Policy> checked_;
  Policy policy_;
  std::size_t line_ = 0;
  int version_ = 0;
  int mode_ = 0;
  int max_age_ = 0;
  bool bad_mx_ = false;
  bool extensions_ = false;
  bool failed_ = false;
};

std::vector<MxPattern> sorted_mx(const Policy& policy) {
  std::vector<MxPattern> mx = policy.mx;
  std::ranges::sort(mx);
  const auto repeated = std::ranges::unique(mx);
  mx.erase(repeated.begin(), repeated.end());
  return mx;
}

}  // namespace

const char* to_string(Mode mode) {
  switch (mode) {
    case Mode::none:
      return "none";
    case Mode::testing:
      return "testing";
    case Mode::enforce:
      return "enforce";
  }
  return "none";
}

Result<Mode> parse_mode(std::string_view text) {
  for (const Mode mode : {Mode::none, Mode::testing, Mode::enforce})
    if (text == to_string(mode)) return mode;
  return fail(Code::invalid,
              fmt::format("mode is {}, not 'enforce', 'testing' or 'none'", quoted(text)));
}

Checked<Policy> parse_policy(std::string_view body) {
  return Reader().read(body);
}

std::string format_policy(const Policy& policy) {
  std::string body = fmt::format("version: STSv1\r\nmode: {}\r\n", to_string(policy.mode));
  for (const MxPattern& pattern : policy.mx) {
    body += "mx: ";
    body += format_mx_pattern(pattern);
    body += "\r\n";
  }
  return body + fmt::format("max_age: {}\r\n", policy.max_age.count());
}

bool same_policy(const Policy& left, const Policy& right) {
  return left.mode == right.mode && left.max_age == right.max_age &&
         (left.mx == right.mx || sorted_mx(left) == sorted_mx(right));
}

bool matches(const Policy& policy, const dns::Name& mx_host) {
  return std::ranges::any_of(policy.mx,
                             [&](const MxPattern& pattern) { return matches(pattern, mx_host); });
}

bool is_canonical(std::string_view body, const Policy& policy) {
  const auto without_cr = [](std::string_view text) {
    std::string lines(text);
    std::erase(lines, '\r');
    if (!lines.ends_with('\n')) lines += '\n';
    return lines;
  };
  return without_cr(body) == without_cr(format_policy(policy)) &&
         parse_policy(body).value.has_value();
}

}  // namespace stsctl::sts
