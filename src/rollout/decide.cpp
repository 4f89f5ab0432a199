#include "rollout/decide.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "rollout/figures.h"

namespace stsctl::rollout {

namespace {

using plan::RolloutAction;
using plan::RolloutGate;
using plan::RolloutState;

std::optional<std::size_t> stage_of(const Rollout& rollout, const sts::Policy& policy) {
  for (std::size_t place = 0; place < rollout.stages.size(); ++place)
    if (rollout.stages[place].mode == policy.mode &&
        rollout.stages[place].max_age == policy.max_age)
      return place;
  return std::nullopt;
}

std::optional<std::size_t> published_stage(const Rollout& rollout, const Published& published) {
  return published.policy ? stage_of(rollout, *published.policy) : std::nullopt;
}

bool is_last(const Rollout& rollout, std::size_t place) {
  return place + 1 == rollout.stages.size();
}

bool time_holds(const Stage& stage, const Published& published, Time now) {
  // Not behind a clock that went back: there the stage has yet to begin.
  return published.since && now - *published.since >= stage.lasts;
}

// One decision in the making.
class Decider {
 public:
  Decider(const Rollout& rollout, const Published& published, const Evidence& evidence,
          const Pins& pins, Time now)
      : rollout_(rollout),
        published_(published),
        evidence_(evidence),
        pins_(pins),
        now_(now),
        at_(published_stage(rollout, published)) {
    state().rollout = rollout.name;
    state().stages = rollout.stages.size();
    state().evidence_left_out = evidence.left_out;
  }

  Decision run() && {
    if (at_) look_at_stage();
    choose();
    look_ahead();
    return std::move(decision_);
  }

 private:
  RolloutState& state() { return decision_.state; }

  // ---- how the published stage stands ----

  void look_at_stage() {
    const Stage& stage = rollout_.stages[*at_];
    state().stage = *at_ + 1;
    state().since = published_.since;
    if (published_.since && *published_.since <= now_) state().in_stage = now_ - *published_.since;
    if (!is_last(rollout_, *at_)) {
      look_at_time(stage);
      look_at_reports(stage);
      if (stage.gate.verify) look_at_verify();
    }
    if (stage.brake) look_at_brake(*stage.brake);
  }

  void look_at_time(const Stage& stage) {
    std::string figure = "its begin is not known";
    if (published_.since && *published_.since > now_)
      figure = "it begins " + format_time(*published_.since) + ", later than now";
    else if (published_.since)
      figure = describe_duration(now_ - *published_.since);
    state().gates.push_back({"time", "at least " + describe_duration(stage.lasts), figure,
                             time_holds(stage, published_, now_)});
  }

  // What began before the stage may tell of the time before it, under the same policy: a gate goes
  // without, so that one that was braked begins anew.
  Figures of_stage(Time after) const {
    std::vector<ReportedSessions> reports = *evidence_.reports;
    std::erase_if(reports, [&](const ReportedSessions& report) {
      return published_.since && report.begin < *published_.since;
    });
    return add_up(reports, rollout_, Effect::blocks, after);
  }

  // A brake takes it all the same.
  Figures for_brake(Time after) const {
    if (published_.since && *published_.since <= now_) after = std::max(after, *published_.since);
    return add_up(*evidence_.reports, rollout_, Effect::brakes, after);
  }

  void look_at_reports(const Stage& stage) {
    if (stage.gate.sessions) look_at_sessions(*stage.gate.sessions);
    if (stage.gate.failures) look_at_failures(*stage.gate.failures, stage.lasts);
  }

  void look_at_sessions(std::uint64_t least) {
    RolloutGate gate{.what = "sessions", .wanted = fmt::format("at least {}", least)};
    if (evidence_.reports) {
      const Figures figures = of_stage(Time::min());
      gate.figure = figures.sessions == 0 ? "no reports" : std::to_string(figures.sessions);
      gate.holds = figures.sessions > 0 && figures.sessions >= least;
    } else {
      gate.figure = evidence_.reports.error().what;
    }
    state().gates.push_back(std::move(gate));
  }

  // What was mended long ago does not count for ever: the share is that of the stage's own length.
  void look_at_failures(const Share& most, Duration window) {
    RolloutGate gate{.what = "failures", .wanted = "at most " + format_share(most)};
    if (window.count() > 0) gate.wanted += " within " + describe_duration(window);
    if (evidence_.reports) {
      const Time after = window.count() > 0 ? now_ - window - report_delay : Time::min();
      const Figures figures = of_stage(after);
      gate.figure = rollout::describe(figures);
      gate.holds = figures.sessions > 0 && !exceeds(figures, most);
    } else {
      gate.figure = evidence_.reports.error().what;
    }
    state().gates.push_back(std::move(gate));
  }

  void look_at_verify() {
    RolloutGate gate{.what = "verify", .wanted = "pass", .figure = "not looked at yet"};
    if (evidence_.verify && !*evidence_.verify)
      gate.figure = "could not be run: " + evidence_.verify->error().what;
    if (evidence_.verify && *evidence_.verify) {
      const LiveCheck& check = **evidence_.verify;
      gate.figure = check.passed ? "pass" : "fail: " + check.what;
      gate.holds = check.passed;
    }
    state().gates.push_back(std::move(gate));
  }

  void look_at_brake(const Brake& brake) {
    RolloutGate gate{.what = "brake",
                     .wanted = fmt::format("more than {} within {}", format_share(brake.failures),
                                           describe_duration(brake.within))};
    if (evidence_.reports) {
      const Figures figures = for_brake(now_ - brake.within - report_delay);
      gate.figure = rollout::describe(figures);
      gate.holds = exceeds(figures, brake.failures);
    } else {
      gate.figure = evidence_.reports.error().what;
    }
    state().brake = std::move(gate);
  }

  // ---- what follows ----

  void choose() {
    const bool braked = state().brake && state().brake->holds;
    if (pins_.stage) return pinned(*pins_.stage - 1, braked);
    if (!at_) return from_unknown();
    if (braked) return brake();
    if (!published_.since)
      return take(RolloutAction::enter, *at_,
                  "its id does not say when the stage began: a new one will");
    if (is_last(rollout_, *at_))
      return take(RolloutAction::stay, *at_, "the last stage is reached");
    if (std::ranges::find(state().gates, false, &RolloutGate::holds) != state().gates.end())
      return take(RolloutAction::stay, *at_, "not every gate holds");
    if (pins_.hold)
      return take(RolloutAction::stay, *at_, "every gate holds, and 'hold: true' stops here");
    take(RolloutAction::promote, *at_ + 1, "every gate holds");
  }

  void take(RolloutAction action, std::size_t target, std::string reason) {
    state().action = action;
    state().target = target + 1;
    state().reasons.push_back(std::move(reason));
    const Stage& stage = rollout_.stages[target];
    state().target_is = describe(stage);
    decision_.mode = stage.mode;
    decision_.max_age = stage.max_age;
  }

  void refuse(std::string reason, std::string hint) {
    state().action = RolloutAction::refuse;
    state().reasons.push_back(std::move(reason));
    state().hint = std::move(hint);
  }

  void pinned(std::size_t place, bool braked) {
    const bool there = at_ == place && published_.since;
    take(there ? RolloutAction::stay : RolloutAction::enter, place,
         fmt::format("'stage: {}' pins it there", place + 1));
    if (braked && rollout_.stages[place].mode == sts::Mode::enforce)
      state().reasons.emplace_back("its brake would lead back to testing, and the pin goes before");
  }

  void brake() {
    const auto testing = std::ranges::find(rollout_.stages, sts::Mode::testing, &Stage::mode);
    // The configuration has one, or the stage had no brake.
    take(RolloutAction::brake, static_cast<std::size_t>(testing - rollout_.stages.begin()),
         fmt::format("too much fails: {}, the bound is {}", state().brake->figure,
                     state().brake->wanted));
  }

  void from_unknown() {
    if (published_.lost)
      return refuse("its policy is gone, and its id does not tell which stage it was",
                    "bring the policy back, or set 'stage: N' for this domain");
    if (published_.policy && published_.policy->mode == sts::Mode::enforce) return adopt();
    const std::string found = published_.policy
                                  ? fmt::format("what is published ({}, max_age {}) is no stage",
                                                sts::to_string(published_.policy->mode),
                                                format_duration(published_.policy->max_age))
                                  : "nothing is published yet";
    const std::size_t start = pins_.start.value_or(1) - 1;
    if (rollout_.stages[start].mode != sts::Mode::enforce)
      return take(RolloutAction::enter, start, found);
    if (start > 0)
      state().reasons.push_back(fmt::format(
          "'start: {}' is for a domain that enforces already: this one begins at stage 1",
          *pins_.start));
    take(RolloutAction::enter, 0, found);
  }

  void adopt() {
    const std::string found = fmt::format("it enforces already, with max_age {}, which is no stage",
                                          format_duration(published_.policy->max_age));
    if (!pins_.start)
      return refuse(found,
                    "say with 'start: N' at which of the stages that enforce it stands, or with "
                    "'stage: N' where it is to be");
    const std::size_t start = *pins_.start - 1;
    if (rollout_.stages[start].mode != sts::Mode::enforce)
      return refuse(
          fmt::format("{}, and 'start: {}' would lead it back to testing", found, *pins_.start),
          fmt::format("'start' names a stage that enforces; 'stage: {}' leads it back",
                      *pins_.start));
    take(RolloutAction::enter, start, found + ": 'start' adopts it");
  }

  void look_ahead() {
    if (state().target == 0 || pins_.stage || pins_.hold) return;
    const std::size_t target = state().target - 1;
    if (is_last(rollout_, target)) return;
    state().next_is = describe(rollout_.stages[target + 1]);
    const bool stays = state().action == RolloutAction::stay;
    state().earliest = (stays ? *published_.since : now_) + rollout_.stages[target].lasts;
  }

  const Rollout& rollout_;
  const Published& published_;
  const Evidence& evidence_;
  const Pins& pins_;
  Time now_;
  std::optional<std::size_t> at_;  // the stage published
  Decision decision_;
};

}  // namespace

Decision decide(const Rollout& rollout, const Published& published, const Evidence& evidence,
                const Pins& pins, Time now) {
  return Decider(rollout, published, evidence, pins, now).run();
}

bool wants_verify(const Rollout& rollout, const Published& published, const Pins& pins, Time now) {
  const auto at = published_stage(rollout, published);
  if (!at || is_last(rollout, *at) || pins.stage) return false;
  return rollout.stages[*at].gate.verify && time_holds(rollout.stages[*at], published, now);
}

bool wants_reports(const Rollout& rollout, const Published& published) {
  const auto at = published_stage(rollout, published);
  if (!at) return false;
  const Stage& stage = rollout.stages[*at];
  return stage.brake || (!is_last(rollout, *at) && (stage.gate.sessions || stage.gate.failures));
}

}  // namespace stsctl::rollout
