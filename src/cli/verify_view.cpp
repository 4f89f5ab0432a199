#include "cli/verify_view.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stsctl::cli {

namespace {

using engine::Grade;
using engine::Verdict;
using engine::VerifyFinding;
using Json = nlohmann::ordered_json;

std::string painted(Grade grade, const std::string& text, bool color) {
  if (!color) return text;
  static const std::map<Grade, const char*> colors{
      {Grade::pass, "32"}, {Grade::warn, "33"}, {Grade::fail, "1;31"}};
  return fmt::format("\033[{}m{}\033[0m", colors.at(grade), text);
}

std::string policy_text(const Verdict& verdict) {
  if (!verdict.policy) return "no policy that senders can read";
  std::vector<std::string> mx;
  for (const sts::MxPattern& pattern : verdict.policy->mx)
    mx.push_back(sts::format_mx_pattern(pattern));
  return fmt::format("mode {}, max_age {}, mx {}", sts::to_string(verdict.policy->mode),
                     format_duration(verdict.policy->max_age),
                     mx.empty() ? "none" : join(mx, ", "));
}

std::size_t count(const std::vector<Verdict>& verdicts, Grade grade) {
  return static_cast<std::size_t>(std::ranges::count(verdicts, grade, &Verdict::grade));
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// The value of a label in the Prometheus text format.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string whole_text(const VerifyFinding& finding) {
  return finding.mend.empty() ? finding.text : finding.text + "; " + finding.mend;
}

Json finding_json(const VerifyFinding& finding) {
  Json json{{"grade", engine::to_string(finding.grade)},
            {"id", finding.id},
            {"subject", finding.subject},
            {"text", finding.text}};
  if (!finding.mend.empty()) json["mend"] = finding.mend;
  return json;
}

Json verdict_json(const Verdict& verdict) {
  Json json{{"domain", verdict.domain.text()}, {"grade", engine::to_string(verdict.grade)}};
  if (!verdict.id.empty()) json["id"] = verdict.id;
  if (verdict.policy) {
    json["mode"] = sts::to_string(verdict.policy->mode);
    json["max_age"] = verdict.policy->max_age.count();
    json["mx"] = Json::array();
    for (const sts::MxPattern& pattern : verdict.policy->mx)
      json["mx"].push_back(sts::format_mx_pattern(pattern));
  }
  json["findings"] = Json::array();
  for (const VerifyFinding& finding : verdict.findings)
    json["findings"].push_back(finding_json(finding));
  json["context"] = verdict.context;
  return json;
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string verdicts_text(const std::vector<Verdict>& verdicts, bool color) {
  std::string text;
  for (const Verdict& verdict : verdicts) {
    text += fmt::format("{}: {}\n", verdict.domain.text(),
                        painted(verdict.grade, engine::to_string(verdict.grade), color));
    text += fmt::format("  {}\n", policy_text(verdict));
    for (const VerifyFinding& finding : verdict.findings) {
      text += fmt::format("  {} {} {} ({})\n",
                          painted(finding.grade, engine::to_string(finding.grade), color),
                          finding.subject, finding.text, finding.id);
      if (!finding.mend.empty()) text += fmt::format("       mend: {}\n", finding.mend);
    }
    for (const std::string& line : verdict.context)
      text += fmt::format("  beside it: {}\n", line);
    text += "\n";
  }
  return text + fmt::format("Verify: {} pass, {} warn, {} fail.\n", count(verdicts, Grade::pass),
                            count(verdicts, Grade::warn), count(verdicts, Grade::fail));
}

std::string verdicts_json(const std::vector<Verdict>& verdicts) {
  Json domains = Json::array();
  for (const Verdict& verdict : verdicts)
    domains.push_back(verdict_json(verdict));
  return dumped({{"format", "stsctl-verify"},
                 {"version", 1},
                 {"summary",
                  {{"pass", count(verdicts, Grade::pass)},
                   {"warn", count(verdicts, Grade::warn)},
                   {"fail", count(verdicts, Grade::fail)}}},
                 {"domains", std::move(domains)}});
}

std::string verdicts_junit(const std::vector<Verdict>& verdicts) {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"stsctl verify\">\n";
  for (const Verdict& verdict : verdicts) {
    const auto failures = std::ranges::count(verdict.findings, Grade::fail, &VerifyFinding::grade);
    // A suite without a case would look like nothing was done.
    text += fmt::format(
        "  <testsuite name=\"{0}\" tests=\"{1}\" failures=\"{2}\">\n"
        "    <testcase classname=\"{0}\" name=\"looked at\"/>\n",
        verdict.domain.text(), verdict.findings.size() + 1, failures);
    for (const VerifyFinding& finding : verdict.findings) {
      text += fmt::format("    <testcase classname=\"{}\" name=\"{}: {}\">", verdict.domain.text(),
                          finding.id, xml(finding.subject));
      const char* element = finding.grade == Grade::fail ? "failure" : "system-out";
      text += finding.grade == Grade::fail
                  ? fmt::format("<failure message=\"{}\"/>", xml(whole_text(finding)))
                  : fmt::format("<{0}>{1}: {2}</{0}>", element, engine::to_string(finding.grade),
                                xml(whole_text(finding)));
      text += "</testcase>\n";
    }
    text += "  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

std::string verdicts_sarif(const std::vector<Verdict>& verdicts) {
  Json results = Json::array();
  std::map<std::string, Json> rules;
  for (const Verdict& verdict : verdicts)
    for (const VerifyFinding& finding : verdict.findings) {
      if (finding.grade == Grade::pass) continue;
      rules.emplace(finding.id, Json{{"id", finding.id}});
      results.push_back(
          {{"ruleId", finding.id},
           {"level", finding.grade == Grade::fail ? "error" : "warning"},
           {"message",
            {{"text", fmt::format("{}: {} {}", verdict.domain.text(), finding.subject,
                                  whole_text(finding))}}},
           {"locations",
            {{{"logicalLocations",
               {{{"fullyQualifiedName", verdict.domain.text()}, {"kind", "resource"}}}}}}}});
    }
  Json list = Json::array();
  for (auto& [id, rule] : rules)
    list.push_back(std::move(rule));
  return dumped({{"$schema",
                  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                  "sarif-schema-2.1.0.json"},
                 {"version", "2.1.0"},
                 {"runs",
                  {{{"tool", {{"driver", {{"name", "stsctl"}, {"rules", std::move(list)}}}}},
                    {"results", std::move(results)}}}}});
}

std::string verdicts_prometheus(const std::vector<Verdict>& verdicts) {
  std::string text =
      "# HELP stsctl_verify_grade 0 pass, 1 warn, 2 fail.\n# TYPE stsctl_verify_grade gauge\n";
  for (const Verdict& verdict : verdicts)
    text +=
        fmt::format("stsctl_verify_grade{{domain=\"{}\",mode=\"{}\"}} {}\n", verdict.domain.text(),
                    verdict.policy ? sts::to_string(verdict.policy->mode) : "",
                    static_cast<int>(verdict.grade));
  text +=
      "# HELP stsctl_verify_finding What is not as it should be: 1 warn, 2 fail.\n"
      "# TYPE stsctl_verify_finding gauge\n";
  for (const Verdict& verdict : verdicts)
    for (const VerifyFinding& finding : verdict.findings)
      if (finding.grade != Grade::pass)
        text += fmt::format("stsctl_verify_finding{{domain=\"{}\",id=\"{}\",subject=\"{}\"}} {}\n",
                            verdict.domain.text(), finding.id, label(finding.subject),
                            static_cast<int>(finding.grade));
  return text;
}

}  // namespace stsctl::cli
