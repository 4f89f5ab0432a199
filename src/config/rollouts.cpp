#include "config/rollouts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "config/keys.h"

namespace stsctl::config {

namespace {

// Reads one entry.
class RolloutReader {
 public:
  RolloutReader(Reader& reader, std::string name) : reader_(reader) {
    rollout_.name = std::move(name);
  }

  std::optional<rollout::Rollout> read(const Node& node) {
    const std::size_t errors = reader_.errors();
    const Node* stages = &node;
    if (node.kind == Node::Kind::mapping) {
      reader_.check_keys(node, names(rollout_keys()), what());
      stages = node.find("stages");
      if (const Node* types = node.find("result_types")) result_types(*types);
    }
    read_stages(stages, node);
    if (reader_.errors() == errors) check(*stages);
    return reader_.errors() == errors ? std::optional(std::move(rollout_)) : std::nullopt;
  }

 private:
  std::string what() const { return fmt::format("the rollout '{}'", printable(rollout_.name)); }

  void read_stages(const Node* stages, const Node& node) {
    if (stages == nullptr || stages->kind != Node::Kind::sequence || stages->items.empty())
      return reader_.error((stages == nullptr ? node : *stages).mark,
                           what() + " needs a list of stages",
                           "such as [{mode: testing, max_age: 1d, for: 2w}, {mode: enforce, "
                           "max_age: 1w}]");
    for (const Node& item : stages->items)
      if (reader_.mapping(item, "a stage") != nullptr) stage(item);
  }

  void check(const Node& stages) {
    for (const rollout::StageFault& fault : rollout::check_stages(rollout_.stages))
      reader_.error(stages.items[fault.stage].mark, fault.message, fault.hint);
  }

  void stage(const Node& node) {
    reader_.check_keys(node, names(stage_keys()), "a stage");
    rollout::Stage stage;
    for (const char* key : {"mode", "max_age"})
      if (node.find(key) == nullptr)
        reader_.error(node.mark, fmt::format("a stage needs '{}'", key));
    for (const auto& [key, value] : node.entries) {
      if (key.text == "mode") stage.mode = mode(value);
      if (key.text == "max_age") stage.max_age = duration(value, stage_keys(), "max_age");
      if (key.text == "for") stage.lasts = duration(value, stage_keys(), "for");
      if (key.text == "gate") stage.gate = gate(value);
      if (key.text == "brake") stage.brake = brake(value);
    }
    rollout_.stages.push_back(stage);
  }

  sts::Mode mode(const Node& node) {
    const auto text = reader_.text_of(node, "'mode'");
    if (!text) return sts::Mode::testing;
    const Result<sts::Mode> mode = sts::parse_mode(*text);
    if (mode && *mode != sts::Mode::none) return *mode;
    const auto near = nearest(*text, {"testing", "enforce"});
    reader_.error(node.mark,
                  fmt::format("a stage is of mode testing or enforce, not '{}'", printable(*text)),
                  near ? fmt::format("did you mean '{}'?", *near) : "");
    return sts::Mode::testing;
  }

  // As long as the key's table allows.
  Duration duration(const Node& node, const std::vector<SettingSpec>& specs,
                    const std::string& key) {
    const auto spec = std::ranges::find(specs, key, &SettingSpec::name);
    const auto duration = reader_.duration(node, "'" + key + "'");
    if (!duration) return {};
    if (duration->count() >= spec->least && duration->count() <= spec->most) return *duration;
    reader_.error(node.mark, duration->count() < spec->least
                                 ? fmt::format("'{}' is at least {}", key,
                                               format_duration(Duration{spec->least}))
                                 : fmt::format("'{}' is at most {} s", key, spec->most));
    return {};
  }

  rollout::Share share(const Node& node) {
    const auto text = reader_.text_of(node, "'failures'");
    if (!text) return {};
    const Result<rollout::Share> share = rollout::parse_share(*text);
    if (share) return *share;
    reader_.error(node.mark, "'failures': " + share.error().what, share.error().hint);
    return {};
  }

  rollout::Gate gate(const Node& node) {
    rollout::Gate gate;
    if (reader_.mapping(node, "'gate'") == nullptr) return gate;
    reader_.check_keys(node, names(stage_fields_of("gate")), "'gate'");
    for (const auto& [key, value] : node.entries) {
      if (key.text == "sessions") gate.sessions = sessions(value);
      if (key.text == "failures") gate.failures = share(value);
      if (key.text == "verify") gate.verify = verify(value);
    }
    return gate;
  }

  std::optional<std::uint64_t> sessions(const Node& node) {
    const auto& fields = stage_fields_of("gate");
    const auto spec = std::ranges::find(fields, "sessions", &SettingSpec::name);
    const auto number = reader_.integer(node, "'sessions'", spec->least, spec->most);
    return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
  }

  bool verify(const Node& node) {
    const auto text = reader_.text_of(node, "'verify'");
    if (text && *text != "pass")
      reader_.error(node.mark, fmt::format("'verify' is 'pass', not '{}'", printable(*text)),
                    "leave it out where nothing is to be looked at");
    return text.has_value();
  }

  std::optional<rollout::Brake> brake(const Node& node) {
    if (reader_.mapping(node, "'brake'") == nullptr) return std::nullopt;
    reader_.check_keys(node, names(stage_fields_of("brake")), "'brake'");
    rollout::Brake brake;
    if (const Node* failures = node.find("failures"))
      brake.failures = share(*failures);
    else
      reader_.error(node.mark, "a brake needs 'failures'", "such as {failures: 2%, within: 1d}");
    if (const Node* within = node.find("within"))
      brake.within = duration(*within, stage_fields_of("brake"), "within");
    return brake;
  }

  void result_types(const Node& node) {
    if (reader_.mapping(node, "'result_types'") == nullptr) return;
    for (const auto& [type, value] : node.entries) {
      if (known_form(type))
        if (const auto effect = this->effect(value)) rollout_.effects[type.text] = *effect;
    }
  }

  bool known_form(const Node& type) {
    const bool good =
        !type.text.empty() && type.text.size() <= 64 &&
        type.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!good)
      reader_.error(type.mark, fmt::format("'{}' is no result type", printable(type.text)),
                    "RFC 8460 §4.3 lists them: certificate-expired, …");
    if (!good || rollout::default_effects().contains(type.text)) return good;
    std::vector<std::string> registered;
    for (const auto& [name, effect] : rollout::default_effects())
      registered.push_back(name);
    const auto near = nearest(type.text, registered);
    reader_.warning(type.mark, fmt::format("'{}' is no registered result type", type.text),
                    near ? fmt::format("did you mean '{}'?", *near) : "");
    return true;
  }

  std::optional<rollout::Effect> effect(const Node& node) {
    const auto text = reader_.text_of(node, "what a result type does");
    if (!text) return std::nullopt;
    for (const auto effect :
         {rollout::Effect::shows, rollout::Effect::blocks, rollout::Effect::brakes})
      if (*text == rollout::to_string(effect)) return effect;
    reader_.error(node.mark, fmt::format("a result type does not '{}'", printable(*text)),
                  "one of: show, block, brake");
    return std::nullopt;
  }

  Reader& reader_;
  rollout::Rollout rollout_;
};

}  // namespace

void Rollouts::read(Reader& reader, const Node& section) {
  if (section.kind == Node::Kind::null || reader.mapping(section, "'rollouts'") == nullptr) return;
  for (const auto& [name, value] : section.entries) {
    auto read = RolloutReader(reader, name.text).read(value);
    Entry entry{.rollout = {}, .place = {&reader, name.mark}};
    if (read) entry.rollout = std::make_shared<const rollout::Rollout>(std::move(*read));
    const auto [known, fresh] = entries_.try_emplace(name.text, std::move(entry));
    if (fresh) continue;
    const Place& first = known->second.place;
    reader.error(name.mark, fmt::format("'{}' is defined twice, first at {}", printable(name.text),
                                        first.reader->where(first.mark)));
  }
}

bool Rollouts::once(const Place& place) {
  return reported_.insert({place.reader, place.mark.line, place.mark.column}).second;
}

bool Rollouts::refuse(const Place& place, std::string message, std::string hint) {
  if (once(place)) place.reader->error(place.mark, std::move(message), std::move(hint));
  return false;
}

Rollouts::Entry* Rollouts::find(const Said<std::string>& name) {
  const auto found = entries_.find(name.value);
  if (found != entries_.end()) return &found->second;
  std::vector<std::string> known;
  for (const auto& [one, entry] : entries_)
    known.push_back(one);
  const auto near = nearest(name.value, known);
  refuse(name.place, fmt::format("no rollout '{}' under 'rollouts'", printable(name.value)),
         near ? fmt::format("did you mean '{}'?", *near) : "");
  return nullptr;
}

// What cannot be said beside a rollout.
bool Rollouts::fits(const Layer& layer, const Place& place, const Domain& domain) {
  if (layer.policy == Part::off)
    return refuse(place, "a rollout needs a policy, and 'policy' is null here", "take one out");
  const char* const hint = "take it out, or write 'rollout: null' for a domain that follows none";
  if (layer.mode)
    return refuse(layer.mode->place,
                  fmt::format("the rollout '{}' chooses the mode", printable(layer.rollout->value)),
                  hint);
  if (layer.max_age)
    return refuse(layer.max_age->place,
                  fmt::format("the rollout '{}' chooses max_age", printable(layer.rollout->value)),
                  hint);
  if (domain.desired.id_strategy != plan::IdStrategy::automatic)
    return refuse(place,
                  fmt::format("a rollout cannot be led with ids of strategy {}: they do not say "
                              "when a stage began",
                              plan::to_string(domain.desired.id_strategy)),
                  "leave 'id' out");
  return true;
}

bool Rollouts::pin(const std::optional<Said<std::int64_t>>& said, const char* key,
                   const rollout::Rollout& rollout, std::optional<std::size_t>& into) {
  if (!said) return true;
  const auto number = static_cast<std::size_t>(said->value);
  if (number > rollout.stages.size())
    return refuse(
        said->place,
        fmt::format("'{}' is {}, and '{}' has {} stage{}", key, number, printable(rollout.name),
                    rollout.stages.size(), rollout.stages.size() == 1 ? "" : "s"),
        "");
  into = number;
  return true;
}

bool Rollouts::settle(const Layer& layer, const Layer& own, const Place& place, Domain& domain) {
  if (layer.rollout_part != Part::on) {
    const bool pinned = own.hold || own.stage || own.start;
    return !pinned || own.faulty ||
           refuse(place, "'hold', 'stage' and 'start' say nothing without a rollout",
                  "set 'rollout' here or under 'defaults'");
  }
  if (!layer.rollout) return false;  // reported where it is read
  Entry* entry = find(*layer.rollout);
  if (entry == nullptr) return false;
  entry->used = true;
  if (!fits(layer, place, domain) || !entry->rollout) return false;
  const rollout::Rollout& rollout = *entry->rollout;
  domain.pins.hold = layer.hold && layer.hold->value;
  const bool stage = pin(layer.stage, "stage", rollout, domain.pins.stage);
  const bool start = pin(layer.start, "start", rollout, domain.pins.start);
  domain.rollout = entry->rollout;
  plan::RolloutState undecided{.rollout = rollout.name, .stages = rollout.stages.size()};
  domain.desired.rollout = Boxed(std::move(undecided));
  return stage && start;
}

void Rollouts::warn_unused() const {
  for (const auto& [name, entry] : entries_)
    if (!entry.used)
      entry.place.reader->warning(
          entry.place.mark, fmt::format("the rollout '{}' is used by no domain", printable(name)));
}

}  // namespace stsctl::config
