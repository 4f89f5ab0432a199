#pragma once
// A rollout as configured: stages that lead a domain from testing to enforce, and what must hold
// on the way (docs/rollout.md). Pure values.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sts/policy.h"

namespace stsctl::rollout {

/// A share of sessions, in millionths: 0.1% is 1000.
struct Share {
  std::uint32_t millionths = 0;
  bool operator==(const Share&) const = default;
};
inline constexpr std::uint32_t whole_share = 1'000'000;

/// "0.1%", "2%", "12.5%": 0 to 100 with at most four decimals. Code::invalid with the reason else.
Result<Share> parse_share(std::string_view text);
/// What parse_share reads: "0.1%".
std::string format_share(const Share& share);

/// What must hold before the next stage begins, beside the time.
struct Gate {
  std::optional<std::uint64_t> sessions;  ///< At least so many, in reports on this very policy,
  std::optional<Share> failures;          ///< and at most this share of them failed.
  bool verify = false;                    ///< What senders see is without a fault.
  bool operator==(const Gate&) const = default;
};

/// When a stage that enforces is left for testing.
struct Brake {
  Share failures;          ///< More than this share of the sessions failed
  Duration within{86400};  ///< that the reports of so long tell of.
  bool operator==(const Brake&) const = default;
};

struct Stage {
  sts::Mode mode = sts::Mode::testing;  ///< testing or enforce.
  Duration max_age{0};
  Duration lasts{0};  ///< `for`: at least so long. 0: until its gate holds.
  Gate gate;
  std::optional<Brake> brake;
  bool operator==(const Stage&) const = default;
};

/// What a failure of one result type (RFC 8460 §4.3) does.
enum class Effect {
  shows,   ///< It is told of, and counts for nothing.
  blocks,  ///< It counts against a gate,
  brakes,  ///< and toward a brake as well.
};
const char* to_string(Effect effect);

/// What each registered type does unless it is configured otherwise. Blocking ones are those that
/// MTA-STS would refuse mail for or that leave a sender without the policy; of these, brakes are
/// those that a testing policy lets mail through in spite of. DANE's are shown only.
const std::map<std::string, Effect, std::less<>>& default_effects();

/// An entry under `rollouts:`.
struct Rollout {
  std::string name;
  std::vector<Stage> stages;  ///< At least one; no two of equal mode and max_age.
  std::map<std::string, Effect, std::less<>> effects;  ///< What is not as in default_effects().
  bool operator==(const Rollout&) const = default;
};
/// Unknown types are failures that nobody has thought of: they brake.
Effect effect_of(const Rollout& rollout, std::string_view result_type);

/// "enforce, max_age 1w".
std::string describe(const Stage& stage);

/// What the configuration says of one domain.
struct Pins {
  bool hold = false;                 ///< No promotion; a brake all the same.
  std::optional<std::size_t> stage;  ///< From 1: this one, whatever the evidence.
  std::optional<std::size_t> start;  ///< From 1: where a domain begins that enforces already.
  bool operator==(const Pins&) const = default;
};

/// What is wrong with the stages as a whole, one fault each: which stage (from 0) and why.
struct StageFault {
  std::size_t stage = 0;
  std::string message;
  std::string hint;
  bool operator==(const StageFault&) const = default;
};
std::vector<StageFault> check_stages(const std::vector<Stage>& stages);

}  // namespace stsctl::rollout
