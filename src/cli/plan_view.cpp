#include "cli/plan_view.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/rollout_view.h"

namespace stsctl::cli {

namespace {

// One line of a diff: '+' comes, '-' goes, ' ' stays, '~' heads a change, '!' needs attention,
// '#' is a remark.
struct Line {
  char sign;
  std::string text;
};
using Lines = std::vector<Line>;

std::string thousands(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

std::string ttl_text(std::chrono::seconds ttl) {
  return ttl.count() == 0 ? "auto" : format_duration(ttl);
}

std::string value_text(const dns::RecordSet& set, const std::string& value) {
  return set.type == dns::Type::txt ? dns::encode_txt(value) : printable(value);
}

void add_set(Lines& lines, char sign, const dns::RecordSet& set) {
  for (const std::string& value : set.values)
    lines.push_back({sign, fmt::format("{} {} {} {}", set.owner.text(), ttl_text(set.ttl),
                                       dns::to_string(set.type), value_text(set, value))});
}

// Values that stay are left out unless nothing else differs but the TTL.
void add_edit(Lines& lines, const plan::RecordEdit& edit) {
  if (!edit.before || !edit.after || edit.before->ttl != edit.after->ttl) {
    if (edit.before) add_set(lines, '-', *edit.before);
    if (edit.after) add_set(lines, '+', *edit.after);
    return;
  }
  dns::RecordSet gone = *edit.before;
  dns::RecordSet come = *edit.after;
  std::erase_if(gone.values, [&](const std::string& value) {
    return std::ranges::binary_search(edit.after->values, value);
  });
  std::erase_if(come.values, [&](const std::string& value) {
    return std::ranges::binary_search(edit.before->values, value);
  });
  add_set(lines, '-', gone);
  add_set(lines, '+', come);
}

std::vector<std::string> body_lines(const std::optional<plan::PolicyFile>& file) {
  std::vector<std::string> lines;
  if (!file) return lines;
  constexpr std::size_t longest = 200;
  for (const std::string_view line : split(file->body, '\n'))
    lines.push_back(printable(line.substr(0, line.find_last_not_of('\r') + 1).substr(0, longest)));
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  constexpr std::size_t most = 100;  // a body that is no policy may be of any length
  if (lines.size() > most) {
    lines.resize(most);
    lines.emplace_back("…");
  }
  return lines;
}

// A plain longest-common-subsequence diff: policies are short.
void add_body_diff(Lines& lines, const std::vector<std::string>& before,
                   const std::vector<std::string>& after) {
  std::vector<std::vector<std::size_t>> common(before.size() + 1,
                                               std::vector<std::size_t>(after.size() + 1));
  for (std::size_t i = before.size(); i-- > 0;)
    for (std::size_t j = after.size(); j-- > 0;)
      common[i][j] = before[i] == after[j] ? common[i + 1][j + 1] + 1
                                           : std::max(common[i + 1][j], common[i][j + 1]);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      lines.push_back({' ', before[i]});
      ++i, ++j;
    } else if (i < before.size() && (j == after.size() || common[i + 1][j] >= common[i][j + 1])) {
      lines.push_back({'-', before[i++]});
    } else {
      lines.push_back({'+', after[j++]});
    }
  }
}

void add_step(Lines& lines, const plan::Step& step) {
  if (const auto* records = std::get_if<plan::RecordChange>(&step.action)) {
    lines.push_back({'~', fmt::format("records in zone {} ({}): {}", records->zone.text(),
                                      records->dns, printable(step.why))});
    for (const plan::RecordEdit& edit : records->edits)
      add_edit(lines, edit);
  } else if (const auto* policy = std::get_if<plan::PolicyChange>(&step.action)) {
    lines.push_back({'~', fmt::format("policy at {}: {}", policy->host, printable(step.why))});
    add_body_diff(lines, body_lines(policy->edit.before), body_lines(policy->edit.after));
  } else if (const auto* wait = std::get_if<plan::PolicyServed>(&step.action)) {
    const std::string settle =
        wait->settle.count() == 0
            ? ""
            : fmt::format(" and {} have passed for caches", describe_duration(wait->settle));
    lines.push_back({'#', fmt::format("wait until {} serves the policy{}, {}", wait->host, settle,
                                      printable(step.why))});
  } else if (const auto* caches = std::get_if<plan::CachesExpired>(&step.action)) {
    lines.push_back({'#', fmt::format("wait {} until no resolver holds the record, {}",
                                      describe_duration(caches->settle), printable(step.why))});
  }
}

void add_error(Lines& lines, const plan::DomainPlan& domain) {
  Error error = *domain.error;
  if (error.where == domain.domain().text()) error.where.clear();
  const char* kind = error.code == Code::refused ? "refused: " : "not readable: ";
  const std::string text = kind + to_string(error);
  for (const std::string_view line : split(text, '\n'))
    lines.push_back({'!', printable(line)});
}

Lines domain_lines(const plan::DomainPlan& domain) {
  Lines lines;
  if (domain.desired.rollout && !domain.error)
    for (std::string& line : rollout_lines(*domain.desired.rollout))
      lines.push_back({'#', std::move(line)});
  for (const plan::Step& step : domain.steps)
    add_step(lines, step);
  for (const plan::Note& note : domain.notes) {
    const bool info = note.kind == plan::Note::Kind::info;
    const char* kind = note.kind == plan::Note::Kind::refusal ? "refused" : "warning";
    lines.push_back({info ? '#' : '!',
                     info ? note.text : fmt::format("{} ({}): {}", kind, note.id, note.text)});
  }
  for (const plan::Later& later : domain.later)
    lines.push_back({'#', "then: " + describe(later)});
  if (domain.error) add_error(lines, domain);
  return lines;
}

bool is_shown(const plan::DomainPlan& domain) {
  const auto& rollout = domain.desired.rollout;
  return domain.changed() || domain.error || !domain.notes.empty() || !domain.later.empty() ||
         (rollout && is_under_way(*rollout));
}

std::string name_text(const dns::Name& name) {
  const std::string unicode = name.unicode();
  return unicode == name.text() ? name.text()
                                : fmt::format("{} ({})", printable(unicode), name.text());
}

std::string painted(char sign, const std::string& text) {
  static const std::map<char, const char*> colors{
      {'+', "32"}, {'-', "31"}, {'~', "1"}, {'!', "1;33"}, {'#', "2"}};
  const auto found = colors.find(sign);
  return found == colors.end() ? text : fmt::format("\033[{}m{}\033[0m", found->second, text);
}

std::string indented(const Line& line) {
  switch (line.sign) {
    case '~':
    case '#':
      return fmt::format("  {} {}", line.sign, line.text);
    case '!':
      return fmt::format("  ! {}", line.text);
    default:
      return fmt::format("      {} {}", line.sign, line.text);
  }
}

std::string short_state(const plan::DomainPlan& domain) {
  if (domain.refused()) return "refused";
  if (domain.error) return "not readable";
  if (!domain.changed()) return domain.later.empty() ? "unchanged" : "unchanged, more to come";
  return fmt::format("{} step{}", domain.steps.size(), domain.steps.size() == 1 ? "" : "s");
}

// A fence longer than any run of backticks inside it.
std::string fenced(const Lines& lines) {
  std::string body;
  for (const Line& line : lines) {
    const char sign = line.sign == '~' ? '#' : line.sign;
    body += fmt::format("{} {}\n", sign, line.text);
  }
  std::string fence = "```";
  while (body.find(fence) != std::string::npos)
    fence += '`';
  return fmt::format("{}diff\n{}{}\n", fence, body, fence);
}

std::string markdown_domain(const plan::DomainPlan& domain) {
  return fmt::format("<details><summary><code>{}</code> {}</summary>\n\n{}\n</details>\n",
                     domain.domain().text(), short_state(domain), fenced(domain_lines(domain)));
}

}  // namespace

std::string plan_summary(const plan::Plan& plan) {
  const plan::Counts counts = count(plan);
  std::string text = fmt::format("{} to change, {} unchanged", thousands(counts.changed),
                                 thousands(counts.unchanged));
  if (counts.refused > 0) text += fmt::format(", {} refused", thousands(counts.refused));
  if (counts.failed > 0) text += fmt::format(", {} not readable", thousands(counts.failed));
  if (counts.unfinished > 0)
    text += fmt::format("; more to come for {}", thousands(counts.unfinished));
  return text;
}

// "Requests to apply: cf 1,201 (5 minutes 12 seconds at least), pdns 12." or nothing.
std::string budget_text(const plan::Plan& plan) {
  std::string text;
  for (const plan::RequestBudget& part : plan.budget) {
    text += fmt::format("{}{} {}", text.empty() ? "Requests to apply: " : ", ", part.account,
                        thousands(part.requests));
    if (part.least_time.count() > 0)
      text += fmt::format(" ({} at least)", describe_duration(part.least_time));
  }
  return text.empty() ? text : text + ".\n";
}

std::string plan_text(const plan::Plan& plan, bool color) {
  std::string text;
  for (const plan::DomainPlan& domain : plan.domains) {
    if (!is_shown(domain)) continue;
    const std::string head = name_text(domain.domain());
    text += (color ? fmt::format("\033[1m{}\033[0m", head) : head) + "\n";
    for (const Line& line : domain_lines(domain)) {
      const std::string shown = indented(line);
      text += (color ? painted(line.sign, shown) : shown) + "\n";
    }
    text += "\n";
  }
  const plan::Counts counts = count(plan);
  if (counts.changed + counts.refused + counts.failed == 0)
    return text + fmt::format("Nothing to do{}: {} domain{} in sync{}.\n",
                              counts.unfinished == 0 ? "" : " now", thousands(counts.unchanged),
                              counts.unchanged == 1 ? "" : "s",
                              counts.unfinished == 0 ? ""
                                                     : fmt::format(", more to come for {}",
                                                                   thousands(counts.unfinished)));
  return text + fmt::format("Plan: {}.\n", plan_summary(plan)) + budget_text(plan);
}

std::string plan_markdown(const plan::Plan& plan, std::size_t limit) {
  std::vector<const plan::DomainPlan*> shown;
  for (const plan::DomainPlan& domain : plan.domains)
    if (is_shown(domain)) shown.push_back(&domain);
  // What needs attention must not be what is cut.
  std::ranges::stable_partition(shown, [](const plan::DomainPlan* domain) {
    return domain->refused() || domain->error.has_value();
  });
  std::string text = fmt::format("**stsctl plan:** {}\n\n", plan_summary(plan));
  if (const std::string budget = budget_text(plan); !budget.empty()) text += budget + "\n";
  constexpr std::size_t note_room = 120;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const std::string next = markdown_domain(*shown[i]);
    if (text.size() + next.size() + note_room > limit)
      return text + fmt::format(
                        "\n_{} more domains are not shown here: the comment would be too "
                        "long. Run `stsctl plan` for all._\n",
                        thousands(shown.size() - i));
    text += next;
  }
  return text;
}

std::string outcomes_text(const std::vector<engine::Outcome>& outcomes, bool color) {
  std::string text;
  std::map<engine::Ending, std::size_t> counts;
  for (const engine::Outcome& outcome : outcomes) {
    ++counts[outcome.ending];
    if (outcome.ending == engine::Ending::unchanged && outcome.later.empty()) continue;
    const bool good =
        outcome.ending == engine::Ending::applied || outcome.ending == engine::Ending::unchanged;
    std::string line =
        fmt::format("{}: {}", name_text(outcome.domain), engine::to_string(outcome.ending));
    if (!good && outcome.steps_taken > 0)
      line += fmt::format(" after {} of {} steps", outcome.steps_taken, outcome.steps);
    if (outcome.error) {
      Error error = *outcome.error;
      if (error.where == outcome.domain.text()) error.where.clear();
      const std::string said = ": " + to_string(error);
      for (const std::string_view part : split(said, '\n'))
        line += printable(part) + "\n";
      line.pop_back();
    }
    for (const plan::Later& later : outcome.later)
      line += "\n  then: " + printable(describe(later));
    text += (color ? painted(good ? '+' : '-', line) : line) + "\n";
  }
  std::string summary;
  for (const auto& [ending, number] : counts)
    summary += fmt::format("{}{} {}", summary.empty() ? "" : ", ", thousands(number),
                           engine::to_string(ending));
  return text + fmt::format("Apply: {}.\n", summary.empty() ? "no domains" : summary);
}

std::string outcomes_json(const std::vector<engine::Outcome>& outcomes) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  Json summary = Json::object();
  for (const engine::Ending ending :
       {engine::Ending::applied, engine::Ending::unchanged, engine::Ending::failed,
        engine::Ending::refused, engine::Ending::stale, engine::Ending::cancelled})
    summary[engine::to_string(ending)] =
        std::ranges::count(outcomes, ending, &engine::Outcome::ending);
  for (const engine::Outcome& outcome : outcomes) {
    Json json{{"domain", outcome.domain.text()},
              {"ending", engine::to_string(outcome.ending)},
              {"steps_taken", outcome.steps_taken},
              {"steps", outcome.steps}};
    if (outcome.error)
      json["error"] = {{"code", to_string(outcome.error->code)},
                       {"what", outcome.error->what},
                       {"where", outcome.error->where},
                       {"hint", outcome.error->hint}};
    json["later"] = Json::array();
    for (const plan::Later& later : outcome.later)
      json["later"].push_back({{"what", later.what},
                               {"due", later.due ? Json(format_time(*later.due)) : Json(nullptr)}});
    list.push_back(std::move(json));
  }
  return Json{{"format", "stsctl-apply"}, {"version", 1}, {"summary", summary}, {"domains", list}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

}  // namespace stsctl::cli
