#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/session.h"
#include "plan/make.h"

namespace stsctl::cli {

namespace {

using Json = nlohmann::ordered_json;

struct RenderOptions {
  std::string domain;
  bool as_json = false;
};

// What would be published where nothing is yet.
struct Rendered {
  std::vector<dns::RecordSet> records;
  std::optional<std::string> policy;
};

Rendered rendered(const plan::Desired& desired, Time now) {
  const plan::NameState absent{desired.domain, {}};
  const plan::Observed nothing{desired.domain, absent, absent, absent,
                               std::optional<std::string>{}};
  Rendered result;
  for (const plan::Step& step : make_domain(desired, nothing, {.now = now}).steps) {
    if (const auto* change = std::get_if<plan::RecordChange>(&step.action))
      for (const plan::RecordEdit& edit : change->edits)
        if (edit.after) result.records.push_back(*edit.after);
    if (const auto* change = std::get_if<plan::PolicyChange>(&step.action))
      result.policy = change->edit.after->body;
  }
  return result;
}

std::string data_of(const dns::RecordSet& set, const std::string& value) {
  if (set.type == dns::Type::txt) return dns::encode_txt(value);
  return set.type == dns::Type::cname ? value + "." : value;
}

std::string as_text(const plan::Desired& desired, const Rendered& what) {
  std::string text;
  for (const dns::RecordSet& set : what.records)
    for (const std::string& value : set.values)
      text += fmt::format("{}.\t{}\tIN\t{}\t{}\n", set.owner.text(), set.ttl.count(),
                          dns::to_string(set.type), data_of(set, value));
  if (!what.policy) return text;
  text += fmt::format("\n; https://mta-sts.{}{}\n", desired.domain.text(), sts::policy_path);
  for (const std::string_view line : split(*what.policy, '\n'))
    if (!line.empty()) text += std::string(trim(line)) + "\n";
  return text;
}

std::string as_json(const plan::Desired& desired, const Rendered& what) {
  Json records = Json::array();
  for (const dns::RecordSet& set : what.records) {
    Json values = Json::array();
    for (const std::string& value : set.values)
      values.push_back(data_of(set, value));
    records.push_back({{"owner", set.owner.text()},
                       {"type", dns::to_string(set.type)},
                       {"ttl", set.ttl.count()},
                       {"values", std::move(values)}});
  }
  return Json{{"domain", desired.domain.text()},
              {"records", std::move(records)},
              {"policy", what.policy ? Json(*what.policy) : Json(nullptr)}}
             .dump(2) +
         "\n";
}

int render(Context& context, const RenderOptions& options) {
  World& world = context.world;
  const std::optional<Session> session = open_session(context, {options.domain});
  if (!session) return exit_usage;
  if (session->desired.size() != 1) {
    world.err << "stsctl: render takes one domain\n";
    return exit_usage;
  }
  const plan::Desired& desired = session->desired.front();
  const Rendered what = rendered(desired, world.services.clock.now());
  world.out << (options.as_json ? as_json(desired, what) : as_text(desired, what));
  return exit_done;
}

}  // namespace

void add_render(CLI::App& app, Context& context) {
  const auto options = std::make_shared<RenderOptions>();
  CLI::App* command = add_command(
      app, context, "render",
      "Print a domain's records and policy as they would be published now; touches nothing",
      "  stsctl render example.com", [&context, options] { return render(context, *options); });
  command->add_option("DOMAIN", options->domain, "A configured domain")->required();
  command->add_flag("--json", options->as_json, "Print one JSON object");
}

}  // namespace stsctl::cli
