#pragma once
// What a rollout does with a domain now. Pure; everything it goes by is an argument.

#include "plan/rollout_state.h"
#include "rollout/evidence.h"
#include "rollout/published.h"
#include "rollout/rollout.h"

namespace stsctl::rollout {

/// The answer. `mode` and `max_age` are to be published, unless the action is to refuse.
struct Decision {
  plan::RolloutState state;
  sts::Mode mode = sts::Mode::testing;
  Duration max_age{0};
  bool operator==(const Decision&) const = default;
};

/// The stage is read from what is published, by mode and max_age; the clock from its id. From there
/// a domain goes on when every gate holds, and back to the first stage of mode testing when a brake
/// is pulled. Evidence that is missing lets no gate hold and pulls no brake. A domain that enforces
/// outside the stages is refused unless `pins` say where it stands: it is never led back to testing
/// for want of knowing. `pins` name stages of `rollout`.
Decision decide(const Rollout& rollout, const Published& published, const Evidence& evidence,
                const Pins& pins, Time now);

/// Does the decision hang on a look at what senders see (LiveCheck)? Not before the time of the
/// stage has come, nor where the stage is pinned. Who holds a domain wants to see it all the same.
bool wants_verify(const Rollout& rollout, const Published& published, const Pins& pins, Time now);

/// Does it hang on reports?
bool wants_reports(const Rollout& rollout, const Published& published);

}  // namespace stsctl::rollout
