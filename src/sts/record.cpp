#include "sts/record.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "dns/name.h"
#include "sts/grammar.h"
#include "sts/interoperability.h"

namespace stsctl::sts {

namespace {

constexpr std::string_view sts_version = "v=STSv1";
constexpr std::string_view tlsrpt_version = "v=TLSRPTv1";
constexpr const char* sts_rule = "RFC 8461 §3.1";
constexpr const char* tlsrpt_rule = "RFC 8460 §3";

// sts-ext-value, tlsrpt-ext-value: printable ASCII but for '=', ';' and SP.
bool is_extension_value(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > 0x20 && c < 0x7F && c != '=' && c != ';';
  });
}

// Does `txt` begin with `version`, blanks, and a semicolon?
bool has_version(std::string_view txt, std::string_view version) {
  if (!txt.starts_with(version)) return false;
  const std::string_view rest = trim_left(txt.substr(version.size()));
  return rest.starts_with(';');
}

struct Field {
  std::string_view name;
  std::string_view value;
};

// What both record types have in common: their version, delimiters and fields.
class Fields {
 public:
  Fields(std::string_view txt, std::string_view version, const char* rule)
      : version_(version), rule_(rule) {
    const std::vector<std::string_view> pieces = split(txt, ';');
    read_version(pieces.front(), pieces.size() > 1);
    for (std::size_t i = 1; i < pieces.size(); ++i)
      read_field(trim_left(pieces[i]), i + 1 == pieces.size());
  }

  /// The values of the field `name`, in order. Checks all others, which are extensions.
  std::vector<std::string_view> values_of(std::string_view name) {
    std::vector<std::string_view> values;
    for (const Field& field : fields_) {
      if (field.name == name) {
        values.push_back(field.value);
        continue;
      }
      form.extension = true;
      if (!is_extension_value(field.value))
        error(
            fmt::format("the value {} of '{}' has a blank, '=', ';' or a character outside "
                        "printable ASCII, or is empty",
                        quoted(field.value), printable(field.name)));
    }
    form.repeated = values.size() > 1;
    if (values.empty() && errors.empty()) error(fmt::format("the field '{}' is missing", name));
    return values;
  }

  void error(std::string message) {
    errors.push_back(finding_of(Severity::error, rule_, std::move(message)));
  }

  std::vector<Finding> errors;
  RecordForm form;

 private:
  void read_version(std::string_view piece, bool delimited) {
    if (trim_right(piece) != version_)
      return error(fmt::format("the record begins with {}, not '{}' (case-sensitive)",
                               quoted(piece), version_));
    form.blank_after_version = delimited && piece.size() != version_.size();
  }

  void read_field(std::string_view piece, bool last) {
    if (!last) piece = trim_right(piece);
    if (piece.empty()) {
      if (!last) error("an empty field: one ';' too many");
      return;
    }
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos)
      return error(fmt::format("the field {} has no '='", quoted(piece)));
    const Field field{piece.substr(0, equals), piece.substr(equals + 1)};
    if (!is_field_name(field.name))
      return error(
          fmt::format("{} is no field name: 1 to 32 letters, digits, '_', '-', '.', the "
                      "first a letter or digit",
                      quoted(field.name)));
    fields_.push_back(field);
  }

  std::vector<Field> fields_;
  std::string_view version_;
  const char* rule_;
};

// A record that was read, and how it is written.
template <class T>
struct Read {
  std::optional<T> value;
  std::vector<Finding> findings;  // errors, and what is no matter of form
  RecordForm form;
};

Read<StsRecord> read_sts_record(std::string_view txt) {
  Fields fields(txt, sts_version, sts_rule);
  const std::vector<std::string_view> ids = fields.values_of("id");
  if (!ids.empty())
    if (const Result<Done> good = check_id(ids.front()); !good) fields.error(good.error().what);
  if (!fields.errors.empty()) return {.findings = std::move(fields.errors)};
  return {.value = StsRecord{std::string(ids.front())}, .form = fields.form};
}

// Everything about one type of record.
template <class T>
struct Kind {
  std::string_view version;
  const char* rule;
  bool (*is_kind)(std::string_view txt);
  Read<T> (*read)(std::string_view txt);
  std::vector<Finding> (*warnings)(const RecordForm& form);
};

template <class T>
Checked<T> check(const Kind<T>& kind, std::string_view txt, bool accompanied) {
  Read<T> read = kind.read(txt);
  read.form.accompanied = accompanied;
  Checked<T> checked{std::move(read.value), std::move(read.findings)};
  if (checked.value)
    std::ranges::move(kind.warnings(read.form), std::back_inserter(checked.findings));
  return checked;
}

// Chooses the one record of a kind among all TXT values at a name.
template <class T>
Checked<T> select(const Kind<T>& kind, const std::vector<std::string>& txts) {
  std::vector<std::string_view> found;
  for (const std::string& txt : txts)
    if (kind.is_kind(txt)) found.push_back(txt);
  if (found.size() == 1) return check(kind, found.front(), txts.size() > 1);
  if (found.empty() && txts.size() == 1) {
    // Its own fault says more than "none begins with".
    Checked<T> checked = check(kind, txts.front(), false);
    checked.value.reset();
    return checked;
  }
  const std::string why =
      found.empty() ? fmt::format("no TXT record begins with '{};'", kind.version)
                    : fmt::format("{} records begin with '{};': senders act as if there were none",
                                  found.size(), kind.version);
  return {.findings = {{Severity::error, kind.rule, why}}};
}

bool is_uri_char(char c) {
  // RFC 3986 less ',', '!' and ';', which rua must percent-encode (RFC 8460 §3).
  return is_alnum(c) || std::string_view("-._~:/?#[]@$&'()*+=%").find(c) != std::string_view::npos;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Why `uri` is no URI that may stand in rua; empty if it is one.
std::string uri_fault(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (uri.empty()) return "it is empty";
  if (colon == std::string_view::npos || colon == 0) return "it has no scheme";
  const std::string_view scheme = uri.substr(0, colon);
  const bool scheme_ok =
      !is_blank(scheme.front()) && !(scheme.front() >= '0' && scheme.front() <= '9') &&
      std::ranges::all_of(scheme,
                          [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
  if (!scheme_ok) return "its scheme is malformed";
  if (colon + 1 == uri.size()) return "nothing follows its scheme";
  for (std::size_t i = colon + 1; i < uri.size(); ++i) {
    if (!is_uri_char(uri[i]))
      return fmt::format("'{}' must be percent-encoded", printable(uri.substr(i, 1)));
    if (uri[i] != '%') continue;
    if (i + 2 >= uri.size() || !is_hex(uri[i + 1]) || !is_hex(uri[i + 2]))
      return "a '%' is not followed by two hexadecimal digits";
  }
  return {};
}

// Why an https URI's authority (RFC 3986 §3.2) names no host; empty if it does.
std::string host_fault(std::string_view authority) {
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const std::size_t bracket = authority.rfind(']');
  const bool literal = authority.starts_with('[') && bracket != std::string_view::npos;
  const std::size_t colon = authority.find(':', literal ? bracket : 0);
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos)
    return "its port is malformed";
  if (literal) return {};
  const std::string_view host = authority.substr(0, colon);
  if (host.empty()) return "it has no host";
  return dns::Name::parse(host) ? "" : "its host is malformed";
}

// What makes a well-formed URI useless as a destination; empty if nothing does.
std::string destination_fault(std::string_view uri) {
  const std::string scheme = lower(uri.substr(0, uri.find(':')));
  const std::string_view rest = uri.substr(scheme.size() + 1);
  if (scheme == "https") {
    if (!rest.starts_with("//")) return "it has no host";
    return host_fault(rest.substr(2, rest.find_first_of("/?#", 2) - 2));
  }
  if (scheme != "mailto") return "senders report to mailto: and https: only";
  const std::string_view address = rest.substr(0, rest.find('?'));
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0) return "it is no mail address";
  if (!dns::Name::parse(address.substr(at + 1))) return "its domain is malformed";
  return {};
}

void read_rua(std::string_view value, std::vector<std::string>& rua, Fields& fields,
              std::vector<Finding>& warnings) {
  const std::vector<std::string_view> pieces = split(value, ',');
  for (const std::string_view piece : pieces) {
    const std::string_view uri = trim_left(trim_right(piece));
    if (uri.size() != piece.size()) fields.form.blank_at_comma = true;
    const std::string why = uri_fault(uri);
    if (!why.empty()) {
      fields.error(fmt::format("rua: {} is no URI: {}", quoted(uri), why));
      continue;
    }
    if (const std::string useless = destination_fault(uri); !useless.empty())
      warnings.push_back({Severity::warning, tlsrpt_rule,
                          fmt::format("rua: {} gets no reports: {}", quoted(uri), useless)});
    rua.emplace_back(uri);
  }
}

// The ABNF allows several rua fields and no text says that one of them counts: all do.
Read<TlsRptRecord> read_tlsrpt_record(std::string_view txt) {
  Fields fields(txt, tlsrpt_version, tlsrpt_rule);
  TlsRptRecord record;
  std::vector<Finding> warnings;
  for (const std::string_view value : fields.values_of("rua"))
    read_rua(value, record.rua, fields, warnings);
  if (!fields.errors.empty()) return {.findings = std::move(fields.errors)};
  return {std::move(record), std::move(warnings), fields.form};
}

constexpr Kind<StsRecord> sts_kind{sts_version, sts_rule, is_sts_record, read_sts_record,
                                   sts_record_warnings};
constexpr Kind<TlsRptRecord> tlsrpt_kind{tlsrpt_version, tlsrpt_rule, is_tlsrpt_record,
                                         read_tlsrpt_record, tlsrpt_record_warnings};

template <class T>
bool same(const Kind<T>& kind, std::string_view left, std::string_view right) {
  const Read<T> a = kind.read(left);
  const Read<T> b = kind.read(right);
  return a.value && a.value == b.value && a.form.read_alike() && b.form.read_alike();
}

}  // namespace

bool is_sts_record(std::string_view txt) {
  return has_version(txt, sts_version);
}

bool is_tlsrpt_record(std::string_view txt) {
  return has_version(txt, tlsrpt_version);
}

Result<Done> check_id(std::string_view id) {
  if (id.empty()) return fail(Code::invalid, "the id is empty (RFC 8461 §3.1)");
  if (id.size() > 32)
    return fail(Code::invalid,
                fmt::format("the id has {} characters, at most 32 (RFC 8461 §3.1)", id.size()));
  const auto odd = std::ranges::find_if_not(id, is_alnum);
  if (odd != id.end())
    return fail(Code::invalid,
                fmt::format("the id {} has '{}': letters and digits only (RFC 8461 §3.1)",
                            quoted(id), printable(std::string_view(&*odd, 1))));
  return Done{};
}

Checked<StsRecord> parse_sts_record(std::string_view txt) {
  return check(sts_kind, txt, false);
}

Checked<StsRecord> parse_sts_records(const std::vector<std::string>& txts) {
  return select(sts_kind, txts);
}

std::string format_sts_record(const StsRecord& record) {
  return fmt::format("{}; id={}", sts_version, record.id);
}

Checked<TlsRptRecord> parse_tlsrpt_record(std::string_view txt) {
  return check(tlsrpt_kind, txt, false);
}

Checked<TlsRptRecord> parse_tlsrpt_records(const std::vector<std::string>& txts) {
  return select(tlsrpt_kind, txts);
}

std::string format_tlsrpt_record(const TlsRptRecord& record) {
  return fmt::format("{}; rua={}", tlsrpt_version, fmt::join(record.rua, ","));
}

Result<Done> check_rua(std::string_view uri) {
  std::string why = uri_fault(uri);
  if (why.empty()) why = destination_fault(uri);
  if (why.empty()) return Done{};
  return fail(Code::invalid,
              fmt::format("{} cannot take reports: {} (RFC 8460 §3)", quoted(uri), why), {},
              "write mailto:ADDRESS or https://HOST/PATH, with ',', '!' and ';' percent-encoded");
}

bool same_sts_record(std::string_view left, std::string_view right) {
  return same(sts_kind, left, right);
}

bool same_tlsrpt_record(std::string_view left, std::string_view right) {
  return same(tlsrpt_kind, left, right);
}

}  // namespace stsctl::sts
