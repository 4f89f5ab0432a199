#pragma once
// A plan is data: per domain, steps in the order they must happen. It can be saved, compared,
// reviewed and refused. Knows no provider, no clock, no network, no terminal.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "plan/desired.h"
#include "plan/observed.h"

namespace stsctl::plan {

/// One edit of one object: no `before` creates it, no `after` removes it.
template <class T>
struct Edit {
  std::optional<T> before;
  std::optional<T> after;
  bool operator==(const Edit&) const = default;
};

/// What an edit is about: the object as it becomes or, where it goes, as it was.
template <class T>
const T& subject(const Edit<T>& edit) {
  return edit.after ? *edit.after : *edit.before;
}

/// The policy file of one domain, as bytes at its host.
struct PolicyFile {
  dns::Name domain;
  std::string body;
  bool operator==(const PolicyFile&) const = default;
};

using RecordEdit = Edit<dns::RecordSet>;
using PolicyEdit = Edit<PolicyFile>;

/// A change of record sets at one name. Several edits at one name (a CNAME replaced by a TXT set)
/// belong together and are written in one call.
struct RecordChange {
  std::string dns;  ///< Key under `dns:`.
  dns::Name zone;
  std::vector<RecordEdit> edits;
  bool operator==(const RecordChange&) const = default;
};

/// A change of the policy file.
struct PolicyChange {
  std::string host;  ///< Key under `hosts:`.
  PolicyEdit edit;
  bool operator==(const PolicyChange&) const = default;
};

/// Wait until the policy file written before is served as written, and until no cache before the
/// host can serve an older one any more; steps after it are not taken when `deadline` passes first.
struct PolicyServed {
  std::string host;
  PolicyFile file;
  Duration settle{0};      ///< Since the host serves it; Desired::edge_delay.
  Duration deadline{300};  ///< Beyond `settle`.
  /// By senders too, at every address of the host; false while the address is another host's.
  bool outside = true;
  /// A removal: not before then, by the clock of those who serve the policy too.
  std::optional<Time> not_before = {};
  bool operator==(const PolicyServed&) const = default;
};

/// Wait until no resolver holds a record any more that every server of its zone has lost.
struct CachesExpired {
  Duration settle{0};  ///< The record's TTL.
  bool operator==(const CachesExpired&) const = default;
};

/// What kind of step, in the order the engine takes them over all domains (RFC 8461 §8.1).
enum class Stage {
  prepare,   ///< TLS-RPT, the host's address record, the id that adopts a foreign one.
  publish,   ///< The policy file.
  confirm,   ///< The policy file is seen.
  redirect,  ///< The address record moves from another host to one that serves the policy.
  announce,  ///< The id that announces it.
  retract,   ///< The id goes, from resolvers too: nobody is told of a policy any more.
  withdraw,  ///< The policy file goes.
  release,   ///< The host's address record goes, or TLS-RPT.
};
const char* to_string(Stage stage);
inline constexpr std::array stages{Stage::prepare,  Stage::publish,  Stage::confirm,
                                   Stage::redirect, Stage::announce, Stage::retract,
                                   Stage::withdraw, Stage::release};
/// What a step does.
using Action = std::variant<RecordChange, PolicyChange, PolicyServed, CachesExpired>;

/// One step and its reason.
struct Step {
  Stage stage = Stage::prepare;
  Action action;
  std::string why;  ///< For people: "mode testing -> enforce".
  bool operator==(const Step&) const = default;
};

/// Something an operator should know about a domain that changes nothing.
struct Note {
  enum class Kind {
    info,
    warning,
    refusal,  ///< A finding that `apply` refuses, unless it is allowed by its id.
  };
  Kind kind = Kind::info;
  std::string id;  ///< Stable word for --allow and for machines: "cname-in-the-way".
  std::string text;
  bool operator==(const Note&) const = default;
};

const char* to_string(Note::Kind kind);

/// A pattern that is published beside the wanted ones, because of the MX records.
struct Kept {
  enum class Why {
    named,    ///< They name a host that only it allows.
    leaving,  ///< They no longer do, but resolvers may hold older ones.
    unknown,  ///< They cannot be read.
  };
  sts::MxPattern pattern;
  Why why = Why::named;
  std::optional<Time> until = {};  ///< leaving: an apply from then on takes it out.
  bool operator==(const Kept&) const = default;
};
const char* to_string(Kept::Why why);

/// From when on something is safe, for senders of each kind.
struct SafeFrom {
  Time prompt{};
  Time daily{};
  Time strict{};
  bool operator==(const SafeFrom&) const = default;
};
Time safe_for(SenderKind kind, const SafeFrom& safe);

/// How a policy stands to the MX records, as far as they were looked at.
struct MxState {
  std::vector<dns::Name> hosts;  ///< That they name, in their order of preference.
  std::vector<Kept> kept;        ///< After the plan's steps.
  /// With Kept::Why::named: from when on they need not name those hosts any more.
  std::optional<SafeFrom> may_change;
  bool operator==(const MxState&) const = default;
};

/// Something that comes after a plan's steps: a later apply does it, or it waits for the operator.
struct Later {
  std::string what;         ///< For people.
  std::optional<Time> due;  ///< From then on; none: when the MX records have changed.
  bool operator==(const Later&) const = default;
};
/// "old.example.com leaves the policy, from 2026-12-01T08:00:00Z on".
std::string describe(const Later& later);

/// What is to be done for one domain.
struct DomainPlan {
  Desired desired;
  std::optional<Observed> observed;  ///< Kept where there are steps: what a saved plan has seen.
  std::vector<Step> steps;           ///< Empty: in sync (or stopped by `error`).
  std::vector<Note> notes;
  std::optional<Error> error;  ///< Something could not be read: nothing is planned for it.
  std::optional<MxState> mx;   ///< None: nobody looked, or nothing is planned.
  std::vector<Later> later;    ///< Empty: nothing is to come after the steps.

  const dns::Name& domain() const { return desired.domain; }
  bool changed() const { return !steps.empty(); }
  bool refused() const;
};

/// What applying a plan asks of the service behind one account.
struct RequestBudget {
  std::string account;       ///< Key under `dns:` or `hosts:`.
  std::size_t requests = 0;  ///< At most, where nothing fails.
  Duration least_time{0};    ///< That they take at the account's rate.
  bool operator==(const RequestBudget&) const = default;
};

/// Everything `apply` needs.
struct Plan {
  Time created{};      ///< The `now` the plan was made with.
  Time valid_until{};  ///< A saved plan is stale after this: its ids' horizons count on it.
  std::vector<DomainPlan> domains;         ///< Sorted by domain.
  std::vector<RequestBudget> budget = {};  ///< For people: accounts that count requests, sorted.
};

/// How many domains are in each state; `failed` could not be read.
struct Counts {
  std::size_t changed = 0, unchanged = 0, refused = 0, failed = 0;
  std::size_t unfinished = 0;  ///< Of the changed and unchanged ones: more is to come later.
};
Counts count(const Plan& plan);

/// Counts up when a field of the JSON changes its meaning.
inline constexpr int plan_format_version = 1;
/// The plan as JSON (schemas/plan.schema.json), and back. Code::invalid with the place in the text.
std::string to_json(const Plan& plan);
Result<Plan> plan_from_json(const std::string& text);

}  // namespace stsctl::plan
