#include "sts/interoperability.h"

#include <array>
#include <string>

#include <fmt/format.h>

namespace stsctl::sts {

namespace {

constexpr const char* rule = "interoperability";
constexpr std::size_t chasquid_limit = 10240;

// A form that some program reads otherwise.
struct FormHabit {
  std::size_t PolicyForm::* line;
  const char* says;
};

constexpr std::array form_habits{
    FormHabit{&PolicyForm::version_late,
              "'version' is not on the first line: Google's help asks for it there"},
    FormHabit{&PolicyForm::trailing_blank,
              "blank at the end of the line: checkdmarc rejects it after some fields"},
    FormHabit{&PolicyForm::extension,
              "unknown field: senders ignore it, checkdmarc rejects the policy"},
    FormHabit{&PolicyForm::repeated,
              "field repeated: KumoMTA, the EFF checker and checkdmarc reject the policy"},
    FormHabit{&PolicyForm::repeated_other,
              "field repeated with another value: the first counts by the RFC, for mox and "
              "postfix-tlspol, the last for chasquid, go-mtasts, mailauth, "
              "postfix-mta-sts-resolver and Stalwart"},
    FormHabit{&PolicyForm::repeated_invalid,
              "field repeated with an invalid value: the RFC ignores it, but chasquid, go-mtasts, "
              "KumoMTA, mailauth, mox, postfix-mta-sts-resolver and Stalwart reject the policy"},
};

// A value that some program does not accept or changes.
struct ValueHabit {
  bool (*applies)(const Policy& policy, const PolicyForm& form);
  const char* says;
};

constexpr std::array value_habits{
    ValueHabit{[](const Policy& policy, const PolicyForm&) {
                 return policy.mode == Mode::none && policy.mx.empty();
               },
               "mode none without mx: chasquid, Stalwart and the EFF checker reject it and may go "
               "on with an old enforce policy; keep the mx lines"},
    ValueHabit{[](const Policy& policy, const PolicyForm&) { return policy.max_age.count() == 0; },
               "max_age 0: chasquid and the EFF checker reject it"},
    ValueHabit{
        [](const Policy& policy, const PolicyForm&) { return policy.max_age.count() < 3600; },
        "max_age below 3600: Stalwart makes 86400 of it"},
    ValueHabit{[](const Policy& policy, const PolicyForm&) {
                 return policy.max_age < min_published_max_age;
               },
               "max_age below 86400: Google's help asks for at least that"},
    ValueHabit{[](const Policy& policy, const PolicyForm&) {
                 return policy.mode == Mode::enforce && policy.max_age.count() < 604800;
               },
               "max_age below 604800 with enforce: Mimecast's library rejects it"},
    ValueHabit{[](const Policy&, const PolicyForm& form) { return form.bytes > chasquid_limit; },
               "more than 10 KB: chasquid reads no further"},
};

struct RecordHabit {
  bool RecordForm::* form;
  const char* says;
};

constexpr std::array sts_habits{
    RecordHabit{&RecordForm::blank_after_version,
                "blank before the ';' after 'v=STSv1': chasquid sees no record; write 'v=STSv1;' "
                "(RFC 8461 erratum 6285)"},
    RecordHabit{&RecordForm::extension,
                "unknown field: senders ignore it, mailauth rejects some of its characters"},
    RecordHabit{
        &RecordForm::repeated,
        "the field 'id' is repeated: by RFC 8461 §3.2 the first counts; do not count on it"},
    RecordHabit{&RecordForm::accompanied,
                "other TXT records stand at this name: go-mtasts and maddy want exactly one, "
                "KumoMTA joins them all"},
};

constexpr std::array tlsrpt_habits{
    RecordHabit{&RecordForm::blank_after_version,
                "blank before the ';' after 'v=TLSRPTv1': RFC 8460 §3 discards a record that does "
                "not begin 'v=TLSRPTv1;' where several stand"},
    RecordHabit{&RecordForm::repeated,
                "the field 'rua' is repeated: sys4's reporter reads the first only, checkdmarc "
                "rejects the record; put all URIs in one"},
    RecordHabit{&RecordForm::blank_at_comma,
                "blank beside a ',' in rua: sys4's reporter takes it as part of the URI"},
};

Finding warning(std::string message) {
  return {Severity::warning, rule, std::move(message)};
}

std::vector<Finding> record_warnings(const auto& habits, const RecordForm& form) {
  std::vector<Finding> findings;
  for (const RecordHabit& habit : habits)
    if (form.*habit.form) findings.push_back(warning(habit.says));
  return findings;
}

}  // namespace

std::vector<Finding> policy_warnings(const Policy& policy, const PolicyForm& form) {
  std::vector<Finding> findings;
  for (const FormHabit& habit : form_habits)
    if (const std::size_t line = form.*habit.line; line > 0)
      findings.push_back(warning(fmt::format("line {}: {}", line, habit.says)));
  for (const ValueHabit& habit : value_habits)
    if (habit.applies(policy, form)) findings.push_back(warning(habit.says));
  return findings;
}

std::vector<Finding> sts_record_warnings(const RecordForm& form) {
  return record_warnings(sts_habits, form);
}

std::vector<Finding> tlsrpt_record_warnings(const RecordForm& form) {
  return record_warnings(tlsrpt_habits, form);
}

}  // namespace stsctl::sts
