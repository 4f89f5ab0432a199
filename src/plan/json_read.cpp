// Reads plans from JSON: schemas/plan.schema.json.

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"
#include "plan/plan.h"

namespace stsctl::plan {

namespace {

using Json = nlohmann::ordered_json;

// What a reader throws inside this file; it never leaves it.
struct BadPlan {
  std::string what;
};

template <class T>
T require(Result<T> result) {
  if (!result) throw BadPlan{result.error().what};
  return std::move(*result);
}

dns::Name read_name(const Json& json) {
  return require(dns::Name::parse(json.get<std::string>()));
}

dns::RecordSet read_set(const Json& json) {
  auto values = json.at("values").get<std::vector<std::string>>();
  const dns::Type type = dns::parse_type(json.at("type").get<std::string>());
  if (type == dns::Type::txt)
    for (std::string& value : values)
      value = require(dns::decode_txt(value));
  return require(dns::make_record_set(read_name(json.at("owner")), type,
                                      Duration{json.at("ttl").get<std::int64_t>()},
                                      std::move(values)));
}

template <class T, class Read>
std::optional<T> read_optional(const Json& json, Read read_one) {
  return json.is_null() ? std::nullopt : std::optional<T>(read_one(json));
}

std::optional<Duration> read_duration(const Json& json) {
  return read_optional<Duration>(json,
                                 [](const Json& j) { return Duration{j.get<std::int64_t>()}; });
}

sts::Policy read_policy(const Json& json) {
  sts::Policy policy{.mode = require(sts::parse_mode(json.at("mode").get<std::string>())),
                     .max_age = Duration{json.at("max_age").get<std::int64_t>()}};
  for (const Json& pattern : json.at("mx"))
    policy.mx.push_back(require(sts::parse_mx_pattern(pattern.get<std::string>())));
  return policy;
}

Address read_address(const Json& json) {
  if (json.contains("cname")) return {.cname = read_name(json.at("cname"))};
  return {.a = json.at("a"), .aaaa = json.at("aaaa")};
}

// The value among `known` that is written as a word.
template <class T>
T read_word(const Json& json, std::initializer_list<T> known, std::string_view what) {
  const auto word = json.get<std::string>();
  for (const T one : known)
    if (word == to_string(one)) return one;
  throw BadPlan{fmt::format("unknown {} '{}'", what, printable(word))};
}

Desired read_desired(const dns::Name& domain, const Json& json) {
  Desired desired{.domain = domain, .dns = json.at("dns"), .host = json.at("host")};
  desired.policy = read_optional<sts::Policy>(json.at("policy"), read_policy);
  desired.mx_live = json.at("mx_live");
  desired.tlsrpt = read_optional<sts::TlsRptRecord>(
      json.at("tlsrpt"), [](const Json& j) { return sts::TlsRptRecord{.rua = j.at("rua")}; });
  desired.address = read_optional<Address>(json.at("address"), read_address);
  desired.id_strategy = read_word(
      json.at("id").at("strategy"),
      {IdStrategy::automatic, IdStrategy::timestamp, IdStrategy::digest, IdStrategy::fixed},
      "id strategy");
  desired.fixed_id = json.at("id").value("value", "");
  const Json& ttl = json.at("ttl");
  desired.ttls = {.sts = read_duration(ttl.at("sts")),
                  .tlsrpt = read_duration(ttl.at("tlsrpt")),
                  .address = read_duration(ttl.at("address"))};
  desired.retired = json.at("retired");
  desired.tlsrpt_retired = json.at("tlsrpt_retired");
  desired.takeover = json.at("takeover");
  desired.safety = read_word(json.at("safety"),
                             {SenderKind::prompt, SenderKind::daily, SenderKind::strict}, "safety");
  desired.edge_delay = Duration{json.at("edge_delay").get<std::int64_t>()};
  desired.as_configured = json.at("as_configured");
  desired.longest_max_age = read_duration(json.at("longest_max_age"));
  return desired;
}

Error read_error(const Json& json) {
  Error error{.what = json.at("what"), .where = json.at("where"), .hint = json.value("hint", "")};
  const std::string code = json.at("code");
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i)
    if (code == to_string(static_cast<Code>(i))) error.code = static_cast<Code>(i);
  return error;
}

Result<NameState> read_state(const Json& json) {
  if (json.contains("error")) return std::unexpected(read_error(json.at("error")));
  NameState state{.zone = read_name(json.at("zone")), .sets = {}};
  for (const Json& set : json.at("record_sets"))
    state.sets.push_back(read_set(set));
  return state;
}

std::string read_body(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  std::optional<std::string> body = decode_hex(json.at("hex").get<std::string>());
  if (!body) throw BadPlan{"a policy's hexadecimal digits are wrong"};
  return std::move(*body);
}

Result<LiveMx> read_mx(const Json& json) {
  if (json.contains("error")) return std::unexpected(read_error(json.at("error")));
  LiveMx mx{.hosts = {},
            .ttl = Duration{json.at("ttl").get<std::int64_t>()},
            .implicit = json.at("implicit")};
  for (const Json& host : json.at("hosts"))
    mx.hosts.push_back(read_name(host));
  return mx;
}

Observed read_observed(const dns::Name& domain, const Json& json) {
  const Json& policy = json.at("policy");
  Result<std::optional<std::string>> body;
  if (policy.is_object() && policy.contains("error"))
    body = std::unexpected(read_error(policy.at("error")));
  else
    body = read_optional<std::string>(policy, read_body);
  Observed observed{domain, read_state(json.at("sts")), read_state(json.at("tlsrpt")),
                    read_state(json.at("address")), std::move(body)};
  if (json.contains("mx")) observed.mx = read_mx(json.at("mx"));
  return observed;
}

PolicyServed read_wait(const dns::Name& domain, const Json& json) {
  PolicyServed wait{json.at("host"),
                    {domain, read_body(json.at("policy"))},
                    Duration{json.at("settle").get<std::int64_t>()},
                    Duration{json.at("deadline").get<std::int64_t>()},
                    json.at("outside").get<bool>()};
  if (json.contains("not_before"))
    wait.not_before = require(parse_time(json.at("not_before").get<std::string>()));
  return wait;
}

Action read_action(const dns::Name& domain, const Json& json) {
  const std::string kind = json.at("kind");
  const auto file = [&](const Json& j) { return PolicyFile{domain, read_body(j)}; };
  if (kind == "record_sets") {
    RecordChange change{json.at("dns"), read_name(json.at("zone")), {}};
    for (const Json& edit : json.at("edits"))
      change.edits.push_back({read_optional<dns::RecordSet>(edit.at("before"), read_set),
                              read_optional<dns::RecordSet>(edit.at("after"), read_set)});
    return change;
  }
  if (kind == "policy")
    return PolicyChange{json.at("host"),
                        {read_optional<PolicyFile>(json.at("before"), file),
                         read_optional<PolicyFile>(json.at("after"), file)}};
  if (kind == "wait_policy_served") return read_wait(domain, json);
  if (kind == "wait_caches_expired")
    return CachesExpired{Duration{json.at("settle").get<std::int64_t>()}};
  throw BadPlan{fmt::format("unknown kind of action '{}'", printable(kind))};
}

Stage read_stage(const std::string& word) {
  for (const Stage stage : stages)
    if (word == to_string(stage)) return stage;
  throw BadPlan{fmt::format("unknown stage '{}'", printable(word))};
}

Note read_note(const Json& json) {
  Note note{.id = json.at("id"), .text = json.at("text")};
  const std::string kind = json.at("kind");
  for (const Note::Kind known : {Note::Kind::info, Note::Kind::warning, Note::Kind::refusal})
    if (kind == to_string(known)) note.kind = known;
  return note;
}

Time read_time(const Json& json) {
  return require(parse_time(json.get<std::string>()));
}

MxState read_mx_state(const Json& json) {
  MxState mx;
  for (const Json& host : json.at("hosts"))
    mx.hosts.push_back(read_name(host));
  for (const Json& one : json.at("kept")) {
    Kept kept{.pattern = require(sts::parse_mx_pattern(one.at("pattern").get<std::string>()))};
    kept.why = read_word(one.at("why"), {Kept::Why::named, Kept::Why::leaving, Kept::Why::unknown},
                         "reason");
    if (one.contains("until")) kept.until = read_time(one.at("until"));
    mx.kept.push_back(std::move(kept));
  }
  if (json.contains("may_change")) {
    const Json& times = json.at("may_change");
    mx.may_change = {.prompt = read_time(times.at("prompt")),
                     .daily = read_time(times.at("daily")),
                     .strict = read_time(times.at("strict"))};
  }
  return mx;
}

RolloutGate read_gate(const Json& json) {
  return {json.at("what"), json.at("wanted"), json.at("figure"), json.at("holds")};
}

RolloutState read_rollout(const Json& json) {
  RolloutState state{.rollout = json.at("rollout")};
  state.action = read_word(json.at("action"),
                           {RolloutAction::undecided, RolloutAction::stay, RolloutAction::enter,
                            RolloutAction::promote, RolloutAction::brake, RolloutAction::refuse},
                           "action of a rollout");
  state.stages = json.at("stages");
  state.stage = json.at("stage");
  state.target = json.at("target");
  state.target_is = json.at("target_is");
  state.next_is = json.at("next_is");
  state.since = read_optional<Time>(json.at("since"), read_time);
  state.in_stage = read_duration(json.at("in_stage"));
  for (const Json& gate : json.at("gates"))
    state.gates.push_back(read_gate(gate));
  if (json.contains("brake")) state.brake = read_gate(json.at("brake"));
  state.earliest = read_optional<Time>(json.at("earliest"), read_time);
  for (const Json& reason : json.at("reasons"))
    state.reasons.push_back(reason);
  state.hint = json.value("hint", "");
  state.evidence_left_out = json.at("evidence_left_out");
  return state;
}

DomainPlan read_domain(const Json& json) {
  const dns::Name domain = read_name(json.at("domain"));
  DomainPlan plan{.desired = read_desired(domain, json.at("desired"))};
  if (json.contains("rollout")) plan.desired.rollout = Boxed(read_rollout(json.at("rollout")));
  if (json.contains("observed")) plan.observed = read_observed(domain, json.at("observed"));
  for (const Json& step : json.at("steps"))
    plan.steps.push_back({read_stage(step.at("stage")), read_action(domain, step.at("action")),
                          step.at("why").get<std::string>()});
  for (const Json& note : json.at("notes"))
    plan.notes.push_back(read_note(note));
  if (json.contains("error")) plan.error = read_error(json.at("error"));
  if (json.contains("mx")) plan.mx = read_mx_state(json.at("mx"));
  for (const Json& later : json.at("later"))
    plan.later.push_back({later.at("what"), read_optional<Time>(later.at("due"), read_time)});
  return plan;
}

Plan read_plan(const Json& json) {
  if (!json.is_object() || json.value("format", Json()) != "stsctl-plan")
    throw BadPlan{"'stsctl plan -o' did not write it"};
  if (json.at("version") != plan_format_version)
    throw BadPlan{fmt::format("its format version is {}, this program reads {}",
                              json.at("version").dump(), plan_format_version)};
  Plan plan{.created = require(parse_time(json.at("created").get<std::string>())),
            .valid_until = require(parse_time(json.at("valid_until").get<std::string>()))};
  for (const Json& domain : json.at("domains"))
    plan.domains.push_back(read_domain(domain));
  for (const Json& part : json.at("budget"))
    plan.budget.push_back({part.at("account"), part.at("requests"),
                           Duration{part.at("least_seconds").get<std::int64_t>()}});
  return plan;
}

}  // namespace

Result<Plan> plan_from_json(const std::string& text) {
  try {
    return read_plan(Json::parse(text));
  } catch (const BadPlan& bad) {
    return fail(Code::invalid, "the plan cannot be read: " + bad.what);
  } catch (const nlohmann::json::parse_error& bad) {
    return fail(Code::invalid, fmt::format("the plan cannot be read: no JSON at line {}",
                                           1 + std::ranges::count(text.substr(0, bad.byte), '\n')));
  } catch (const nlohmann::json::exception& bad) {
    // "[json.exception.out_of_range.403] key 'steps' not found"
    const std::string_view what = bad.what();
    const std::size_t begin = what.find("] ");
    return fail(Code::invalid, "the plan cannot be read: " +
                                   printable(what.substr(begin == what.npos ? 0 : begin + 2)));
  }
}

}  // namespace stsctl::plan
