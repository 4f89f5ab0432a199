#include "plan/plan.h"

#include <algorithm>

namespace stsctl::plan {

Owners owners(const dns::Name& domain) {
  return {domain.under("_mta-sts"), domain.under("_smtp._tls"), domain.under("mta-sts")};
}

const char* to_string(IdStrategy strategy) {
  switch (strategy) {
    case IdStrategy::automatic:
      return "automatic";
    case IdStrategy::timestamp:
      return "timestamp";
    case IdStrategy::digest:
      return "digest";
    case IdStrategy::fixed:
      return "fixed";
  }
  return "automatic";
}

const char* to_string(Stage stage) {
  switch (stage) {
    case Stage::prepare:
      return "prepare";
    case Stage::publish:
      return "publish";
    case Stage::confirm:
      return "confirm";
    case Stage::redirect:
      return "redirect";
    case Stage::announce:
      return "announce";
    case Stage::retract:
      return "retract";
    case Stage::withdraw:
      return "withdraw";
    case Stage::release:
      return "release";
  }
  return "prepare";
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

const char* to_string(Kept::Why why) {
  switch (why) {
    case Kept::Why::named:
      return "named";
    case Kept::Why::leaving:
      return "leaving";
    case Kept::Why::unknown:
      return "unknown";
  }
  return "unknown";
}

Time safe_for(SenderKind kind, const SafeFrom& safe) {
  switch (kind) {
    case SenderKind::prompt:
      return safe.prompt;
    case SenderKind::daily:
      return safe.daily;
    case SenderKind::strict:
      return safe.strict;
  }
  return safe.strict;
}

std::string describe(const Later& later) {
  return later.due ? later.what + ", from " + format_time(*later.due) + " on" : later.what;
}

bool DomainPlan::refused() const {
  return (error && error->code == Code::refused) ||
         std::ranges::any_of(notes,
                             [](const Note& note) { return note.kind == Note::Kind::refusal; });
}

Counts count(const Plan& plan) {
  Counts counts;
  for (const DomainPlan& domain : plan.domains) {
    if (domain.refused())
      ++counts.refused;
    else if (domain.error)
      ++counts.failed;
    else if (domain.changed())
      ++counts.changed;
    else
      ++counts.unchanged;
    if (!domain.later.empty() && !domain.refused()) ++counts.unfinished;
  }
  return counts;
}

}  // namespace stsctl::plan
