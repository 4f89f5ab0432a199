#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "config/config.h"
#include "config/keys.h"
#include "config/layer.h"
#include "config/report_settings.h"
#include "config/rollouts.h"
#include "config/settings.h"

namespace stsctl::config {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_file = std::size_t{32} << 20U;
constexpr std::size_t deepest_include = 16;
constexpr std::size_t most_diagnostics = 100;

// A domain as written, before its layers are added up.
struct RawDomain {
  dns::Name name;
  Place place;
  Layer layer;
  std::size_t group;  // index into Files::groups
};

// Reads all files, then adds up.
class Loader {
 public:
  Loader(const Catalog& catalog, const Sources& sources) : catalog_(catalog), sources_(sources) {
    groups_.emplace_back();  // the domains of no group
  }

  Loaded load(const std::string& path) {
    file(path, nullptr, {});
    if (reports_.store.empty()) reports_.store = beside(path, "stsctl-reports.sqlite3");
    Loaded loaded;
    Config config = resolve();
    if (!failed()) loaded.config = std::move(config);
    loaded.diagnostics = shortened();
    return loaded;
  }

 private:
  bool failed() const {
    return std::ranges::any_of(diagnostics_, [](const Diagnostic& one) {
      return one.severity == Diagnostic::Severity::error;
    });
  }

  // ---- files ----

  // `from` is the place of the include, null for the main file; `chain` the files that led here.
  void file(const std::string& path, const Place* from, std::vector<std::string> chain) {
    const std::string normal = fs::path(path).lexically_normal().string();
    if (const auto again = std::ranges::find(chain, normal); again != chain.end()) {
      const std::vector<std::string> by(std::next(again), chain.end());
      return from->reader->error(
          from->mark,
          printable(fmt::format("'{}' includes itself{}{}", normal,
                                by.empty() ? "" : ", by way of ", join(by, " and "))),
          "give included files a folder of their own");
    }
    if (!seen_.insert(normal).second) return;
    if (chain.size() > deepest_include)
      return from->reader->error(from->mark, "includes are nested deeper than 16 files");
    const Sources::Read& read = from == nullptr ? sources_.stream() : sources_.read;
    Result<std::string> text = read(path, longest_file);
    if (!text) return unreadable(path, text.error(), from);
    if (text->find('\0') != std::string::npos)
      return unreadable(path, {Code::invalid, "it holds a NUL byte: no text file", path, ""}, from);
    readers_.push_back(std::make_unique<Reader>(path, std::move(*text), diagnostics_));
    chain.push_back(normal);
    content(*readers_.back(), from == nullptr, chain);
  }

  void unreadable(const std::string& path, const Error& error, const Place* from) {
    std::string hint = error.hint;
    if (error.code == Code::not_found && from == nullptr)
      hint = "'stsctl init' writes a first one; -c FILE names another";
    if (error.code == Code::invalid)
      hint = "a file is text of at most 32 MiB; 'include' spreads domains over several";
    if (from != nullptr) return from->reader->error(from->mark, path + ": " + error.what, hint);
    diagnostics_.push_back({.file = path, .message = error.what, .hint = hint});
  }

  void content(Reader& reader, bool is_main, const std::vector<std::string>& chain) {
    auto [root, faults] = parse_yaml(reader.text(), {});
    for (YamlFault& fault : faults)
      reader.error(fault.mark, fault.message, fault.hint);
    if (root.kind == Node::Kind::null) {
      if (faults.empty()) reader.error({1, 1}, "the file is empty", "it begins with 'version: 1'");
      return;
    }
    if (reader.mapping(root, "the file") == nullptr) return;
    reader.check_keys(root, names(file_keys()), "this file");
    version(reader, root, is_main);
    if (const Node* dns = root.find("dns")) accounts(reader, *dns, "dns", catalog_.dns, dns_);
    if (const Node* hosts = root.find("hosts"))
      accounts(reader, *hosts, "hosts", catalog_.hosts, hosts_);
    defaults(reader, root, is_main);
    if (const Node* rollouts = root.find("rollouts")) rollouts_.read(reader, *rollouts);
    if (const Node* node = root.find("reports")) reports(reader, *node, is_main);
    if (const Node* group_node = root.find("groups")) groups(reader, *group_node);
    if (const Node* list = root.find("domains")) domains(reader, *list, 0);
    if (const Node* include = root.find("include")) includes(reader, *include, chain);
  }

  static void version(Reader& reader, const Node& root, bool is_main) {
    const Node* version = root.find("version");
    if (version == nullptr) {
      if (is_main)
        reader.error(root.mark, "'version' is missing", "begin the file with 'version: 1'");
      return;
    }
    if (version->kind != Node::Kind::scalar || version->text != "1")
      reader.error(version->mark, "unknown version: this program reads version 1");
  }

  void includes(Reader& reader, const Node& node, const std::vector<std::string>& chain) {
    for (const auto& [pattern, mark] : reader.list(node, "'include'")) {
      const Place place{&reader, mark};
      const std::string full = (fs::path(reader.file()).parent_path() / pattern).string();
      const auto paths = sources_.glob(full);
      if (!paths) {
        reader.error(mark, to_string(paths.error()));
      } else if (paths->empty()) {
        reader.error(mark, fmt::format("no file fits '{}'", printable(full)));
      } else {
        for (const std::string& path : *paths)
          file(path, &place, chain);
      }
    }
  }

  // ---- parts of a file ----

  struct RawAccount {
    Account account;
    Place place;
    bool used = false;
  };
  using Accounts = std::map<std::string, RawAccount>;

  void accounts(Reader& reader, const Node& node, const std::string& key,
                const std::vector<ProviderSpec>& specs, Accounts& into) {
    if (node.kind == Node::Kind::null || reader.mapping(node, "'" + key + "'") == nullptr) return;
    for (const auto& [name, value] : node.entries) {
      broken_.insert(name.text);  // until it proves sound
      if (reader.mapping(value, fmt::format("'{}'", printable(name.text))) == nullptr) continue;
      const ProviderSpec* spec = provider(reader, value, specs);
      if (spec == nullptr) continue;
      broken_.erase(name.text);
      RawAccount raw{{name.text, spec->name, {}}, {&reader, name.mark}};
      const std::size_t errors = reader.errors();
      raw.account.settings = read_settings(reader, value, spec->settings, sources_);
      raw.account.settings.account = name.text;
      raw.account.settings.place = reader.where(name.mark);
      if (reader.errors() == errors) check(reader, *spec, raw.account.settings, name.mark);
      const auto [known, fresh] = into.try_emplace(name.text, std::move(raw));
      if (!fresh)
        reader.error(name.mark, fmt::format("'{}' is defined twice, first at {}",
                                            printable(name.text), where(known->second.place)));
    }
  }

  // Secrets that are left out would be missed.
  void check(Reader& reader, const ProviderSpec& spec, const Settings& settings,
             const Mark& account) const {
    if (!spec.check || !sources_.secrets) return;
    const Result<Done> good = spec.check(settings);
    if (good || good.error().code != Code::invalid) return;
    reader.error(reader.mark_at(good.error().where).value_or(account), good.error().what,
                 good.error().hint);
  }

  static const ProviderSpec* provider(Reader& reader, const Node& account,
                                      const std::vector<ProviderSpec>& specs) {
    std::vector<std::string> known;
    for (const ProviderSpec& spec : specs)
      known.push_back(spec.name);
    const Node* node = account.find("provider");
    if (node == nullptr) {
      reader.error(account.mark, "'provider' is missing",
                   fmt::format("known are: {}", join(known, ", ")));
      return nullptr;
    }
    const auto text = reader.text_of(*node, "'provider'");
    if (!text) return nullptr;
    const auto found = std::ranges::find(specs, *text, &ProviderSpec::name);
    if (found != specs.end()) return &*found;
    const auto near = nearest(*text, known);
    reader.error(node->mark, fmt::format("unknown provider '{}'", printable(*text)),
                 near ? fmt::format("did you mean '{}'?", *near)
                      : fmt::format("known are: {}", join(known, ", ")));
    return nullptr;
  }

  void reports(Reader& reader, const Node& node, bool is_main) {
    if (is_main)
      reports_ = read_report_settings(reader, node);
    else
      reader.error(node.mark, "'reports' stands in the main file only");
  }

  void defaults(Reader& reader, const Node& root, bool is_main) {
    const Node* node = root.find("defaults");
    if (node == nullptr || node->kind == Node::Kind::null) return;
    if (!is_main)
      return reader.error(node->mark, "'defaults' stands in the main file only",
                          "give this file's domains a group with defaults of its own");
    if (reader.mapping(*node, "'defaults'") != nullptr)
      defaults_ = read_layer(reader, *node, "'defaults'");
  }

  void groups(Reader& reader, const Node& node) {
    if (node.kind == Node::Kind::null || reader.mapping(node, "'groups'") == nullptr) return;
    for (const auto& [name, group] : node.entries) {
      const std::string what = fmt::format("the group '{}'", printable(name.text));
      if (reader.mapping(group, what) == nullptr) continue;
      if (const auto [known, fresh] =
              group_names_.try_emplace(name.text, Place{&reader, name.mark});
          !fresh)
        reader.error(name.mark,
                     fmt::format("{} is defined twice, first at {}", what, where(known->second)));
      reader.check_keys(group, names(group_keys()), what);
      groups_.emplace_back();
      const Node* layer = group.find("defaults");
      if (layer != nullptr && layer->kind != Node::Kind::null &&
          reader.mapping(*layer, "'defaults'") != nullptr)
        groups_.back() = read_layer(reader, *layer, "'defaults'");
      if (const Node* list = group.find("domains")) domains(reader, *list, groups_.size() - 1);
    }
  }

  void domains(Reader& reader, const Node& node, std::size_t group) {
    if (node.kind == Node::Kind::null || reader.mapping(node, "'domains'") == nullptr) return;
    for (const auto& [key, value] : node.entries) {
      const auto name = reader.name(key, "a domain");
      Layer layer;
      const std::string what = fmt::format("'{}'", printable(key.text));
      if (value.kind == Node::Kind::mapping)
        layer = read_layer(reader, value, what);
      else if (value.kind != Node::Kind::null)
        layer.faulty = reader.mapping(value, what) == nullptr;
      if (name) add_domain({*name, {&reader, key.mark}, std::move(layer), group});
    }
  }

  void add_domain(RawDomain domain) {
    const auto [known, fresh] = index_.try_emplace(domain.name, domains_.size());
    if (fresh) return domains_.push_back(std::move(domain));
    domain.place.reader->error(
        domain.place.mark, fmt::format("the domain {} stands twice, first at {}",
                                       domain.name.text(), where(domains_[known->second].place)));
  }

  // ---- adding up ----

  Config resolve() {
    Config config{.reports = std::move(reports_)};
    std::vector<Layer> outer;
    for (const Layer& group : groups_)
      outer.push_back(merge(defaults_, group));
    config.domains.reserve(domains_.size());
    for (const RawDomain& raw : domains_)
      if (auto domain = finish(raw, merge(outer[raw.group], raw.layer)))
        config.domains.push_back(std::move(*domain));
    std::ranges::sort(config.domains, {}, [](const Domain& domain) -> const dns::Name& {
      return domain.desired.domain;
    });
    for (auto& [name, raw] : dns_)
      take(raw, "dns", config.dns);
    for (auto& [name, raw] : hosts_)
      take(raw, "hosts", config.hosts);
    if (!domains_.empty() && !failed()) rollouts_.warn_unused();
    return config;
  }

  void take(RawAccount& raw, const char* key, std::vector<Account>& into) {
    // Beside an error, an account may be unused because its name is misspelt elsewhere.
    if (!raw.used && !domains_.empty() && !failed())
      raw.place.reader->warning(raw.place.mark, fmt::format("'{}' under '{}' is used by no domain",
                                                            printable(raw.account.name), key));
    into.push_back(std::move(raw.account));
  }

  // Reports what a domain lacks, unless that may follow from a fault; false.
  static bool missing(const RawDomain& raw, const Layer& layer, std::string message,
                      std::string hint) {
    if (!layer.faulty) raw.place.reader->error(raw.place.mark, std::move(message), std::move(hint));
    return false;
  }

  std::optional<Domain> finish(const RawDomain& raw, const Layer& layer) {
    Domain domain{.desired = {.domain = raw.name}, .where = where(raw.place)};
    plan::Desired& desired = domain.desired;
    bool good = true;
    if (!layer.dns) {
      good = missing(raw, layer, "no DNS account holds this domain's records",
                     "set 'dns' here or under 'defaults'");
    } else {
      good = refer(*layer.dns, dns_, "dns");
      desired.dns = layer.dns->value;
    }
    const bool retired = layer.retired.value_or(false);
    if (layer.policy == Part::on || retired) good = policy(raw, layer, desired) && good;
    desired.tlsrpt_retired = layer.tlsrpt == Part::on && layer.tlsrpt_retired;
    if (layer.tlsrpt == Part::on && layer.rua && !desired.tlsrpt_retired)
      desired.tlsrpt = sts::TlsRptRecord{*layer.rua};
    const bool any = desired.policy || desired.tlsrpt || desired.tlsrpt_retired;
    if (!any && good && layer.policy != Part::on && layer.rollout_part != Part::on)
      good = missing(raw, layer, "nothing is managed for this domain",
                     "give it a 'policy', a 'preset' or 'tlsrpt'");
    if (layer.address != Part::unsaid) domain.address_from_host = false;
    if (layer.address == Part::on) desired.address = layer.address_value;
    desired.id_strategy = layer.id_strategy.value_or(plan::IdStrategy::automatic);
    desired.fixed_id = layer.fixed_id.value_or("");
    desired.ttls = layer.ttls;
    desired.safety = layer.safety.value_or(plan::SenderKind::strict);
    desired.takeover = layer.takeover.value_or(false);
    desired.longest_max_age = layer.longest_max_age;
    good = rollouts_.settle(layer, raw.layer, raw.place, domain) && good;
    if (desired.policy && retired) retire(domain);
    return good ? std::optional(std::move(domain)) : std::nullopt;
  }

  // What a domain whose MTA-STS ends is to publish until it has ended (RFC 8461 §8.3). Only ids of
  // ours tell when that is, and what resolvers hold but briefly is soon gone.
  static void retire(Domain& domain) {
    plan::Desired& desired = domain.desired;
    domain.rollout.reset();
    domain.pins = {};
    desired.rollout = {};
    desired.retired = true;
    desired.policy->mode = sts::Mode::none;
    desired.policy->max_age = sts::min_published_max_age;
    desired.mx_live = false;
    desired.id_strategy = plan::IdStrategy::automatic;
    desired.fixed_id.clear();
    desired.ttls.sts =
        std::min(desired.ttls.sts.value_or(plan::default_sts_ttl), plan::default_sts_ttl);
  }

  bool policy(const RawDomain& raw, const Layer& layer, plan::Desired& desired) {
    bool good = true;
    if (!layer.host)
      good = missing(raw, layer, "no policy host serves this domain",
                     "set 'host' here or under 'defaults'");
    else if (refer(*layer.host, hosts_, "hosts"))
      desired.host = layer.host->value;
    else
      good = false;
    const bool retired = layer.retired.value_or(false);
    const bool led = layer.rollout_part == Part::on && !retired;
    if (!layer.mode && !led && !retired)
      good = missing(raw, layer, "its policy has no 'mode'",
                     "set 'policy: {mode: testing}', or a 'rollout', to begin");
    if (!layer.max_age && !led && !retired)
      good = missing(raw, layer, "its policy has no 'max_age'", "set 'max_age: 1d' to begin");
    const bool needs_mx = led || (layer.mode && layer.mode->value != sts::Mode::none && !retired);
    if (needs_mx && !layer.mx_live && (!layer.mx || layer.mx->empty()))
      good = missing(raw, layer, "its policy has no 'mx' (RFC 8461 §3.2)",
                     "list the hosts of its MX records, name a 'preset', or write 'mx: live'");
    if (good)
      desired.policy =
          sts::Policy{layer.mode ? layer.mode->value : sts::Mode::testing,
                      layer.mx.value_or(std::vector<sts::MxPattern>{}),
                      layer.max_age ? layer.max_age->value : sts::min_published_max_age};
    desired.mx_live = layer.mx_live;
    return good;
  }

  // Is an account that is referred to defined? Said once a place, however many domains inherit it.
  bool refer(const Said<std::string>& said, Accounts& accounts, const std::string& key) {
    const auto found = accounts.find(said.value);
    if (found != accounts.end()) {
      found->second.used = true;
      return true;
    }
    if (broken_.contains(said.value)) return false;
    const auto place = std::tuple(said.place.reader, said.place.mark.line, said.place.mark.column);
    if (!reported_.insert(place).second) return false;
    std::vector<std::string> known;
    for (const auto& [name, account] : accounts)
      known.push_back(name);
    const auto near = nearest(said.value, known);
    said.place.reader->error(said.place.mark,
                             fmt::format("no account '{}' under '{}'", printable(said.value), key),
                             near ? fmt::format("did you mean '{}'?", *near) : "");
    return false;
  }

  static std::string where(const Place& place) { return place.reader->where(place.mark); }

  // In the order of the files, and not more than a person reads.
  std::vector<Diagnostic> shortened() {
    std::map<std::string, std::size_t> order;
    for (const auto& reader : readers_)
      order.try_emplace(reader->file(), order.size());
    std::ranges::stable_sort(diagnostics_, {}, [&](const Diagnostic& one) {
      return std::tuple(order[one.file], one.line, one.column);
    });
    if (diagnostics_.size() <= most_diagnostics) return std::move(diagnostics_);
    const std::size_t more = diagnostics_.size() - most_diagnostics;
    std::ranges::stable_sort(diagnostics_, {}, &Diagnostic::severity);
    diagnostics_.resize(most_diagnostics);
    diagnostics_.push_back({.file = diagnostics_.front().file,
                            .message = fmt::format("{} more faults are not shown", more)});
    return std::move(diagnostics_);
  }

  const Catalog& catalog_;
  const Sources& sources_;
  std::vector<Diagnostic> diagnostics_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::set<std::string> seen_;
  Accounts dns_;
  Accounts hosts_;
  Layer defaults_;
  Rollouts rollouts_;
  ReportSettings reports_;
  std::set<std::string> broken_;  // accounts that are there but wrong
  std::vector<Layer> groups_;
  std::map<std::string, Place> group_names_;
  std::vector<RawDomain> domains_;
  std::unordered_map<dns::Name, std::size_t> index_;
  std::set<std::tuple<Reader*, std::size_t, std::size_t>> reported_;
};

}  // namespace

const Account* Config::find_dns(std::string_view name) const {
  const auto found = std::ranges::find(dns, name, &Account::name);
  return found == dns.end() ? nullptr : &*found;
}

const Account* Config::find_host(std::string_view name) const {
  const auto found = std::ranges::find(hosts, name, &Account::name);
  return found == hosts.end() ? nullptr : &*found;
}

Loaded load(const std::string& path, const Catalog& catalog, const Sources& sources) {
  return Loader(catalog, sources).load(path);
}

}  // namespace stsctl::config
