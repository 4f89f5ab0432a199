#include <algorithm>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/planning.h"
#include "plan/proof.h"
#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::cli {

namespace {

// One row of the table: what is published, and how far it is from what is wanted.
struct Row {
  dns::Name domain;
  std::string mode = "-";
  std::string id = "-";
  std::optional<Duration> age;  // since the id was published; ids of ours only
  std::string state;
  bool in_sync = false;
  std::optional<Time> older_until;  // until then a sender that is waited for may hold one
  std::vector<plan::Later> later;
  Boxed<plan::RolloutState> rollout;
};

std::string what_differs(const plan::DomainPlan& plan) {
  std::vector<std::string> parts;
  const auto add = [&](const char* part) {
    if (std::ranges::find(parts, part) == parts.end()) parts.emplace_back(part);
  };
  const plan::Owners names = plan::owners(plan.domain());
  for (const plan::Step& step : plan.steps) {
    if (std::holds_alternative<plan::PolicyChange>(step.action)) add("policy");
    const auto* records = std::get_if<plan::RecordChange>(&step.action);
    if (records == nullptr) continue;
    const plan::RecordEdit& edit = records->edits.front();
    const dns::Name& owner = subject(edit).owner;
    add(owner == names.sts ? "id" : owner == names.tlsrpt ? "TLS-RPT" : "address");
  }
  return fmt::format("{} differ{}", join(parts, ", "), parts.size() == 1 ? "s" : "");
}

// "; stage 1 of 3 of 'careful' (testing, max_age 1d), waits for time, verify"
std::string rollout_text(const plan::RolloutState& state) {
  if (state.target == 0) return "";
  std::vector<std::string> waits;
  if (state.action == plan::RolloutAction::stay)
    for (const plan::RolloutGate& gate : state.gates)
      if (!gate.holds) waits.push_back(gate.what);
  return "; " + describe(state) + (waits.empty() ? "" : ", waits for " + join(waits, ", "));
}

Row make_row(const plan::DomainPlan& plan, const plan::Observed& observed, Time now) {
  Row row{.domain = plan.domain()};
  if (observed.policy && *observed.policy)
    if (const auto policy = sts::parse_policy(**observed.policy).value)
      row.mode = sts::to_string(policy->mode);
  if (observed.sts)
    if (const auto record = sts::parse_sts_records(txt_values(*observed.sts)).value) {
      row.id = record->id;
      if (const auto id = sts::parse_policy_id(record->id)) row.age = now - id->published;
    }
  row.in_sync = !plan.error && !plan.changed();
  if (plan.error)
    row.state = (plan.refused() ? "refused: " : "not readable: ") + plan.error->what;
  else
    row.state = row.in_sync ? "in sync" : what_differs(plan);
  row.rollout = plan.desired.rollout;
  if (row.rollout) row.state += rollout_text(*row.rollout);
  const auto known = safe_since(observed, plan.desired.edge_delay);
  if (known && safe_for(plan.desired.safety, *known) > now)
    row.older_until = safe_for(plan.desired.safety, *known);
  if (row.older_until)
    row.state += fmt::format("; older policies until {}", format_time(*row.older_until));
  row.later = plan.later;
  for (const plan::Later& later : plan.later)
    row.state += "; " + describe(later);
  return row;
}

std::string age_text(const Row& row) {
  return row.age ? describe_duration(*row.age) : "-";
}

std::string table(const std::vector<Row>& rows) {
  std::array<std::size_t, 4> width{6, 4, 2, 3};
  for (const Row& row : rows) {
    width[0] = std::max(width[0], row.domain.text().size());
    width[1] = std::max(width[1], row.mode.size());
    width[2] = std::max(width[2], row.id.size());
    width[3] = std::max(width[3], age_text(row).size());
  }
  const auto line = [&](std::string_view domain, std::string_view mode, std::string_view id,
                        std::string_view age, std::string_view state) {
    return fmt::format("{:{}}  {:{}}  {:{}}  {:{}}  {}\n", domain, width[0], mode, width[1], id,
                       width[2], age, width[3], printable(state));
  };
  std::string text = line("DOMAIN", "MODE", "ID", "AGE", "STATE");
  for (const Row& row : rows)
    text += line(row.domain.text(), row.mode, row.id, age_text(row), row.state);
  return text;
}

using Json = nlohmann::ordered_json;

Json rollout_json(const plan::RolloutState& state) {
  Json gates = Json::array();
  for (const plan::RolloutGate& gate : state.gates)
    gates.push_back({{"what", gate.what},
                     {"wanted", gate.wanted},
                     {"figure", gate.figure},
                     {"holds", gate.holds}});
  return {{"rollout", state.rollout},
          {"action", to_string(state.action)},
          {"stage", state.stage},
          {"stages", state.stages},
          {"in_stage", state.in_stage ? Json(state.in_stage->count()) : Json(nullptr)},
          {"gates", std::move(gates)},
          {"earliest", state.earliest ? Json(format_time(*state.earliest)) : Json(nullptr)}};
}

std::string json(const std::vector<Row>& rows) {
  Json list = Json::array();
  const auto word = [](const std::string& text) {
    return text == "-" ? Json(nullptr) : Json(text);
  };
  const auto time_or_null = [](const std::optional<Time>& time) {
    return time ? Json(format_time(*time)) : Json(nullptr);
  };
  for (const Row& row : rows) {
    Json later = Json::array();
    for (const plan::Later& one : row.later)
      later.push_back({{"what", one.what}, {"due", time_or_null(one.due)}});
    list.push_back({{"domain", row.domain.text()},
                    {"mode", word(row.mode)},
                    {"id", word(row.id)},
                    {"age", row.age ? Json(row.age->count()) : Json(nullptr)},
                    {"in_sync", row.in_sync},
                    {"state", row.state},
                    {"older_until", time_or_null(row.older_until)},
                    {"later", std::move(later)},
                    {"rollout", row.rollout ? rollout_json(*row.rollout) : Json(nullptr)}});
  }
  return Json{{"format", "stsctl-status"}, {"version", 1}, {"domains", std::move(list)}}.dump(
             2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

struct StatusOptions {
  std::vector<std::string> targets;
  bool as_json = false;
  std::optional<Duration> watch;
};

int status(Context& context, const StatusOptions& options) {
  std::optional<Session> session = open_session(context, options.targets);
  if (!session) return exit_usage;
  std::vector<plan::Observed> observed = observe(context, *session);
  decide_rollouts(context, *session, observed, {});
  const Time now = context.world.services.clock.now();
  look_at_mx(context, *session, {.now = now}, observed);
  std::vector<Row> rows;
  bool failed = false;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const plan::DomainPlan plan = make_domain(session->desired[i], observed[i], {.now = now});
    rows.push_back(make_row(plan, observed[i], now));
    failed = failed || (plan.error && !plan.refused());
  }
  context.world.out << (options.as_json ? json(rows) : table(rows));
  return failed ? exit_failed : exit_done;
}

// The same again and again: the configuration is read anew each time as well.
int watch(Context& context, const StatusOptions& options) {
  World& world = context.world;
  context.runs_until_stopped = true;
  for (;;) {
    if (world.out_is_terminal) world.out << "\033[H\033[2J";
    const int code = status(context, options);
    world.out << std::flush;
    if (code == exit_usage) return code;
    world.services.clock.sleep(std::max(*options.watch, Duration{1}), world.stop);
    if (world.stop.stop_requested()) return code;
  }
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App* command = add_command(
      app, context, "status", "A table: domain, mode, id, its age, in sync or what differs",
      "  stsctl status --target '*.example'", [&context, options] {
        return options->watch ? watch(context, *options) : status(context, *options);
      });
  command->add_option("-t,--target", options->targets, "Only these domains (names or globs)")
      ->type_name("DOMAIN");
  command->add_flag("--json", options->as_json, "Print the table as JSON");
  add_duration(*command, "--watch", options->watch, "Look again so often, until it is interrupted");
}

}  // namespace stsctl::cli
