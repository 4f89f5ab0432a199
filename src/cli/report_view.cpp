#include "cli/report_view.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stsctl::cli {

namespace {

using reports::Sessions;
using Json = nlohmann::ordered_json;

std::string named(const std::string& text, const char* otherwise) {
  return text.empty() ? otherwise : text;
}

// The first few, and how many more.
std::string some(const std::vector<std::string>& texts, std::size_t most) {
  const std::size_t shown = std::min(most, texts.size());
  std::vector<std::string> first(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(shown));
  std::string line = join(first, ", ");
  if (texts.size() > shown) line += fmt::format(" and {} more", texts.size() - shown);
  return line;
}

// Rows of cells, the first a head; columns as wide as their widest cell, numbers at the right.
std::string table(const std::vector<std::vector<std::string>>& rows,
                  const std::vector<bool>& numbers) {
  std::vector<std::size_t> widths(numbers.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i)
      line += numbers[i] ? fmt::format(" {:>{}}", row[i], widths[i])
                         : fmt::format(" {:<{}}", row[i], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string head(const ReportView& view) {
  const reports::Summary& summary = view.summary;
  const std::string about =
      view.domains.empty() ? std::string() : " about " + some(view.domains, 5);
  std::string text =
      fmt::format("Reports from {} on{}: {}, {} of them verified\n", day_of(view.from), about,
                  grouped(summary.reports), grouped(summary.verified_reports));
  if (summary.reports == 0) return text;
  const Sessions& all = summary.sessions;
  return text + "\n" +
         table({{"sessions", grouped(all.total()), ""},
                {"over validated TLS", grouped(all.validated), percent(all.validated_share())},
                {"failed", grouped(all.failed), percent(all.failure_share())}},
               {false, true, true});
}

std::string failures(const std::vector<reports::ResultLine>& lines) {
  std::string text = lines.empty() ? "" : "\nFailures\n";
  for (const reports::ResultLine& line : lines) {
    const reports::ResultInfo& info = reports::info(line.type);
    text += fmt::format("  {}: {} sessions, last on {}\n", line.name, grouped(line.sessions),
                        day_of(line.last));
    text += "    of: " + some(line.domains, 5) + "\n";
    text += "    seen by: " + some(line.organizations, 5) + "\n";
    if (!line.reasons.empty()) text += "    reasons given: " + join(line.reasons, "; ") + "\n";
    text += fmt::format("    likely: {}\n    mend: {}\n", info.cause, info.mend);
  }
  return text;
}

std::string organizations(const std::vector<reports::OrganizationLine>& lines) {
  std::vector<std::vector<std::string>> rows = {
      {"SENDER", "REPORTS", "VERIFIED", "SESSIONS", "VALIDATED", "FAILED", "LAST"}};
  for (const reports::OrganizationLine& line : lines)
    rows.push_back({line.name, grouped(line.reports), grouped(line.verified_reports),
                    grouped(line.sessions.total()), percent(line.sessions.validated_share()),
                    percent(line.sessions.failure_share()), day_of(line.last)});
  return "\nBy sender\n" + table(rows, {false, true, true, true, true, true, false});
}

std::string mx_hosts(const std::vector<reports::MxLine>& lines) {
  if (lines.empty()) return {};
  std::vector<std::vector<std::string>> rows = {{"HOST", "FAILED", "WHAT"}};
  for (const reports::MxLine& line : lines) {
    std::vector<std::string> results;
    for (const auto& [name, sessions] : line.results)
      results.push_back(fmt::format("{} {}", name, grouped(sessions)));
    rows.push_back({named(line.host, "(not named)"), grouped(line.sessions), some(results, 3)});
  }
  return "\nMX hosts with failures\n" + table(rows, {false, true, false});
}

std::string caches(const reports::Following& following) {
  const std::uint64_t known = following.on_current + following.on_older;
  if (known == 0) return "-";
  std::string text =
      percent(static_cast<double>(following.on_current) / static_cast<double>(known));
  std::vector<std::string> behind;
  for (const reports::Lagging& one : following.lagging)
    behind.push_back(fmt::format("{} ({})", one.organization, day_of(one.last)));
  return behind.empty() ? text : text + "; behind: " + some(behind, 3);
}

std::string domains(const std::vector<reports::DomainLine>& lines) {
  std::vector<std::vector<std::string>> rows = {
      {"DOMAIN", "SESSIONS", "VALIDATED", "FAILED", "ON THE CURRENT POLICY"}};
  for (const reports::DomainLine& line : lines)
    rows.push_back({named(line.name, "(not named)"), grouped(line.sessions.total()),
                    percent(line.sessions.validated_share()),
                    percent(line.sessions.failure_share()), caches(line.following)});
  return "\nBy domain\n" + table(rows, {false, true, true, true, false});
}

std::string set_aside(const ReportView& view) {
  if (view.set_aside == 0) return {};
  std::string text = fmt::format("\nSet aside: {}; the newest:\n", view.set_aside);
  for (const reports::Aside& one : view.newest)
    text += fmt::format("  {} {}: {}\n", day_of(one.arrived), one.source, one.reason);
  return text;
}

// ---- JSON ----

Json json_of(const Sessions& sessions) {
  return {{"total", sessions.total()},
          {"successful", sessions.successful},
          {"failed", sessions.failed},
          {"validated", sessions.validated},
          {"validated_share", sessions.validated_share()},
          {"failure_share", sessions.failure_share()}};
}

Json json_of(const reports::ResultLine& line) {
  const reports::ResultInfo& info = reports::info(line.type);
  return {{"result_type", line.name},
          {"sessions", line.sessions},
          {"last", format_time(line.last)},
          {"domains", line.domains},
          {"organizations", line.organizations},
          {"reasons", line.reasons},
          {"dane", info.dane},
          {"cause", info.cause},
          {"mend", info.mend}};
}

Json json_of(const reports::OrganizationLine& line) {
  return {{"organization", line.name},
          {"reports", line.reports},
          {"verified_reports", line.verified_reports},
          {"signers", line.signers},
          {"sessions", json_of(line.sessions)},
          {"last", format_time(line.last)}};
}

Json json_of(const reports::MxLine& line) {
  Json results = Json::array();
  for (const auto& [name, sessions] : line.results)
    results.push_back({{"result_type", name}, {"sessions", sessions}});
  return {{"host", line.host.empty() ? Json(nullptr) : Json(line.host)},
          {"failed_sessions", line.sessions},
          {"results", std::move(results)}};
}

Json json_of(const reports::Following& following) {
  Json lagging = Json::array();
  for (const reports::Lagging& one : following.lagging)
    lagging.push_back({{"organization", one.organization},
                       {"policy", one.policy},
                       {"last", format_time(one.last)}});
  return {{"current_policy", following.current.empty() ? Json(nullptr) : Json(following.current)},
          {"published", following.published},
          {"sessions_on_current", following.on_current},
          {"sessions_on_older", following.on_older},
          {"sessions_without_policy", following.unnamed},
          {"behind", std::move(lagging)}};
}

Json json_of(const reports::DomainLine& line) {
  return {{"domain", line.name.empty() ? Json(nullptr) : Json(line.name)},
          {"reports", line.reports},
          {"sessions", json_of(line.sessions)},
          {"caches", json_of(line.following)}};
}

Json json_of(const reports::DayLine& line) {
  return {{"day", format_day(line.day)}, {"sessions", json_of(line.sessions)}};
}

Json json_of(const reports::Aside& one) {
  return {{"arrived", format_time(one.arrived)}, {"source", one.source}, {"reason", one.reason}};
}

template <class T>
Json list_of(const std::vector<T>& lines) {
  Json list = Json::array();
  for (const T& line : lines)
    list.push_back(json_of(line));
  return list;
}

}  // namespace

std::string percent(double share) {
  if (share <= 0) return "0%";
  if (share >= 1) return "100%";
  return fmt::format("{:.2f}%", std::clamp(100 * share, 0.01, 99.99));
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, ",");
  return text;
}

std::string day_of(Time time) {
  return format_day(std::chrono::floor<std::chrono::days>(time));
}

std::string summary_text(const ReportView& view) {
  const reports::Summary& summary = view.summary;
  std::string text = head(view);
  if (summary.reports > 0)
    text += failures(summary.results) + organizations(summary.organizations) +
            mx_hosts(summary.mx_hosts) + domains(summary.domains);
  return text + set_aside(view);
}

std::string summary_json(const ReportView& view) {
  const reports::Summary& summary = view.summary;
  return Json{{"format", "stsctl-report-summary"},
              {"version", 1},
              {"from", format_time(view.from)},
              {"to", format_time(view.to)},
              {"reports", summary.reports},
              {"verified_reports", summary.verified_reports},
              {"sessions", json_of(summary.sessions)},
              {"failures", list_of(summary.results)},
              {"organizations", list_of(summary.organizations)},
              {"mx_hosts", list_of(summary.mx_hosts)},
              {"domains", list_of(summary.domains)},
              {"days", list_of(summary.days)},
              {"set_aside", {{"count", view.set_aside}, {"newest", list_of(view.newest)}}}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

}  // namespace stsctl::cli
