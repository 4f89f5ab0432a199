#include <algorithm>
#include <istream>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "sts/policy.h"
#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::cli {

namespace {

using Json = nlohmann::ordered_json;

struct LintOptions {
  std::vector<std::string> records;
  std::vector<std::string> tlsrpt;
  std::string policy;
  std::vector<std::string> match;
  bool as_json = false;
};

// What all checks together found.
struct Report {
  bool valid = true;
  Json facts = Json::object();
  std::vector<sts::Finding> findings;
  std::vector<std::string> lines;  // what was read, for people

  template <class T>
  void take(const sts::Checked<T>& checked) {
    valid = valid && checked.value.has_value();
    findings.insert(findings.end(), checked.findings.begin(), checked.findings.end());
  }
};

std::optional<sts::StsRecord> lint_records(const LintOptions& options, Report& report) {
  const auto checked = sts::parse_sts_records(options.records);
  report.take(checked);
  if (checked.value) {
    report.facts["id"] = checked.value->id;
    report.lines.push_back("record: id " + checked.value->id);
  }
  return checked.value;
}

void lint_tlsrpt(const LintOptions& options, Report& report) {
  const auto checked = sts::parse_tlsrpt_records(options.tlsrpt);
  report.take(checked);
  if (!checked.value) return;
  report.facts["rua"] = checked.value->rua;
  report.lines.push_back("reports go to: " + join(checked.value->rua, ", "));
}

std::optional<sts::Policy> lint_policy(const std::string& body, Report& report) {
  const auto checked = sts::parse_policy(body);
  report.take(checked);
  if (!checked.value) return std::nullopt;
  std::vector<std::string> mx;
  for (const sts::MxPattern& pattern : checked.value->mx)
    mx.push_back(sts::format_mx_pattern(pattern));
  report.facts["mode"] = sts::to_string(checked.value->mode);
  report.facts["max_age"] = checked.value->max_age.count();
  report.facts["mx"] = mx;
  report.lines.push_back(
      fmt::format("policy: mode {}, max_age {}, mx {}", sts::to_string(checked.value->mode),
                  format_duration(checked.value->max_age), mx.empty() ? "none" : join(mx, ", ")));
  return checked.value;
}

void lint_match(const LintOptions& options, Report& report) {
  // A message may name the rule itself.
  const auto error = [&](std::string message) {
    constexpr std::string_view syntax = "RFC 8461 §3.2";
    const std::string named = fmt::format(" ({})", syntax);
    const bool is_syntax = message.ends_with(named);
    if (is_syntax) message.resize(message.size() - named.size());
    report.valid = false;
    report.findings.push_back({sts::Severity::error,
                               std::string(is_syntax ? syntax : "RFC 8461 §4.1"),
                               std::move(message)});
  };
  const auto pattern = sts::parse_mx_pattern(options.match[0]);
  const auto host = dns::Name::parse(options.match[1]);
  if (!pattern) error(pattern.error().what);
  if (!host) error(host.error().what);
  const bool match = pattern && host && sts::matches(*pattern, *host);
  report.facts["match"] = match;
  if (pattern && host && !match)
    error(fmt::format("'{}' does not match {}{}", sts::format_mx_pattern(*pattern), host->text(),
                      pattern->wildcard ? ": '*' stands for exactly one label" : ""));
  if (match)
    report.lines.push_back(
        fmt::format("'{}' matches {}", sts::format_mx_pattern(*pattern), host->text()));
}

// A generated id says which policy it announces.
void lint_pair(const sts::StsRecord& record, const sts::Policy& policy, Report& report) {
  const auto id = sts::parse_policy_id(record.id);
  if (!id || sts::announces(*id, policy)) return;
  report.valid = false;
  report.findings.push_back(
      {sts::Severity::error, "docs/policy-id.md", "the id announces another policy than this one"});
}

std::string as_json(const Report& report) {
  Json json{{"valid", report.valid}};
  json.update(report.facts);
  Json findings = Json::array();
  for (const sts::Finding& finding : report.findings)
    findings.push_back(
        {{"severity", finding.severity == sts::Severity::error ? "error" : "warning"},
         {"rule", finding.rule},
         {"message", finding.message}});
  json["findings"] = std::move(findings);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_text(const Report& report) {
  std::string text;
  for (const std::string& line : report.lines)
    text += line + "\n";
  for (const sts::Finding& finding : report.findings)
    text +=
        fmt::format("{}: {} ({})\n", finding.severity == sts::Severity::error ? "error" : "warning",
                    finding.message, finding.rule);
  return text + (report.valid ? "valid\n" : "not valid\n");
}

Result<std::string> read_body(World& world, const std::string& file) {
  constexpr std::size_t longest = std::size_t{1} << 20U;
  if (file != "-") return world.services.files.read_stream(file, longest);
  std::string body(longest + 1, '\0');
  world.in.read(body.data(), static_cast<std::streamsize>(body.size()));
  body.resize(static_cast<std::size_t>(world.in.gcount()));  // longer ones are no policies anyway
  return body;
}

int lint(Context& context, const LintOptions& options) {
  World& world = context.world;
  if (options.records.empty() && options.tlsrpt.empty() && options.policy.empty() &&
      options.match.empty()) {
    world.err << "stsctl: lint needs --record, --tlsrpt, --policy or --match\n";
    return exit_usage;
  }
  Report report;
  std::optional<sts::StsRecord> record;
  std::optional<sts::Policy> policy;
  if (!options.records.empty()) record = lint_records(options, report);
  if (!options.tlsrpt.empty()) lint_tlsrpt(options, report);
  if (!options.policy.empty()) {
    const Result<std::string> body = read_body(world, options.policy);
    if (!body) {
      world.err << "stsctl: " << to_string(body.error()) << '\n';
      return exit_usage;
    }
    policy = lint_policy(*body, report);
  }
  if (!options.match.empty()) lint_match(options, report);
  if (record && policy) lint_pair(*record, *policy, report);
  world.out << (options.as_json ? as_json(report) : as_text(report));
  return report.valid ? exit_done : exit_failed;
}

}  // namespace

void add_lint(CLI::App& app, Context& context) {
  const auto options = std::make_shared<LintOptions>();
  CLI::App* command = add_command(app, context, "lint", "Check records and policies, offline",
                                  "  stsctl lint --record 'v=STSv1; id=20260101T000000;'\n"
                                  "  stsctl lint --policy mta-sts.txt --json\n"
                                  "  stsctl lint --match '*.example.com' mail.example.com",
                                  [&context, options] { return lint(context, *options); });
  command->add_option("--record", options->records, "A TXT record at _mta-sts.DOMAIN; repeatable")
      ->type_name("TXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--tlsrpt", options->tlsrpt, "A TXT record at _smtp._tls.DOMAIN; repeatable")
      ->type_name("TXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--policy", options->policy, "A policy file; - is standard input")
      ->type_name("FILE");
  command->add_option("--match", options->match, "Does the mx pattern match the host?")
      ->type_name("PATTERN HOST")
      ->expected(2);
  command->add_flag("--json", options->as_json, "Print one JSON object");
}

}  // namespace stsctl::cli
