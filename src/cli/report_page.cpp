#include "cli/report_page.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::cli {

namespace {

constexpr const char* style = R"(
:root { --bg: #ffffff; --fg: #1c2128; --dim: #59636e; --line: #d5dae0; --card: #f6f8fa;
  --good: #1f7a4d; --plain: #8aa0b8; --bad: #c4302b; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --bg: #14181d; --fg: #e4e8ec; --dim: #9aa5b1;
  --line: #333b45; --card: #1d232a; --good: #4fb884; --plain: #6d8199; --bad: #f0736a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 3rem; background: var(--bg);
  color: var(--fg); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .dim { color: var(--dim); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem;
  margin-top: 1rem; }
.figures div, details, .card { background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .75rem 1rem; }
.figures b { display: block; font-size: 1.6rem; line-height: 1.2; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } th { color: var(--dim); font-weight: 600; white-space: nowrap; }
.n { text-align: right; white-space: nowrap; overflow-wrap: normal; } td:first-child { min-width: 9rem; }
.card { margin: .6rem 0; } .card h3 { margin: 0; font-size: 1rem; }
.bar { height: .5rem; background: var(--line); border-radius: .25rem; margin: .4rem 0; }
.bar i { display: block; height: 100%; background: var(--bad); border-radius: .25rem; min-width: 2px; }
svg { width: 100%; height: 11rem; display: block; }
.axis { display: flex; justify-content: space-between; color: var(--dim); font-size: .85rem; }
.key span { margin-right: 1rem; white-space: nowrap; }
.key i { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin-right: .35em; }
.good { fill: var(--good); background: var(--good); } .plain { fill: var(--plain); background: var(--plain); }
.bad { fill: var(--bad); background: var(--bad); }
@media print { :root { --bg: #fff; --fg: #000; --dim: #444; --line: #bbb; --card: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; } .card, svg, tr { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)";

std::string named(const std::string& text) {
  return text.empty() ? "<span class=dim>not named</span>" : html_escaped(text);
}

std::string list_of(const std::vector<std::string>& texts, std::size_t most) {
  const std::size_t shown = std::min(most, texts.size());
  std::string line;
  for (std::size_t i = 0; i < shown; ++i)
    line += (i == 0 ? "" : ", ") + html_escaped(texts[i]);
  if (texts.size() > shown) line += fmt::format(" and {} more", texts.size() - shown);
  return line;
}

// A table; the heads of columns of numbers begin with '#'.
std::string table(const std::vector<std::string>& heads,
                  const std::vector<std::vector<std::string>>& rows) {
  const auto kind = [&](std::size_t i) { return heads[i].starts_with('#') ? " class=n" : ""; };
  std::string html = "<div class=scroll><table><thead><tr>";
  for (std::size_t i = 0; i < heads.size(); ++i)
    html += fmt::format("<th{}>{}</th>", kind(i),
                        heads[i].starts_with('#') ? heads[i].substr(1) : heads[i]);
  html += "</tr></thead><tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      html += fmt::format("<td{}>{}</td>", kind(i), row[i]);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string figures(const reports::Summary& summary) {
  const auto figure = [](const std::string& value, const std::string& what) {
    return fmt::format("<div><b>{}</b>{}</div>\n", value, what);
  };
  return "<section class=figures>\n" + figure(grouped(summary.sessions.total()), "sessions") +
         figure(percent(summary.sessions.validated_share()), "over validated TLS") +
         figure(percent(summary.sessions.failure_share()), "failed") +
         figure(grouped(summary.reports),
                fmt::format("reports, {} verified", grouped(summary.verified_reports))) +
         "</section>\n";
}

// One bar a day: validated, without a policy, failed; empty days leave a gap.
std::string day_chart(const ReportView& view) {
  const std::vector<reports::DayLine>& days = view.summary.days;
  if (days.empty()) return {};
  constexpr double width = 700, height = 160;
  const auto span = (days.back().day - days.front().day).count() + 1;
  const double step = width / static_cast<double>(std::max<std::int64_t>(span, 7));
  std::uint64_t most = 1;
  for (const reports::DayLine& line : days)
    most = std::max(most, line.sessions.total());
  std::string bars;
  for (const reports::DayLine& line : days) {
    const double x = static_cast<double>((line.day - days.front().day).count()) * step;
    const reports::Sessions& sessions = line.sessions;
    double y = height;
    bars += fmt::format("<g><title>{}: {} sessions, {} validated, {} failed</title>",
                        format_day(line.day), grouped(sessions.total()),
                        grouped(sessions.validated), grouped(sessions.failed));
    for (const auto& [count, kind] : {std::pair(sessions.validated, "good"),
                                      std::pair(sessions.successful - sessions.validated, "plain"),
                                      std::pair(sessions.failed, "bad")}) {
      if (count == 0) continue;
      const double tall =
          std::max(1.5, height * static_cast<double>(count) / static_cast<double>(most));
      y -= tall;
      bars +=
          fmt::format(R"(<rect class={} x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                      kind, x, y, std::max(1.0, step * 0.8), tall);
    }
    bars += "</g>\n";
  }
  return fmt::format(
      "<h2>Sessions by day</h2>\n<p class=key><span><i class=good></i>validated</span>"
      "<span><i class=plain></i>no policy</span><span><i class=bad></i>failed</span></p>\n"
      "<p class=axis><span>{2}</span></p>\n"
      "<svg viewBox=\"0 0 700 160\" preserveAspectRatio=none role=img aria-label=\"Sessions by "
      "day, "
      "{0} to {1}\">\n{3}</svg>\n<p class=axis><span>{0}</span><span>{1}</span></p>\n",
      format_day(days.front().day), format_day(days.back().day), grouped(most), bars);
}

std::string failures(const std::vector<reports::ResultLine>& lines) {
  if (lines.empty()) return "<h2>Failures</h2>\n<p>None.</p>\n";
  std::string html = "<h2>Failures</h2>\n";
  for (const reports::ResultLine& line : lines) {
    const reports::ResultInfo& info = reports::info(line.type);
    html += fmt::format(
        "<div class=card><h3>{}: {} sessions</h3>\n"
        "<div class=bar><i style=\"width:{:.1f}%\"></i></div>\n"
        "<p class=dim>{}; seen by {}; last on {}</p>\n<p>Likely: {}</p>\n<p>Mend: {}</p>\n",
        html_escaped(line.name), grouped(line.sessions),
        100.0 * static_cast<double>(line.sessions) /
            static_cast<double>(std::max<std::uint64_t>(1, lines.front().sessions)),
        list_of(line.domains, 5), list_of(line.organizations, 5), day_of(line.last),
        html_escaped(info.cause), html_escaped(info.mend));
    if (!line.reasons.empty())
      html += fmt::format("<p class=dim>Reasons given: {}</p>\n", list_of(line.reasons, 5));
    html += "</div>\n";
  }
  return html;
}

std::string senders(const std::vector<reports::OrganizationLine>& lines) {
  std::vector<std::vector<std::string>> rows;
  for (const reports::OrganizationLine& line : lines)
    rows.push_back(
        {html_escaped(line.name), grouped(line.sessions.total()),
         percent(line.sessions.validated_share()), percent(line.sessions.failure_share()),
         fmt::format("{} of {}", line.verified_reports, line.reports), day_of(line.last)});
  return "<h2>Senders</h2>\n" +
         table({"Sender", "#Sessions", "#Validated", "#Failed", "#Verified", "#Last"}, rows);
}

std::string mx_hosts(const std::vector<reports::MxLine>& lines) {
  if (lines.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const reports::MxLine& line : lines) {
    std::vector<std::string> results;
    for (const auto& [name, sessions] : line.results)
      results.push_back(fmt::format("{} {}", name, grouped(sessions)));
    rows.push_back({named(line.host), grouped(line.sessions), list_of(results, 4)});
  }
  return "<h2>MX hosts with failures</h2>\n" + table({"Host", "#Sessions", "What"}, rows);
}

std::string caches(const reports::Following& following) {
  const std::uint64_t known = following.on_current + following.on_older;
  if (known == 0) return "<span class=dim>no report names a policy</span>";
  std::vector<std::string> behind;
  for (const reports::Lagging& one : following.lagging)
    behind.push_back(fmt::format("{} ({})", one.organization, day_of(one.last)));
  const std::string share =
      percent(static_cast<double>(following.on_current) / static_cast<double>(known));
  return behind.empty() ? share : share + "; behind: " + list_of(behind, 3);
}

std::string domains(const std::vector<reports::DomainLine>& lines) {
  std::vector<std::vector<std::string>> rows;
  for (const reports::DomainLine& line : lines)
    rows.push_back({named(line.name), grouped(line.sessions.total()),
                    percent(line.sessions.validated_share()),
                    percent(line.sessions.failure_share()), caches(line.following)});
  return "<h2>Domains</h2>\n" +
         table({"Domain", "#Sessions", "#Validated", "#Failed", "On the current policy"}, rows);
}

std::string set_aside(const ReportView& view) {
  if (view.set_aside == 0) return {};
  std::vector<std::vector<std::string>> rows;
  for (const reports::Aside& one : view.newest)
    rows.push_back({html_escaped(one.source), html_escaped(one.reason), day_of(one.arrived)});
  return fmt::format("<h2>Set aside: {}</h2>\n", view.set_aside) +
         table({"Newest", "Why", "#Day"}, rows);
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string summary_page(const ReportView& view, Time now) {
  const reports::Summary& summary = view.summary;
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
      "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>TLS reports since {0}</title>\n<style>{1}</style>\n</head>\n"
      "<body>\n<h1>TLS reports</h1>\n<p class=dim>From {0} on{2}. Made on {3} by stsctl.</p>\n",
      day_of(view.from), style,
      view.domains.empty() ? std::string() : ", about " + list_of(view.domains, 5),
      format_time(now));
  if (summary.reports == 0)
    html += "<p>There are no reports of this time.</p>\n";
  else
    html += figures(summary) + day_chart(view) + failures(summary.results) +
            domains(summary.domains) + senders(summary.organizations) + mx_hosts(summary.mx_hosts);
  return html + set_aside(view) + "</body>\n</html>\n";
}

}  // namespace stsctl::cli
