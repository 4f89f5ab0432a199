#include "config/keys.h"

#include <algorithm>
#include <initializer_list>

#include "config/presets.h"

namespace stsctl::config {

namespace {

std::vector<std::string> preset_names() {
  std::vector<std::string> all;
  for (const Preset& preset : presets())
    all.push_back(preset.name);
  return all;
}

constexpr std::int64_t most_stages = 1000;

std::vector<SettingSpec> policy_fields() {
  return {{.name = "mode",
           .type = SettingType::choice,
           .description = "What senders do with a host that fails: nothing, report it, refuse it "
                          "(RFC 8461 §5).",
           .choices = {"none", "testing", "enforce"}},
          {.name = "mx",
           .type = SettingType::list,
           .description = "Hosts that may receive mail: names, or *.NAME for one label (RFC 8461 "
                          "§4.1); beside a preset they add to it. Or 'live': the hosts of the MX "
                          "records, looked up for each plan."},
          {.name = "max_age",
           .type = SettingType::duration,
           .description = "How long senders keep the policy, 1d to 31557600s.",
           .least = 86400,
           .most = 31557600}};
}

std::vector<SettingSpec> ttl_fields() {
  const auto ttl = [](const char* name, const char* what) {
    return SettingSpec{
        .name = name, .type = SettingType::duration, .description = what, .most = 2147483647};
  };
  return {ttl("sts", "TTL of the TXT record at _mta-sts.DOMAIN; new ones get 5m."),
          ttl("tlsrpt", "TTL of the TXT record at _smtp._tls.DOMAIN; new ones get 1d."),
          ttl("address", "TTL of the address record of mta-sts.DOMAIN; new ones get 1h.")};
}

SettingSpec address_key() {
  return {
      .name = "address",
      .type = SettingType::object,
      .description =
          "The address record of mta-sts.DOMAIN in place of the host's own; null: "
          "not managed.",
      .nullable = true,
      .fields = {{.name = "cname", .type = SettingType::name, .description = "A CNAME's target."},
                 {.name = "a", .type = SettingType::list, .description = "IPv4 addresses."},
                 {.name = "aaaa", .type = SettingType::list, .description = "IPv6 addresses."}}};
}

SettingSpec id_key() {
  return {
      .name = "id",
      .type = SettingType::object,
      .description = "How the policy's id is made; left out: automatic.",
      .fields = {{.name = "strategy",
                  .type = SettingType::choice,
                  .description = "automatic says when, until when and which; timestamp and digest "
                                 "say less; fixed is written by hand.",
                  .choices = {"automatic", "timestamp", "digest", "fixed"}},
                 {.name = "value",
                  .type = SettingType::text,
                  .description = "With fixed: 1 to 32 letters and digits.",
                  .pattern = "^[A-Za-z0-9]{1,32}$"}}};
}

std::vector<SettingSpec> gate_fields() {
  return {{.name = "sessions",
           .type = SettingType::integer,
           .description = "At least so many sessions, in reports on this very policy.",
           .least = 1,
           .most = 1'000'000'000'000},
          {.name = "failures",
           .type = SettingType::share,
           .description = "At most this share of them failed, within the time of 'for'."},
          {.name = "verify",
           .type = SettingType::choice,
           .description = "What senders see is without a fault ('stsctl verify').",
           .choices = {"pass"}}};
}

std::vector<SettingSpec> brake_fields() {
  return {{.name = "failures",
           .type = SettingType::share,
           .description = "More than this share of the sessions failed.",
           .required = true},
          {.name = "within",
           .type = SettingType::duration,
           .description = "For so long back; left out: 1d.",
           .least = 3600}};
}

std::vector<SettingSpec> make_stage_keys() {
  return {{.name = "mode",
           .type = SettingType::choice,
           .description = "The policy's mode in this stage.",
           .required = true,
           .choices = {"testing", "enforce"}},
          {.name = "max_age",
           .type = SettingType::duration,
           .description = "The policy's max_age in this stage, 1d to 31557600s.",
           .required = true,
           .least = 86400,
           .most = 31557600},
          {.name = "for",
           .type = SettingType::duration,
           .description = "The stage lasts at least so long."},
          {.name = "gate",
           .type = SettingType::object,
           .description = "What must hold before the next stage, beside the time.",
           .fields = gate_fields()},
          {.name = "brake",
           .type = SettingType::object,
           .description = "When the domain goes back to testing.",
           .fields = brake_fields()}};
}

std::vector<SettingSpec> rollout_keys() {
  return {
      {.name = "rollout",
       .type = SettingType::text,
       .description =
           "The entry under 'rollouts' that chooses the policy's mode and max_age, stage "
           "by stage; null: none.",
       .nullable = true},
      {.name = "hold",
       .type = SettingType::boolean,
       .description = "With a rollout: no further stage; a brake is pulled all the same."},
      {.name = "stage",
       .type = SettingType::integer,
       .description = "With a rollout: this stage, counted from 1, whatever the evidence.",
       .least = 1,
       .most = most_stages},
      {.name = "start",
       .type = SettingType::integer,
       .description = "With a rollout: the stage, counted from 1, at which a domain begins that "
                      "enforces already.",
       .least = 1,
       .most = most_stages}};
}

// What ends, and what is reported meanwhile.
std::vector<SettingSpec> tlsrpt_and_state_keys() {
  return {
      {.name = "tlsrpt",
       .type = SettingType::object,
       .description = "Where senders report TLS failures (RFC 8460 §3); null: not managed.",
       .nullable = true,
       .fields = {{.name = "rua",
                   .type = SettingType::list,
                   .description = "mailto: and https: URIs."},
                  {.name = "state",
                   .type = SettingType::choice,
                   .description = "retired: the record is taken out; where MTA-STS is retired too, "
                                  "after everything else. Left out: managed.",
                   .choices = {"managed", "retired"}}}},
      {.name = "state",
       .type = SettingType::choice,
       .description = "retired: MTA-STS ends here, in an order that strands no sender (mode none, "
                      "a wait, then all of it is taken out). Left out: managed.",
       .choices = {"managed", "retired"}}};
}

std::vector<SettingSpec> joined(std::initializer_list<std::vector<SettingSpec>> parts) {
  std::vector<SettingSpec> all;
  for (const std::vector<SettingSpec>& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

// Whose records and policy, and which policy.
std::vector<SettingSpec> policy_keys() {
  return {{.name = "dns",
           .type = SettingType::text,
           .description = "The account under 'dns' that holds the domain's records."},
          {.name = "host",
           .type = SettingType::text,
           .description = "The account under 'hosts' that serves the domain's policy."},
          {.name = "preset",
           .type = SettingType::choice,
           .description = "The mx patterns of a mailbox provider.",
           .choices = preset_names()},
          {.name = "policy",
           .type = SettingType::object,
           .description = "The MTA-STS policy (RFC 8461 §3.2); null: not managed.",
           .nullable = true,
           .fields = policy_fields()}};
}

std::vector<SettingSpec> other_keys() {
  return {
      address_key(),
      id_key(),
      {.name = "ttl",
       .type = SettingType::object,
       .description = "How long resolvers may keep the records; left out: as they are.",
       .fields = ttl_fields()},
      {.name = "safety",
       .type = SettingType::choice,
       .description = "The senders that a change of MX records is to wait for: strict ones keep a "
                      "policy for its max_age, daily ones look at the id every day, prompt ones "
                      "each time; left out: strict.",
       .choices = {"strict", "daily", "prompt"}},
      {.name = "takeover",
       .type = SettingType::boolean,
       .description =
           "May replace a CNAME at _mta-sts or _smtp._tls, where another service answers."},
      {.name = "longest_max_age",
       .type = SettingType::duration,
       .description = "The longest max_age that was ever served before stsctl; left out: the "
                      "longest the RFC allows.",
       .most = 31557600},
  };
}

std::vector<SettingSpec> make_domain_keys() {
  return joined({policy_keys(), rollout_keys(), tlsrpt_and_state_keys(), other_keys()});
}

}  // namespace

const std::vector<SettingSpec>& domain_keys() {
  static const std::vector<SettingSpec> keys = make_domain_keys();
  return keys;
}

const std::vector<SettingSpec>& fields_of(const std::string& domain_key) {
  return std::ranges::find(domain_keys(), domain_key, &SettingSpec::name)->fields;
}

const std::vector<SettingSpec>& stage_keys() {
  static const std::vector<SettingSpec> keys = make_stage_keys();
  return keys;
}

const std::vector<SettingSpec>& stage_fields_of(const std::string& stage_key) {
  return std::ranges::find(stage_keys(), stage_key, &SettingSpec::name)->fields;
}

const std::vector<SettingSpec>& rollout_keys() {
  static const std::vector<SettingSpec> keys{
      {.name = "stages",
       .type = SettingType::list,
       .description = "The stages, in their order.",
       .required = true},
      {.name = "result_types",
       .type = SettingType::object,
       .description = "What failures of a TLS-RPT result type do: show, block a gate, or brake."},
  };
  return keys;
}

const std::vector<SettingSpec>& file_keys() {
  static const std::vector<SettingSpec> keys{
      {.name = "version",
       .type = SettingType::integer,
       .description = "1.",
       .required = true,
       .least = 1,
       .most = 1},
      {.name = "include",
       .type = SettingType::list,
       .description = "More files, by name or glob, relative to this one."},
      {.name = "dns", .type = SettingType::object, .description = "Accounts that hold records."},
      {.name = "hosts", .type = SettingType::object, .description = "Where policies are served."},
      {.name = "rollouts",
       .type = SettingType::object,
       .description = "Stages that lead a domain from testing to enforce, by name."},
      {.name = "defaults",
       .type = SettingType::object,
       .description = "What holds for every domain that does not say otherwise."},
      {.name = "groups",
       .type = SettingType::object,
       .description = "Domains with defaults of their own."},
      {.name = "domains", .type = SettingType::object, .description = "The mail domains."},
      {.name = "reports",
       .type = SettingType::object,
       .description = "TLS-RPT reports (RFC 8460) that senders send.",
       .nullable = true,
       .fields = report_keys()},
  };
  return keys;
}

const std::vector<SettingSpec>& report_keys() {
  static const std::vector<SettingSpec> keys{
      {.name = "store",
       .type = SettingType::path,
       .description = "The file that reports are kept in, an SQLite database.",
       .fallback = "stsctl-reports.sqlite3"},
      {.name = "authserv_ids",
       .type = SettingType::list,
       .description = "The names that your mail servers give themselves in Authentication-Results; "
                      "what they say of DKIM makes a report verified (RFC 8601)."},
      {.name = "signers",
       .type = SettingType::list,
       .description = "Domains whose signed reports count as evidence; left out: those of any."},
  };
  return keys;
}

const std::vector<SettingSpec>& group_keys() {
  static const std::vector<SettingSpec> keys{
      {.name = "defaults",
       .type = SettingType::object,
       .description = "What holds for this group's domains."},
      {.name = "domains", .type = SettingType::object, .description = "The group's domains."},
  };
  return keys;
}

std::vector<std::string> names(const std::vector<SettingSpec>& specs) {
  std::vector<std::string> all;
  for (const SettingSpec& spec : specs)
    all.push_back(spec.name);
  return all;
}

}  // namespace stsctl::config
