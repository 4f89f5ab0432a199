#include "sts/policy.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "base/sorted.h"
#include "base/text.h"
#include "sts/grammar.h"
#include "sts/interoperability.h"

namespace stsctl::sts {

namespace {

constexpr const char* rule = "RFC 8461 §3.2";
constexpr std::size_t longest_body = 65536;  // RFC 8461 §3.3, suggested
constexpr std::size_t most_findings = 20;    // a body of garbage says the same on every line

// sts-policy-ext-value: %x21-7E, UTF8-2/3/4 and single or more spaces between them. Blanks at the
// ends are gone already.
bool is_field_value(std::string_view value) {
  const auto control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; };
  return !value.empty() && std::ranges::none_of(value, control) && is_utf8(value);
}

Result<Done> parse_version(std::string_view text) {
  if (text == "STSv1") return Done{};
  return fail(Code::invalid, fmt::format("version is {}, not 'STSv1'", quoted(text)));
}

Result<Duration> parse_max_age(std::string_view text) {
  const bool digits = !text.empty() && text.size() <= 10 &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits)
    return fail(Code::invalid,
                fmt::format("max_age is {}, not 1 to 10 digits of seconds", quoted(text)));
  std::int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (seconds > max_max_age.count())
    return fail(Code::invalid,
                fmt::format("max_age is {}, at most {}", seconds, max_max_age.count()));
  return Duration{seconds};
}

// One policy being read, line by line.
class Reader {
 public:
  Checked<Policy> read(std::string_view body) {
    if (body.size() > longest_body) {
      add("RFC 8461 §3.3",
          fmt::format("the body has {} bytes, senders may stop at 65536", body.size()));
      return std::move(checked_);
    }
    form_.bytes = body.size();
    read_lines(body);
    require(version_.has_value(), "version");
    require(mode_.has_value(), "mode");
    require(max_age_.has_value(), "max_age");
    const bool none = mode_ && *mode_ == Mode::none;
    if (mode_ && *mode_ && !none && mx_.empty() && !bad_mx_)
      error("no 'mx' field, and mode is not none");
    if (failed_) return std::move(checked_);
    checked_.value = Policy{**mode_, std::move(mx_), **max_age_};
    checked_.findings = policy_warnings(*checked_.value, form_);
    return std::move(checked_);
  }

 private:
  // RFC 8461 §3.2 sts-policy-term: LF or CRLF; the last line may go without.
  void read_lines(std::string_view body) {
    const bool ended = body.ends_with('\n');
    if (ended) body.remove_suffix(1);
    const std::vector<std::string_view> lines = split(body, '\n');
    for (const std::string_view line : lines) {
      const bool terminated = ++line_ < lines.size() || ended;
      field(terminated && line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    }
    line_ = 0;
  }

  void add(const char* by, std::string message) {
    failed_ = true;
    if (checked_.findings.size() == most_findings) return;
    if (line_ > 0) message = fmt::format("line {}: {}", line_, message);
    checked_.findings.push_back(finding_of(Severity::error, by, std::move(message)));
  }
  void error(std::string message) { add(rule, std::move(message)); }

  void require(bool present, const char* name) {
    if (!present) error(fmt::format("the field '{}' is missing", name));
  }

  // Keeps the first line that is so.
  void note(std::size_t PolicyForm::* form, bool so = true) {
    if (so && form_.*form == 0) form_.*form = line_;
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
    note(&PolicyForm::trailing_blank, is_blank(line.back()));
    value(name, trim_left(trim_right(line.substr(colon + 1))));
  }

  void value(std::string_view name, std::string_view text) {
    if (name == "version") {
      note(&PolicyForm::version_late, !version_ && line_ > 1);
      return once(version_, parse_version(text));
    }
    if (name == "mode") return once(mode_, parse_mode(text));
    if (name == "max_age") return once(max_age_, parse_max_age(text));
    if (name == "mx") return mx(text);
    note(&PolicyForm::extension);
    if (!is_field_value(text))
      error(fmt::format("the value of '{}' is empty, has control characters or is no UTF-8",
                        printable(name)));
  }

  // RFC 8461 §3.2: the first of a repeated field is honoured, the others are ignored.
  template <class T>
  void once(std::optional<Result<T>>& first, Result<T> now) {
    if (!first) {
      if (!now) error(now.error().what);
      first = std::move(now);
      return;
    }
    note(&PolicyForm::repeated);
    note(&PolicyForm::repeated_invalid, !now);
    note(&PolicyForm::repeated_other, *first && now && **first != *now);
  }

  void mx(std::string_view text) {
    Result<MxPattern> pattern = parse_mx_pattern(text, true);
    if (pattern) {
      mx_.push_back(std::move(*pattern));
    } else {
      bad_mx_ = true;
      error(pattern.error().what);
    }
  }

  Checked<Policy> checked_;
  PolicyForm form_;
  std::size_t line_ = 0;
  std::optional<Result<Done>> version_;
  std::optional<Result<Mode>> mode_;
  std::optional<Result<Duration>> max_age_;
  std::vector<MxPattern> mx_;
  bool bad_mx_ = false;
  bool failed_ = false;
};

std::vector<MxPattern> sorted_mx(const Policy& policy) {
  std::vector<MxPattern> mx = policy.mx;
  sort_unique(mx);
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

Duration longest_max_age(std::string_view body) {
  constexpr std::string_view name = "max_age";
  constexpr std::int64_t stalwart_default = 86400;
  constexpr std::int64_t ten_digits = 9999999999;
  std::int64_t longest = stalwart_default;
  for (std::size_t at = body.find(name); at != std::string_view::npos; at = body.find(name, at)) {
    at += name.size();
    const std::size_t number = body.find_first_not_of(": \t+", at);
    if (number == std::string_view::npos) break;
    std::int64_t seconds = 0;
    const char* const end = body.data() + body.size();
    const auto read = std::from_chars(body.data() + number, end, seconds);
    if (read.ec == std::errc::result_out_of_range) seconds = ten_digits;
    longest = std::max(longest, std::min(seconds, ten_digits));
  }
  return Duration{longest};
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
