#include "rollout/rollout.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::rollout {

namespace {

constexpr std::uint32_t percent = 10'000;  // in millionths
constexpr std::size_t most_decimals = 4;

std::optional<std::uint32_t> digits(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  const bool good = problem == std::errc{} && rest == end;
  return good ? std::optional(number) : std::nullopt;
}

bool has_gate(const Stage& stage) {
  return stage.lasts.count() > 0 || stage.gate != Gate{};
}

// What is wrong with the stage at `place` among those before it.
std::optional<StageFault> order_fault(const std::vector<Stage>& stages, std::size_t place) {
  const Stage& stage = stages[place];
  for (std::size_t before = 0; before < place; ++before)
    if (stages[before].mode == stage.mode && stages[before].max_age == stage.max_age)
      return StageFault{
          place,
          fmt::format("stage {} is {}, as stage {} is", place + 1, describe(stage), before + 1),
          "the stage is read from what is published: give each a max_age of its own"};
  if (place > 0 && stages[place - 1].mode == sts::Mode::enforce && stage.mode != sts::Mode::enforce)
    return StageFault{
        place,
        fmt::format("stage {} leads back to testing, and a rollout only leads on", place + 1),
        "a 'brake' leads back when mail fails"};
  return std::nullopt;
}

std::optional<StageFault> end_fault(const std::vector<Stage>& stages, std::size_t place) {
  const bool last = place + 1 == stages.size();
  if (last && has_gate(stages[place]))
    return StageFault{place, "the last stage has a 'for' or 'gate', and no stage comes after it",
                      "take them out"};
  if (!last && !has_gate(stages[place]))
    return StageFault{place, fmt::format("stage {} has neither 'for' nor 'gate'", place + 1),
                      "the next stage would begin at once: say how long this one lasts"};
  return std::nullopt;
}

std::optional<StageFault> brake_fault(const std::vector<Stage>& stages, std::size_t place) {
  if (!stages[place].brake) return std::nullopt;
  if (stages[place].mode != sts::Mode::enforce)
    return StageFault{place, fmt::format("stage {} has a 'brake' and does not enforce", place + 1),
                      "a brake leads back to testing: give it to a stage that enforces"};
  if (std::ranges::find(stages, sts::Mode::testing, &Stage::mode) == stages.end())
    return StageFault{
        place, fmt::format("stage {} has a 'brake' and there is no stage to go back to", place + 1),
        "begin with a stage of mode testing"};
  return std::nullopt;
}

}  // namespace

Result<Share> parse_share(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Code::invalid,
                fmt::format("'{}' is no share: {}", printable(text.substr(0, 40)), why), {},
                "write 0% to 100% with at most four decimals: 0.1%, 2%");
  };
  if (!text.ends_with('%')) return bad("no '%' at its end");
  const std::string_view number = text.substr(0, text.size() - 1);
  const std::size_t point = number.find('.');
  const auto whole = digits(number.substr(0, point));
  if (!whole || point == 0) return bad("no number before the '%'");
  if (number.substr(0, point).size() > 3 || *whole > 100) return bad("more than all");
  std::uint32_t millionths = *whole * percent;
  if (point != std::string_view::npos) {
    std::string decimals(number.substr(point + 1));
    if (decimals.empty() || decimals.size() > most_decimals) return bad("one to four decimals");
    decimals.resize(most_decimals, '0');
    const auto part = digits(decimals);
    if (!part) return bad("no number after the point");
    millionths += *part;
  }
  if (millionths > whole_share) return bad("more than all");
  return Share{millionths};
}

std::string format_share(const Share& share) {
  std::string text =
      fmt::format("{}.{:04}", share.millionths / percent, share.millionths % percent);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + "%";
}

const char* to_string(Effect effect) {
  switch (effect) {
    case Effect::shows:
      return "show";
    case Effect::blocks:
      return "block";
    case Effect::brakes:
      return "brake";
  }
  return "brake";
}

const std::map<std::string, Effect, std::less<>>& default_effects() {
  static const std::map<std::string, Effect, std::less<>> effects{
      {"starttls-not-supported", Effect::brakes},
      {"certificate-host-mismatch", Effect::brakes},
      {"certificate-expired", Effect::brakes},
      {"certificate-not-trusted", Effect::brakes},
      {"validation-failure", Effect::brakes},
      // The policy did not reach the sender; another policy would not either.
      {"sts-policy-fetch-error", Effect::blocks},
      {"sts-policy-invalid", Effect::blocks},
      {"sts-webpki-invalid", Effect::blocks},
      {"tlsa-invalid", Effect::shows},
      {"dnssec-invalid", Effect::shows},
      {"dane-required", Effect::shows},
  };
  return effects;
}

Effect effect_of(const Rollout& rollout, std::string_view result_type) {
  if (const auto own = rollout.effects.find(result_type); own != rollout.effects.end())
    return own->second;
  const auto known = default_effects().find(result_type);
  return known == default_effects().end() ? Effect::brakes : known->second;
}

std::string describe(const Stage& stage) {
  return fmt::format("{}, max_age {}", sts::to_string(stage.mode), format_duration(stage.max_age));
}

std::vector<StageFault> check_stages(const std::vector<Stage>& stages) {
  std::vector<StageFault> faults;
  for (std::size_t place = 0; place < stages.size(); ++place)
    for (const auto& check : {order_fault, end_fault, brake_fault})
      if (auto fault = check(stages, place)) faults.push_back(std::move(*fault));
  return faults;
}

}  // namespace stsctl::rollout
