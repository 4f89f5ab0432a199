#include "config/layer.h"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "base/text.h"
#include "config/keys.h"
#include "config/presets.h"
#include "sts/record.h"

namespace stsctl::config {

namespace {

enum class State { managed, retired };

const char* to_string(State state) {
  return state == State::retired ? "retired" : "managed";
}

// Reads one mapping into a layer.
class LayerReader {
 public:
  explicit LayerReader(Reader& reader) : reader_(reader) {}

  Layer read(const Node& mapping, std::string_view what) {
    const std::size_t errors = reader_.errors();
    reader_.check_keys(mapping, names(domain_keys()), what);
    for (const auto& [key, value] : mapping.entries) {
      if (key.text == "dns") layer_.dns = reference(value, "'dns'");
      if (key.text == "host") layer_.host = reference(value, "'host'");
      if (key.text == "preset") preset(value);
      if (key.text == "policy") policy(value);
      if (key.text == "rollout") rollout(value);
      if (key.text == "hold")
        if (const auto hold = reader_.boolean(value, "'hold'")) layer_.hold = said(*hold, value);
      if (key.text == "stage") layer_.stage = number(value, "stage");
      if (key.text == "start") layer_.start = number(value, "start");
      if (key.text == "tlsrpt") tlsrpt(value);
      if (key.text == "state") layer_.retired = retired(value);
      if (key.text == "address") address(value);
      if (key.text == "id") id(value);
      if (key.text == "ttl") ttl(value);
      if (key.text == "safety") layer_.safety = safety(value);
      if (key.text == "takeover") layer_.takeover = reader_.boolean(value, "'takeover'");
      if (key.text == "longest_max_age")
        layer_.longest_max_age = bounded(value, "longest_max_age", 0);
    }
    check_live(mapping);
    // A merge key is reported already, and nobody knows what it would have brought.
    merges_ = merges_ || mapping.find("<<") != nullptr;
    layer_.faulty = merges_ || reader_.errors() > errors;
    return std::move(layer_);
  }

 private:
  // The mapping of a part that may be null; its keys are checked.
  const Node* part(const Node& node, const std::string& key, Part& part) {
    if (node.kind == Node::Kind::null) {
      part = Part::off;
      return nullptr;
    }
    part = Part::on;
    const Node* mapping = reader_.mapping(node, "'" + key + "'");
    if (mapping == nullptr) return nullptr;
    reader_.check_keys(*mapping, names(fields_of(key)), "'" + key + "'");
    merges_ = merges_ || mapping->find("<<") != nullptr;
    return mapping;
  }

  std::optional<Said<std::string>> reference(const Node& node, std::string_view what) {
    auto text = reader_.text_of(node, what);
    if (!text) return std::nullopt;
    return said(std::move(*text), node);
  }

  template <class T>
  Said<T> said(T value, const Node& node) {
    return {std::move(value), {&reader_, node.mark}};
  }

  std::optional<Said<std::int64_t>> number(const Node& node, const std::string& key) {
    const auto spec = std::ranges::find(domain_keys(), key, &SettingSpec::name);
    const auto number = reader_.integer(node, "'" + key + "'", spec->least, spec->most);
    return number ? std::optional(said(*number, node)) : std::nullopt;
  }

  void rollout(const Node& node) {
    layer_.rollout_part = node.kind == Node::Kind::null ? Part::off : Part::on;
    if (layer_.rollout_part == Part::off) return;
    layer_.rollout = reference(node, "'rollout'");
    if (layer_.policy == Part::unsaid) layer_.policy = Part::on;
  }

  void add_mx(sts::MxPattern pattern) {
    if (!layer_.mx) layer_.mx.emplace();
    if (std::ranges::find(*layer_.mx, pattern) == layer_.mx->end())
      layer_.mx->push_back(std::move(pattern));
  }

  // Of one level: patterns by name, or those of the MX records.
  void check_live(const Node& mapping) {
    if (!layer_.mx_live || layer_.mx->empty()) return;
    const Node* preset = mapping.find("preset");
    reader_.error((preset == nullptr ? mapping : *preset).mark,
                  "'mx: live' cannot stand beside a 'preset'",
                  "either the patterns are named, or they are the hosts of the MX records");
  }

  void preset(const Node& node) {
    const auto text = reader_.text_of(node, "'preset'");
    if (!text) return;
    const Preset* found = find_preset(*text);
    if (found == nullptr) {
      std::vector<std::string> known;
      for (const Preset& one : presets())
        known.push_back(one.name);
      const auto near = nearest(*text, known);
      return reader_.error(node.mark, fmt::format("unknown preset '{}'", printable(*text)),
                           near ? fmt::format("did you mean '{}'?", *near)
                                : fmt::format("known are: {}", join(known, ", ")));
    }
    if (layer_.policy == Part::unsaid) layer_.policy = Part::on;
    for (const std::string& pattern : found->mx)
      add_mx(*sts::parse_mx_pattern(pattern));
  }

  void policy(const Node& node) {
    const Node* mapping = part(node, "policy", layer_.policy);
    if (mapping == nullptr) return;
    if (const Node* mode = mapping->find("mode")) read_mode(*mode);
    if (const Node* age = mapping->find("max_age"))
      if (const auto value = bounded(*age, "max_age", sts::min_published_max_age.count()))
        layer_.max_age = said(*value, *age);
    const Node* mx = mapping->find("mx");
    if (mx == nullptr) return;
    if (!layer_.mx) layer_.mx.emplace();
    layer_.mx_live = mx->kind == Node::Kind::scalar && mx->text == "live";
    if (layer_.mx_live) return;
    for (auto& [text, mark] : reader_.list(*mx, "'mx'")) {
      Result<sts::MxPattern> pattern = sts::parse_mx_pattern(text);
      if (pattern)
        add_mx(std::move(*pattern));
      else
        reader_.error(mark, pattern.error().what);
    }
  }

  void read_mode(const Node& node) {
    const auto text = reader_.text_of(node, "'mode'");
    if (!text) return;
    const Result<sts::Mode> mode = sts::parse_mode(*text);
    if (mode)
      layer_.mode = said(*mode, node);
    else if (const auto near = nearest(*text, {"none", "testing", "enforce"}))
      reader_.error(node.mark, mode.error().what, fmt::format("did you mean '{}'?", *near));
    else
      reader_.error(node.mark, mode.error().what);
  }

  std::optional<Duration> bounded(const Node& node, const char* key, std::int64_t least) {
    const auto duration = reader_.duration(node, fmt::format("'{}'", key));
    if (!duration) return std::nullopt;
    if (duration->count() >= least && *duration <= sts::max_max_age) return duration;
    reader_.error(node.mark,
                  fmt::format("{} is {} s, {}", key, duration->count(),
                              duration->count() < least ? fmt::format("at least {}", least)
                                                        : "at most 31557600 (RFC 8461 §3.2)"),
                  duration->count() < least ? "some senders reject or ignore less than a day" : "");
    return std::nullopt;
  }

  void tlsrpt(const Node& node) {
    const Node* mapping = part(node, "tlsrpt", layer_.tlsrpt);
    if (mapping == nullptr) return;
    const Node* state = mapping->find("state");
    // Of a state that is no state nobody knows whether it needs more.
    layer_.tlsrpt_retired = state != nullptr && retired(*state).value_or(true);
    const Node* rua = mapping->find("rua");
    if (rua == nullptr) {
      // Not beside a misspelt key, which is reported.
      const bool misspelt = mapping->entries.size() > (state == nullptr ? 0U : 1U);
      if (!layer_.tlsrpt_retired && !misspelt)
        reader_.error(node.mark, "'tlsrpt' needs 'rua' (RFC 8460 §3)");
      return;
    }
    layer_.rua.emplace();
    for (auto& [uri, mark] : reader_.list(*rua, "'rua'")) {
      const Result<Done> good = sts::check_rua(uri);
      if (good)
        layer_.rua->push_back(std::move(uri));
      else
        reader_.error(mark, good.error().what, good.error().hint);
    }
    if (layer_.rua->empty() && rua->items.empty() && rua->kind == Node::Kind::sequence)
      reader_.error(rua->mark, "'rua' is empty: at least one URI (RFC 8460 §3)",
                    "write 'tlsrpt: null' to leave TLS-RPT alone");
  }

  std::optional<bool> retired(const Node& node) {
    const auto state = word(node, "state", "state", {State::managed, State::retired});
    return state ? std::optional(*state == State::retired) : std::nullopt;
  }

  void address(const Node& node) {
    const Node* mapping = part(node, "address", layer_.address);
    if (mapping == nullptr) return;
    plan::Address& address = layer_.address_value;
    if (const Node* cname = mapping->find("cname")) address.cname = reader_.name(*cname, "'cname'");
    if (const Node* a = mapping->find("a")) addresses(*a, dns::Type::a, address.a);
    if (const Node* aaaa = mapping->find("aaaa")) addresses(*aaaa, dns::Type::aaaa, address.aaaa);
    const bool any = mapping->find("a") != nullptr || mapping->find("aaaa") != nullptr;
    if (mapping->find("cname") != nullptr && any)
      reader_.error(node.mark, "'cname' cannot stand beside 'a' or 'aaaa' (RFC 1034 §3.6.2)");
    if (mapping->entries.empty())
      reader_.error(node.mark, "'address' is empty",
                    "give 'cname', or 'a' and 'aaaa', or write 'address: null' to leave it alone");
  }

  void addresses(const Node& node, dns::Type type, std::vector<std::string>& out) {
    static const dns::Name any = *dns::Name::parse("invalid");
    for (auto& [text, mark] : reader_.list(node, "an address")) {
      const auto set = dns::make_record_set(any, type, Duration{0}, {text});
      if (set)
        out.push_back(set->values.front());
      else
        reader_.error(mark, set.error().what);
    }
    std::ranges::sort(out);
  }

  void id(const Node& node) {
    Part ignored = Part::unsaid;
    const Node* mapping = part(node, "id", ignored);
    if (ignored == Part::off) reader_.error(node.mark, "'id' cannot be null");
    if (mapping == nullptr) return;
    layer_.id_strategy = plan::IdStrategy::automatic;
    if (const Node* strategy = mapping->find("strategy")) {
      using enum plan::IdStrategy;
      const auto known =
          word(*strategy, "strategy", "id strategy", {automatic, timestamp, digest, fixed});
      if (!known) return;
      layer_.id_strategy = known;
    }
    const Node* value = mapping->find("value");
    const bool fixed = layer_.id_strategy == plan::IdStrategy::fixed;
    if (fixed && value == nullptr) reader_.error(node.mark, "a fixed id needs its 'value'");
    if (!fixed && value != nullptr)
      reader_.error(value->mark, "'value' goes with 'strategy: fixed' only");
    if (value == nullptr) return;
    const auto text = reader_.text_of(*value, "'value'");
    if (!text) return;
    if (const Result<Done> good = sts::check_id(*text); !good)
      reader_.error(value->mark, good.error().what);
    layer_.fixed_id = *text;
  }

  // The value among `known` that is written as a word.
  template <class T>
  std::optional<T> word(const Node& node, std::string_view key, std::string_view what,
                        std::initializer_list<T> known) {
    const auto text = reader_.text_of(node, fmt::format("'{}'", key));
    if (!text) return std::nullopt;
    std::vector<std::string> words;
    for (const T one : known) {
      words.emplace_back(to_string(one));
      if (*text == words.back()) return one;
    }
    const auto near = nearest(*text, words);
    reader_.error(node.mark, fmt::format("unknown {} '{}'", what, printable(*text)),
                  near ? fmt::format("did you mean '{}'?", *near)
                       : fmt::format("one of: {}", join(words, ", ")));
    return std::nullopt;
  }

  std::optional<plan::SenderKind> safety(const Node& node) {
    using enum plan::SenderKind;
    return word(node, "safety", "kind of sender", {strict, daily, prompt});
  }

  void ttl(const Node& node) {
    Part ignored = Part::unsaid;
    const Node* mapping = part(node, "ttl", ignored);
    if (ignored == Part::off) reader_.error(node.mark, "'ttl' cannot be null");
    if (mapping == nullptr) return;
    const auto take = [&](const char* key, std::optional<Duration>& into) {
      const Node* value = mapping->find(key);
      if (value == nullptr) return;
      const auto duration = reader_.duration(*value, fmt::format("'{}'", key));
      if (duration && duration->count() > INT32_MAX)
        reader_.error(value->mark, "a TTL is at most 2147483647 s (RFC 2181 §8)");
      else
        into = duration;
    };
    take("sts", layer_.ttls.sts);
    take("tlsrpt", layer_.ttls.tlsrpt);
    take("address", layer_.ttls.address);
  }

  Reader& reader_;
  Layer layer_;
  bool merges_ = false;  // it has a merge key
};

template <class T>
void take(std::optional<T>& into, const std::optional<T>& from) {
  if (from) into = from;
}

}  // namespace

Layer read_layer(Reader& reader, const Node& mapping, std::string_view what) {
  return LayerReader(reader).read(mapping, what);
}

Layer merge(const Layer& outer, const Layer& inner) {
  Layer layer = outer;
  layer.faulty = outer.faulty || inner.faulty;
  take(layer.dns, inner.dns);
  take(layer.host, inner.host);
  if (inner.policy != Part::unsaid) layer.policy = inner.policy;
  if (inner.rollout_part != Part::unsaid) {
    layer.rollout_part = inner.rollout_part;
    layer.rollout = inner.rollout;
  }
  if (inner.rollout_part == Part::unsaid && inner.policy == Part::off)
    layer.rollout_part = Part::off;
  if (inner.rollout_part == Part::on) {
    layer.mode.reset();
    layer.max_age.reset();
  }
  take(layer.hold, inner.hold);
  take(layer.stage, inner.stage);
  take(layer.start, inner.start);
  take(layer.mode, inner.mode);
  if (inner.mx) layer.mx_live = inner.mx_live;
  take(layer.mx, inner.mx);
  take(layer.max_age, inner.max_age);
  if (inner.tlsrpt != Part::unsaid) {
    layer.tlsrpt = inner.tlsrpt;
    layer.tlsrpt_retired = inner.tlsrpt_retired;
  }
  take(layer.retired, inner.retired);
  take(layer.rua, inner.rua);
  if (inner.address != Part::unsaid) {
    layer.address = inner.address;
    layer.address_value = inner.address_value;
  }
  if (inner.id_strategy) {
    layer.id_strategy = inner.id_strategy;
    layer.fixed_id = inner.fixed_id;
  }
  take(layer.ttls.sts, inner.ttls.sts);
  take(layer.ttls.tlsrpt, inner.ttls.tlsrpt);
  take(layer.ttls.address, inner.ttls.address);
  take(layer.safety, inner.safety);
  take(layer.takeover, inner.takeover);
  take(layer.longest_max_age, inner.longest_max_age);
  return layer;
}

}  // namespace stsctl::config
