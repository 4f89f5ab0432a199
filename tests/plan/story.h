#pragma once
// A domain whose world is a value: plans are made and their steps taken without any I/O, so that a
// story of several changes, crashes included, is a few lines.

#include <optional>
#include <string>
#include <vector>

#include "plan/make.h"
#include "sts/policy_id.h"

namespace stsctl::plan {

class Story {
 public:
  Story() : domain(*dns::Name::parse("example.com")), desired{.domain = domain} {
    desired.dns = "dns";
    desired.host = "web";
    desired.policy = policy("testing", "1d");
  }

  static sts::Policy policy(const std::string& mode, const std::string& max_age,
                            const std::vector<std::string>& mx = {"mail.example.com"}) {
    sts::Policy made{*sts::parse_mode(mode), {}, *parse_duration(max_age)};
    for (const std::string& pattern : mx)
      made.mx.push_back(*sts::parse_mx_pattern(pattern));
    return made;
  }

  Observed observed() const {
    const auto state = [&](const dns::Name& owner) {
      NameState name{domain, {}};
      for (const dns::RecordSet& set : sets)
        if (set.owner == owner) name.sets.push_back(set);
      return name;
    };
    const Owners names = owners(domain);
    Observed seen{domain, state(names.sts), state(names.tlsrpt), state(names.address), body};
    if (mx) seen.mx = *mx;
    return seen;
  }

  DomainPlan plan() const { return make_domain(desired, observed(), {now, valid_for}); }

  // Takes the first `most` steps of the plan, as a crash after them would leave it.
  DomainPlan apply(std::size_t most = 99) {
    const DomainPlan made = plan();
    for (const Step& step : made.steps) {
      if (most-- == 0) break;
      take(step);
    }
    return made;
  }

  void take(const Step& step) {
    if (const auto* change = std::get_if<RecordChange>(&step.action))
      for (const RecordEdit& edit : change->edits) {
        if (edit.before) std::erase(sets, *edit.before);
        if (edit.after) sets.push_back(*edit.after);
      }
    if (const auto* change = std::get_if<PolicyChange>(&step.action))
      body = change->edit.after ? std::optional(change->edit.after->body) : std::nullopt;
  }

  std::string txt() const {
    for (const dns::RecordSet& set : sets)
      if (set.owner == owners(domain).sts && set.type == dns::Type::txt) return set.values.front();
    return "";
  }
  std::string id() const {
    const auto record = sts::parse_sts_record(txt()).value;
    return record ? record->id : "";
  }
  std::optional<sts::PolicyId> generated() const { return sts::parse_policy_id(id()); }
  void set_txt(const std::string& value) {
    const dns::Name owner = owners(domain).sts;
    std::erase_if(sets, [&](const dns::RecordSet& set) { return set.owner == owner; });
    sets.push_back({owner, dns::Type::txt, Duration{300}, {value}});
  }

  dns::Name domain;
  Desired desired;
  std::vector<dns::RecordSet> sets;
  std::optional<std::string> body;
  std::optional<LiveMx> mx;  // none: nobody looked
  Time now = *parse_time("2026-11-24T08:00:00Z");
  Duration valid_for{0};
};

}  // namespace stsctl::plan
