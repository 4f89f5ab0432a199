// Plans as JSON: schemas/plan.schema.json. The one file of this folder that knows nlohmann/json.

#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"
#include "plan/plan.h"

namespace stsctl::plan {

namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 1;

// What a reader throws inside this file; it never leaves it.
struct BadPlan {
  std::string what;
};

template <class T>
T require(Result<T> result) {
  if (!result) throw BadPlan{result.error().what};
  return std::move(*result);
}

// ---- writing ----

Json write(const dns::RecordSet& set) {
  return {{"owner", set.owner.text()},
          {"type", dns::to_string(set.type)},
          {"ttl", set.ttl.count()},
          {"values", set.values}};
}

Json write(const Error& error) {
  Json json{{"code", to_string(error.code)}, {"what", error.what}, {"where", error.where}};
  if (!error.hint.empty()) json["hint"] = error.hint;
  return json;
}

// A TXT value is bytes; JSON is UTF-8. Presentation form is both.
Json write_values(dns::RecordSet set) {
  if (set.type == dns::Type::txt)
    for (std::string& value : set.values)
      value = dns::encode_txt(value);
  return write(set);
}

template <class T, class Write>
Json write_optional(const std::optional<T>& value, Write write_one) {
  return value ? write_one(*value) : Json(nullptr);
}

Json write_policy(const sts::Policy& policy) {
  Json mx = Json::array();
  for (const sts::MxPattern& pattern : policy.mx)
    mx.push_back(sts::format_mx_pattern(pattern));
  return {{"mode", sts::to_string(policy.mode)},
          {"mx", std::move(mx)},
          {"max_age", policy.max_age.count()}};
}

Json write_address(const Address& address) {
  if (address.cname) return {{"cname", address.cname->text()}};
  return {{"a", address.a}, {"aaaa", address.aaaa}};
}

Json write_duration(const std::optional<Duration>& duration) {
  return duration ? Json(duration->count()) : Json(nullptr);
}

Json write_desired(const Desired& desired) {
  Json json{{"dns", desired.dns}, {"host", desired.host}};
  json["policy"] = write_optional(desired.policy, write_policy);
  json["tlsrpt"] = write_optional(
      desired.tlsrpt, [](const sts::TlsRptRecord& record) { return Json{{"rua", record.rua}}; });
  json["address"] = write_optional(desired.address, write_address);
  json["id"] = {{"strategy", to_string(desired.id_strategy)}};
  if (desired.id_strategy == IdStrategy::fixed) json["id"]["value"] = desired.fixed_id;
  json["ttl"] = {{"sts", write_duration(desired.ttls.sts)},
                 {"tlsrpt", write_duration(desired.ttls.tlsrpt)},
                 {"address", write_duration(desired.ttls.address)}};
  json["takeover"] = desired.takeover;
  json["edge_delay"] = desired.edge_delay.count();
  json["longest_max_age"] = write_duration(desired.longest_max_age);
  return json;
}

Json write_name(const Result<NameState>& state) {
  if (!state) return {{"error", write(state.error())}};
  Json sets = Json::array();
  for (const dns::RecordSet& set : state->sets)
    sets.push_back(write_values(set));
  return {{"zone", state->zone.text()}, {"record_sets", std::move(sets)}};
}

// A body is bytes as well; one that is no plain text is kept as hexadecimal digits.
Json write_body(const std::string& body) {
  for (const std::string_view line : split(body, '\n'))
    if (printable(trim(line)) != trim(line)) return {{"hex", hex(body)}};
  return body;
}

Json write_mx(const Result<LiveMx>& mx) {
  if (!mx) return {{"error", write(mx.error())}};
  Json hosts = Json::array();
  for (const dns::Name& host : mx->hosts)
    hosts.push_back(host.text());
  return {{"hosts", std::move(hosts)}, {"ttl", mx->ttl.count()}};
}

Json write_observed(const Observed& observed) {
  Json json{{"sts", write_name(observed.sts)},
            {"tlsrpt", write_name(observed.tlsrpt)},
            {"address", write_name(observed.address)}};
  json["policy"] = !observed.policy   ? Json{{"error", write(observed.policy.error())}}
                   : *observed.policy ? write_body(**observed.policy)
                                      : Json(nullptr);
  if (observed.mx) json["mx"] = write_mx(*observed.mx);
  return json;
}

Json write_action(const RecordChange& change) {
  Json edits = Json::array();
  for (const RecordEdit& edit : change.edits)
    edits.push_back({{"before", write_optional(edit.before, write_values)},
                     {"after", write_optional(edit.after, write_values)}});
  return {{"kind", "record_sets"},
          {"dns", change.dns},
          {"zone", change.zone.text()},
          {"edits", std::move(edits)}};
}

Json write_action(const PolicyChange& change) {
  const auto body = [](const PolicyFile& file) { return write_body(file.body); };
  return {{"kind", "policy"},
          {"host", change.host},
          {"before", write_optional(change.edit.before, body)},
          {"after", write_optional(change.edit.after, body)}};
}

Json write_action(const PolicyServed& wait) {
  return {{"kind", "wait_policy_served"},         {"host", wait.host},
          {"policy", write_body(wait.file.body)}, {"settle", wait.settle.count()},
          {"deadline", wait.deadline.count()},    {"outside", wait.outside}};
}

const char* to_string(Note::Kind kind) {
  switch (kind) {
    case Note::Kind::info:
      return "info";
    case Note::Kind::warning:
      return "warning";
    case Note::Kind::refusal:
      return "refusal";
  }
  return "info";
}

const char* state_of(const DomainPlan& plan) {
  if (plan.refused()) return "refused";
  if (plan.error) return "failed";
  return plan.changed() ? "changed" : "unchanged";
}

Json write_domain(const DomainPlan& plan) {
  Json json{{"domain", plan.domain().text()}, {"state", state_of(plan)}};
  json["desired"] = write_desired(plan.desired);
  if (plan.observed) json["observed"] = write_observed(*plan.observed);
  Json steps = Json::array();
  for (const Step& step : plan.steps)
    steps.push_back(
        {{"stage", to_string(step.stage)},
         {"why", step.why},
         {"action", std::visit([](const auto& a) { return write_action(a); }, step.action)}});
  json["steps"] = std::move(steps);
  Json notes = Json::array();
  for (const Note& note : plan.notes)
    notes.push_back({{"kind", to_string(note.kind)}, {"id", note.id}, {"text", note.text}});
  json["notes"] = std::move(notes);
  if (plan.error) json["error"] = write(*plan.error);
  return json;
}

// ---- reading ----

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

IdStrategy read_strategy(const std::string& word) {
  for (const IdStrategy strategy :
       {IdStrategy::automatic, IdStrategy::timestamp, IdStrategy::digest, IdStrategy::fixed})
    if (word == to_string(strategy)) return strategy;
  throw BadPlan{fmt::format("unknown id strategy '{}'", printable(word))};
}

Desired read_desired(const dns::Name& domain, const Json& json) {
  Desired desired{.domain = domain, .dns = json.at("dns"), .host = json.at("host")};
  desired.policy = read_optional<sts::Policy>(json.at("policy"), read_policy);
  desired.tlsrpt = read_optional<sts::TlsRptRecord>(
      json.at("tlsrpt"), [](const Json& j) { return sts::TlsRptRecord{.rua = j.at("rua")}; });
  desired.address = read_optional<Address>(json.at("address"), read_address);
  desired.id_strategy = read_strategy(json.at("id").at("strategy"));
  desired.fixed_id = json.at("id").value("value", "");
  const Json& ttl = json.at("ttl");
  desired.ttls = {.sts = read_duration(ttl.at("sts")),
                  .tlsrpt = read_duration(ttl.at("tlsrpt")),
                  .address = read_duration(ttl.at("address"))};
  desired.takeover = json.at("takeover");
  desired.edge_delay = Duration{json.at("edge_delay").get<std::int64_t>()};
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
  const std::string digits = json.at("hex");
  std::string body;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    unsigned byte = 0;
    if (std::from_chars(&digits[at], &digits[at] + 2, byte, 16).ptr != &digits[at] + 2)
      throw BadPlan{"a policy's hexadecimal digits are wrong"};
    body += static_cast<char>(byte);
  }
  return body;
}

Result<LiveMx> read_mx(const Json& json) {
  if (json.contains("error")) return std::unexpected(read_error(json.at("error")));
  LiveMx mx{.hosts = {}, .ttl = Duration{json.at("ttl").get<std::int64_t>()}};
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

std::variant<RecordChange, PolicyChange, PolicyServed> read_action(const dns::Name& domain,
                                                                   const Json& json) {
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
  if (kind == "wait_policy_served")
    return PolicyServed{
        json.at("host"), file(json.at("policy")), Duration{json.at("settle").get<std::int64_t>()},
        Duration{json.at("deadline").get<std::int64_t>()}, json.at("outside").get<bool>()};
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

DomainPlan read_domain(const Json& json) {
  const dns::Name domain = read_name(json.at("domain"));
  DomainPlan plan{.desired = read_desired(domain, json.at("desired"))};
  if (json.contains("observed")) plan.observed = read_observed(domain, json.at("observed"));
  for (const Json& step : json.at("steps"))
    plan.steps.push_back({read_stage(step.at("stage")), read_action(domain, step.at("action")),
                          step.at("why").get<std::string>()});
  for (const Json& note : json.at("notes"))
    plan.notes.push_back(read_note(note));
  if (json.contains("error")) plan.error = read_error(json.at("error"));
  return plan;
}

Plan read_plan(const Json& json) {
  if (json.at("format") != "stsctl-plan") throw BadPlan{"it is no stsctl plan"};
  if (json.at("version") != format_version)
    throw BadPlan{fmt::format("its format version is {}, this program reads {}",
                              json.at("version").dump(), format_version)};
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

std::string to_json(const Plan& plan) {
  const Counts counts = count(plan);
  Json json{{"format", "stsctl-plan"},
            {"version", format_version},
            {"created", format_time(plan.created)},
            {"valid_until", format_time(plan.valid_until)}};
  json["summary"] = {{"changed", counts.changed},
                     {"unchanged", counts.unchanged},
                     {"refused", counts.refused},
                     {"failed", counts.failed}};
  json["budget"] = Json::array();
  for (const RequestBudget& part : plan.budget)
    json["budget"].push_back({{"account", part.account},
                              {"requests", part.requests},
                              {"least_seconds", part.least_time.count()}});
  Json domains = Json::array();
  for (const DomainPlan& domain : plan.domains)
    domains.push_back(write_domain(domain));
  json["domains"] = std::move(domains);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Plan> plan_from_json(const std::string& text) {
  try {
    return read_plan(Json::parse(text));
  } catch (const BadPlan& bad) {
    return fail(Code::invalid, "the plan cannot be read: " + bad.what);
  } catch (const nlohmann::json::exception& bad) {
    return fail(Code::invalid, "the plan cannot be read: " + printable(bad.what()));
  }
}

}  // namespace stsctl::plan
