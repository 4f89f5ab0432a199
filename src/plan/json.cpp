// Writes plans as JSON: schemas/plan.schema.json.

#include <utility>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"
#include "plan/plan.h"

namespace stsctl::plan {

namespace {

using Json = nlohmann::ordered_json;

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
  json["mx_live"] = desired.mx_live;
  json["tlsrpt"] = write_optional(
      desired.tlsrpt, [](const sts::TlsRptRecord& record) { return Json{{"rua", record.rua}}; });
  json["address"] = write_optional(desired.address, write_address);
  json["id"] = {{"strategy", to_string(desired.id_strategy)}};
  if (desired.id_strategy == IdStrategy::fixed) json["id"]["value"] = desired.fixed_id;
  json["ttl"] = {{"sts", write_duration(desired.ttls.sts)},
                 {"tlsrpt", write_duration(desired.ttls.tlsrpt)},
                 {"address", write_duration(desired.ttls.address)}};
  json["retired"] = desired.retired;
  json["tlsrpt_retired"] = desired.tlsrpt_retired;
  json["takeover"] = desired.takeover;
  json["safety"] = to_string(desired.safety);
  json["edge_delay"] = desired.edge_delay.count();
  json["as_configured"] = desired.as_configured;
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
  return {{"hosts", std::move(hosts)}, {"ttl", mx->ttl.count()}, {"implicit", mx->implicit}};
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
  Json json{{"kind", "wait_policy_served"},         {"host", wait.host},
            {"policy", write_body(wait.file.body)}, {"settle", wait.settle.count()},
            {"deadline", wait.deadline.count()},    {"outside", wait.outside}};
  if (wait.not_before) json["not_before"] = format_time(*wait.not_before);
  return json;
}

Json write_action(const CachesExpired& wait) {
  return {{"kind", "wait_caches_expired"}, {"settle", wait.settle.count()}};
}

Json write(const MxState& mx) {
  Json hosts = Json::array();
  for (const dns::Name& host : mx.hosts)
    hosts.push_back(host.text());
  Json kept = Json::array();
  for (const Kept& one : mx.kept) {
    kept.push_back({{"pattern", sts::format_mx_pattern(one.pattern)}, {"why", to_string(one.why)}});
    if (one.until) kept.back()["until"] = format_time(*one.until);
  }
  Json json{{"hosts", std::move(hosts)}, {"kept", std::move(kept)}};
  if (mx.may_change)
    json["may_change"] = {{"prompt", format_time(mx.may_change->prompt)},
                          {"daily", format_time(mx.may_change->daily)},
                          {"strict", format_time(mx.may_change->strict)}};
  return json;
}

Json write(const Later& later) {
  return {{"what", later.what}, {"due", later.due ? Json(format_time(*later.due)) : Json(nullptr)}};
}

Json write(const RolloutGate& gate) {
  return {
      {"what", gate.what}, {"wanted", gate.wanted}, {"figure", gate.figure}, {"holds", gate.holds}};
}

Json write(const RolloutState& state) {
  const auto time = [](const Time& at) { return Json(format_time(at)); };
  Json gates = Json::array();
  for (const RolloutGate& gate : state.gates)
    gates.push_back(write(gate));
  Json json{{"rollout", state.rollout},
            {"action", to_string(state.action)},
            {"stages", state.stages},
            {"stage", state.stage},
            {"target", state.target},
            {"target_is", state.target_is},
            {"next_is", state.next_is},
            {"since", write_optional(state.since, time)},
            {"in_stage", write_duration(state.in_stage)},
            {"gates", std::move(gates)}};
  if (state.brake) json["brake"] = write(*state.brake);
  json["earliest"] = write_optional(state.earliest, time);
  json["reasons"] = state.reasons;
  if (!state.hint.empty()) json["hint"] = state.hint;
  json["evidence_left_out"] = state.evidence_left_out;
  return json;
}

const char* state_of(const DomainPlan& plan) {
  if (plan.refused()) return "refused";
  if (plan.error) return "failed";
  return plan.changed() ? "changed" : "unchanged";
}

Json write_domain(const DomainPlan& plan) {
  Json json{{"domain", plan.domain().text()}, {"state", state_of(plan)}};
  json["desired"] = write_desired(plan.desired);
  if (plan.desired.rollout) json["rollout"] = write(*plan.desired.rollout);
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
  if (plan.mx) json["mx"] = write(*plan.mx);
  Json later = Json::array();
  for (const Later& one : plan.later)
    later.push_back(write(one));
  json["later"] = std::move(later);
  return json;
}

}  // namespace

std::string to_json(const Plan& plan) {
  const Counts counts = count(plan);
  Json json{{"format", "stsctl-plan"},
            {"version", plan_format_version},
            {"created", format_time(plan.created)},
            {"valid_until", format_time(plan.valid_until)}};
  json["summary"] = {{"changed", counts.changed},
                     {"unchanged", counts.unchanged},
                     {"refused", counts.refused},
                     {"failed", counts.failed},
                     {"unfinished", counts.unfinished}};
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

}  // namespace stsctl::plan
