#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "sts/policy_id.h"
#include "sts/record.h"

namespace stsctl::cli {

namespace {

struct IdOptions {
  std::string id;
  std::string policy;
  bool as_json = false;
};

// What an id says, and of the policy it is held against.
struct Explanation {
  std::string id;
  std::optional<sts::PolicyId> generated;
  std::optional<bool> announces;
  std::vector<sts::MxPattern> leaving = {};  // of the patterns of the policy it announces
};

std::vector<std::string> names_of(const std::vector<sts::MxPattern>& patterns) {
  std::vector<std::string> names;
  for (const sts::MxPattern& pattern : patterns)
    names.push_back(sts::format_mx_pattern(pattern));
  return names;
}

std::string as_text(const Explanation& one, Time now) {
  if (!one.generated)
    return fmt::format(
        "{}: an id that stsctl did not make\n"
        "It says neither when it was published nor which policy it announces. stsctl keeps it "
        "while\n"
        "the policy is unchanged, and takes its history as the longest the RFC allows unless\n"
        "'longest_max_age' states it.\n",
        one.id);
  const sts::PolicyId& id = *one.generated;
  std::string text = fmt::format("{}\n  published  {}", one.id, format_time(id.published));
  text += id.published <= now ? fmt::format(", {} ago\n", describe_duration(now - id.published))
                              : ", which is in the future\n";
  text += fmt::format("  horizon    {}", format_day(id.horizon));
  text += Time{id.horizon} <= now
              ? ": every policy served before has ended in every sender's cache\n"
              : fmt::format(": senders may hold an older policy for up to {} more\n",
                            describe_duration(Time{id.horizon} - now));
  text += fmt::format("  digest     {}\n", id.digest);
  if (!one.leaving.empty())
    text += fmt::format("  leaving    {}: no MX record named such a host any more\n",
                        join(names_of(one.leaving), ", "));
  if (one.announces)
    text += *one.announces ? "It announces this policy.\n" : "It announces another policy.\n";
  return text;
}

std::string as_json(const Explanation& one) {
  nlohmann::ordered_json json{{"id", one.id}, {"generated", one.generated.has_value()}};
  if (one.generated) {
    json["published"] = format_time(one.generated->published);
    json["horizon"] = format_day(one.generated->horizon);
    json["digest"] = one.generated->digest;
  }
  if (one.announces) json["announces"] = *one.announces;
  if (!one.leaving.empty()) json["leaving"] = names_of(one.leaving);
  return json.dump(2) + "\n";
}

int explain(Context& context, const IdOptions& options) {
  World& world = context.world;
  if (const Result<Done> good = sts::check_id(options.id); !good) {
    world.err << "stsctl: " << to_string(good.error()) << '\n';
    return exit_failed;
  }
  Explanation one{options.id, sts::parse_policy_id(options.id), std::nullopt};
  if (!options.policy.empty()) {
    const Result<std::string> body = world.services.files.read_stream(options.policy, 1U << 20U);
    const auto checked = body ? sts::parse_policy(*body) : sts::Checked<sts::Policy>{};
    if (!body || !checked.value) {
      world.err << "stsctl: " << (body ? sts::errors(checked.findings) : to_string(body.error()))
                << '\n';
      return exit_usage;
    }
    const auto leaving =
        one.generated ? sts::leaving_patterns(*one.generated, *checked.value) : std::nullopt;
    one.announces = leaving.has_value();
    one.leaving = leaving.value_or(std::vector<sts::MxPattern>{});
  }
  world.out << (options.as_json ? as_json(one) : as_text(one, world.services.clock.now()));
  return one.announces == false ? exit_failed : exit_done;
}

}  // namespace

void add_id(CLI::App& app, Context& context) {
  const auto options = std::make_shared<IdOptions>();
  CLI::App* group = app.add_subcommand("id", "About the ids in _mta-sts records");
  group->require_subcommand(1);
  CLI::App* command =
      add_command(*group, context, "explain", "Read an id aloud: when, until when, which policy",
                  "  stsctl id explain 20261124T081500ZG1GABCDEFGHIJKLM",
                  [&context, options] { return explain(context, *options); });
  command->add_option("ID", options->id, "The id")->required();
  command->add_option("--policy", options->policy, "Does it announce the policy in this file?")
      ->type_name("FILE");
  command->add_flag("--json", options->as_json, "Print one JSON object");
}

}  // namespace stsctl::cli
