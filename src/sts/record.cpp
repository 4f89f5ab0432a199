#include "sts/record.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "dns/name.h"

namespace stsctl::sts {

namespace {

constexpr std::string_view sts_version = "v=STSv1";
constexpr std::string_view tlsrpt_version = "v=TLSRPTv1";
constexpr const char* sts_rule = "RFC 8461 §3.1";
constexpr const char* tlsrpt_rule = "RFC 8460 §3";
constexpr const char* interoperability = "interoperability";

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  return text;
}

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

// Text from outside, short enough for one line.
std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 60;
  if (text.size() <= longest) return "'" + printable(text) + "'";
  return "'" + printable(text.substr(0, longest)) + "…'";
}

// Extension names of both records: RFC 8461 §3.1 sts-ext-name, RFC 8460 §3 tlsrpt-ext-name.
bool is_extension_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && is_alnum(name.front()) &&
         std::ranges::all_of(
             name, [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
}

// sts-ext-value, tlsrpt-ext-value: printable ASCII but for '=', ';' and SP.
bool is_extension_value(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > 0x20 && c < 0x7F && c != '=' && c != ';';
  });
}

// Does `txt` begin with `version`, blanks, and a semicolon (or end there)?
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

  std::vector<Field> fields;
  std::vector<Finding> findings;

 private:
  void error(std::string message) {
    findings.push_back({Severity::error, rule_, std::move(message)});
  }

  void read_version(std::string_view piece, bool delimited) {
    if (trim_right(piece) != version_)
      return error(fmt::format("the record begins with {}, not '{}' (case-sensitive)",
                               quoted(piece), version_));
    if (delimited && piece.size() != version_.size())
      findings.push_back({Severity::warning, interoperability,
                          fmt::format("blank before the ';' after '{}': chasquid sees no record; "
                                      "write '{};' (RFC 8461 erratum 6285)",
                                      version_, version_)});
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
    if (!is_extension_name(field.name))
      return error(
          fmt::format("{} is no field name: 1 to 32 letters, digits, '_', '-', '.', the "
                      "first a letter or digit",
                      quoted(field.name)));
    fields.push_back(field);
  }

  std::string_view version_;
  const char* rule_;
};

void check_extensions(const std::vector<Field>& fields, std::string_view known, const char* rule,
                      std::vector<Finding>& findings) {
  for (const Field& field : fields) {
    if (field.name == known) continue;
    if (!is_extension_value(field.value))
      findings.push_back({Severity::error, rule,
                          fmt::format("the value {} of '{}' has a blank, '=', ';' or a character "
                                      "outside printable ASCII",
                                      quoted(field.value), printable(field.name))});
  }
}

bool has_error(const std::vector<Finding>& findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::error; });
}

// Chooses the one record of a kind among all TXT values at a name.
template <class T>
Checked<T> select(const std::vector<std::string>& txts, bool (*is_kind)(std::string_view),
                  Checked<T> (*parse)(std::string_view), const char* rule,
                  std::string_view version) {
  std::vector<std::string_view> kind;
  for (const std::string& txt : txts)
    if (is_kind(txt)) kind.push_back(txt);
  Checked<T> checked;
  if (kind.size() == 1) checked = parse(kind.front());
  if (kind.empty() && txts.size() == 1) {
    checked = parse(txts.front());
    checked.value.reset();
  } else if (kind.empty()) {
    checked.findings.push_back(
        {Severity::error, rule, fmt::format("no TXT record begins with '{};'", version)});
  } else if (kind.size() > 1) {
    checked.findings.push_back(
        {Severity::error, rule,
         fmt::format("{} records begin with '{};': senders act as if there were none", kind.size(),
                     version)});
  } else if (txts.size() > 1) {
    checked.findings.push_back(
        {Severity::warning, interoperability,
         "other TXT records stand at this name: go-mtasts and maddy want exactly one, KumoMTA "
         "joins them all"});
  }
  return checked;
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

// What makes a well-formed URI useless as a destination; empty if nothing does.
std::string destination_fault(std::string_view uri) {
  const std::string scheme = lower(uri.substr(0, uri.find(':')));
  const std::string_view rest = uri.substr(scheme.size() + 1);
  if (scheme == "https") {
    const bool has_host = rest.starts_with("//") && rest.size() > 2 && rest[2] != '/';
    return has_host ? "" : "it has no host";
  }
  if (scheme != "mailto") return "senders report to mailto: and https: only";
  const std::string_view address = rest.substr(0, rest.find('?'));
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0) return "it is no mail address";
  if (!dns::Name::parse(address.substr(at + 1))) return "its domain is malformed";
  return {};
}

void read_rua(std::string_view value, std::vector<std::string>& rua,
              std::vector<Finding>& findings) {
  for (const std::string_view piece : split(value, ',')) {
    const std::string_view uri = trim_left(trim_right(piece));
    const std::string why = uri_fault(uri);
    if (!why.empty()) {
      findings.push_back(
          {Severity::error, tlsrpt_rule, fmt::format("rua: {} is no URI: {}", quoted(uri), why)});
      continue;
    }
    if (const std::string useless = destination_fault(uri); !useless.empty())
      findings.push_back({Severity::warning, tlsrpt_rule,
                          fmt::format("rua: {} gets no reports: {}", quoted(uri), useless)});
    rua.emplace_back(uri);
  }
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
  Fields read(txt, sts_version, sts_rule);
  Checked<StsRecord> checked{.findings = std::move(read.findings)};
  const auto id = std::ranges::find(read.fields, std::string_view("id"), &Field::name);
  if (id == read.fields.end()) {
    if (!has_error(checked.findings))
      checked.findings.push_back({Severity::error, sts_rule, "the field 'id' is missing"});
  } else if (const Result<Done> ok = check_id(id->value); !ok) {
    checked.findings.push_back(finding_of(Severity::error, sts_rule, ok.error().what));
  }
  if (std::ranges::count(read.fields, std::string_view("id"), &Field::name) > 1)
    checked.findings.push_back({Severity::warning, interoperability,
                                "the field 'id' is repeated: senders count the first, checkers "
                                "complain"});
  check_extensions(read.fields, "id", sts_rule, checked.findings);
  if (!has_error(checked.findings)) checked.value = StsRecord{std::string(id->value)};
  return checked;
}

Checked<StsRecord> parse_sts_records(const std::vector<std::string>& txts) {
  return select<StsRecord>(txts, is_sts_record, parse_sts_record, sts_rule, sts_version);
}

std::string format_sts_record(const StsRecord& record) {
  return fmt::format("{}; id={}", sts_version, record.id);
}

Checked<TlsRptRecord> parse_tlsrpt_record(std::string_view txt) {
  Fields read(txt, tlsrpt_version, tlsrpt_rule);
  Checked<TlsRptRecord> checked{.findings = std::move(read.findings)};
  TlsRptRecord record;
  std::size_t fields = 0;
  for (const Field& field : read.fields)
    if (field.name == "rua" && fields++ == 0) read_rua(field.value, record.rua, checked.findings);
  if (fields == 0 && !has_error(checked.findings))
    checked.findings.push_back({Severity::error, tlsrpt_rule, "the field 'rua' is missing"});
  if (fields > 1)
    checked.findings.push_back({Severity::warning, interoperability,
                                "the field 'rua' is repeated: sys4's reporter reads the first "
                                "only, checkdmarc rejects the record; put all URIs in one"});
  check_extensions(read.fields, "rua", tlsrpt_rule, checked.findings);
  if (!has_error(checked.findings)) checked.value = std::move(record);
  return checked;
}

Checked<TlsRptRecord> parse_tlsrpt_records(const std::vector<std::string>& txts) {
  return select<TlsRptRecord>(txts, is_tlsrpt_record, parse_tlsrpt_record, tlsrpt_rule,
                              tlsrpt_version);
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
  const auto a = parse_sts_record(left).value;
  return a && a == parse_sts_record(right).value;
}

bool same_tlsrpt_record(std::string_view left, std::string_view right) {
  const auto a = parse_tlsrpt_record(left).value;
  return a && a == parse_tlsrpt_record(right).value;
}

}  // namespace stsctl::sts
