// How the time of loading and planning grows with the number of domains, on the embedded providers.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "cli/real_world.h"
#include "engine/accounts.h"
#include "engine/observe.h"
#include "plan/make.h"
#include "sts/policy_id.h"
#include "sts/record.h"

namespace {

namespace fs = std::filesystem;
using stsctl::plan::Desired;
using stsctl::plan::Observed;

// A folder of `count` domains, each with a zone file of its own; removed at the end.
class Fleet {
 public:
  explicit Fleet(std::int64_t count) {
    std::string pattern = (fs::temp_directory_path() / "stsctl-bench-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::create_directories(folder_ / "zones");
    fs::create_directories(folder_ / "www");
    std::ofstream config(folder_ / "stsctl.yaml");
    config << "version: 1\ndns: {zones: {provider: zonefile, directory: zones}}\n"
              "hosts: {web: {provider: directory, root: www, address: {cname: web.example.net}}}\n"
              "defaults:\n  dns: zones\n  host: web\n  policy: {mode: testing, max_age: 1d}\n"
              "  tlsrpt: {rua: [mailto:tls@example.net]}\ndomains:\n";
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string name = fmt::format("d{:06}.example", i);
      config << fmt::format("  {0}: {{policy: {{mx: [mail.{0}, \"*.backup.{0}\"]}}}}\n", name);
      std::ofstream(folder_ / "zones" / (name + ".zone"))
          << "$TTL 1h\n@ IN SOA ns1 hostmaster ( 2026010101 1d 2h 4w 5m )\n  IN NS ns1\n"
             "  IN MX 10 mail\nns1 IN A 192.0.2.1\nmail IN A 192.0.2.2\n";
    }
  }
  ~Fleet() { fs::remove_all(folder_); }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  stsctl::config::Loaded load(stsctl::io::Files& files) const {
    return stsctl::config::load(
        (folder_ / "stsctl.yaml").string(), stsctl::engine::builtin_catalog(),
        {.read = [&](const std::string& path,
                     std::size_t limit) { return files.read(path, limit); },
         .glob = [&](const std::string& pattern) { return files.glob(pattern); },
         .env = [](const std::string&) { return std::optional<std::string>{}; }});
  }

 private:
  fs::path folder_;
};

const Fleet& fleet(std::int64_t count) {
  static std::map<std::int64_t, std::unique_ptr<Fleet>> fleets;
  auto& one = fleets[count];
  if (!one) one = std::make_unique<Fleet>(count);
  return *one;
}

void load(benchmark::State& state) {
  const Fleet& domains = fleet(state.range(0));
  const auto files = stsctl::io::real_files();
  for (auto _ : state)
    benchmark::DoNotOptimize(domains.load(*files));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void make(benchmark::State& state) {
  const auto files = stsctl::io::real_files();
  const auto loaded = fleet(state.range(0)).load(*files);
  std::vector<Desired> desired;
  std::vector<Observed> observed;
  for (const auto& domain : loaded.config->domains) {
    desired.push_back(domain.desired);
    const stsctl::plan::NameState nothing{domain.desired.domain, {}};
    observed.push_back(
        {domain.desired.domain, nothing, nothing, nothing, std::optional<std::string>{}});
  }
  const stsctl::Time now = *stsctl::parse_time("2026-11-24T00:00:00Z");
  for (auto _ : state)
    benchmark::DoNotOptimize(stsctl::plan::make(desired, observed, {.now = now}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// What is published of a domain, and what is wanted in its place.
struct Change {
  stsctl::sts::Policy published;
  Desired wanted;
  std::vector<stsctl::dns::Name> mx;  // that the records name
};

stsctl::sts::MxPattern host(const Change& change, const std::string& label) {
  return *stsctl::sts::parse_mx_pattern(label + "." + change.wanted.domain.text());
}

void replace_mx(Change& change) {
  change.published.mx = {host(change, "old")};
  change.mx = {change.published.mx.front().host};
}
void add_mx(Change& change) {
  change.wanted.policy->mx.push_back(host(change, "new"));
}
void begin_to_enforce(Change& change) {
  change.published.mode = stsctl::sts::Mode::testing;
}
void go_back_to_testing(Change& change) {
  change.wanted.policy->mode = stsctl::sts::Mode::testing;
}
void keep_longer(Change& change) {
  change.wanted.policy->max_age *= 7;
}
void move_host(Change& change) {
  change.wanted.policy->max_age *= 7;
  change.wanted.address = stsctl::plan::Address{.a = {"192.0.2.9"}, .aaaa = {}};
}
void retire(Change& change) {
  change.wanted.retired = true;
  change.wanted.policy->mode = stsctl::sts::Mode::none;
}

Observed observed_before(const Change& change, stsctl::Time now) {
  const stsctl::dns::Name& domain = change.wanted.domain;
  const std::string id = stsctl::sts::format_policy_id(
      {now - std::chrono::days{30}, std::chrono::floor<std::chrono::days>(now),
       stsctl::sts::policy_digest(change.published)});
  const stsctl::plan::Owners names = stsctl::plan::owners(domain);
  const auto state = [&](const stsctl::dns::Name& owner, stsctl::dns::Type type,
                         const std::string& value) {
    return stsctl::plan::NameState{domain, {{owner, type, stsctl::Duration{300}, {value}}}};
  };
  const std::string reports = stsctl::sts::format_tlsrpt_record(*change.wanted.tlsrpt);
  return {domain,
          state(names.sts, stsctl::dns::Type::txt, stsctl::sts::format_sts_record({id})),
          state(names.tlsrpt, stsctl::dns::Type::txt, reports),
          state(names.address, stsctl::dns::Type::a, "192.0.2.2"),
          std::optional(stsctl::sts::format_policy(change.published)),
          stsctl::plan::LiveMx{change.mx, stsctl::Duration{3600}}};
}

// Every domain, which enforces under an id of ours, changes in one way; the proof runs against its
// MX records.
void make_changes(benchmark::State& state, void (*make_change)(Change&)) {
  const auto files = stsctl::io::real_files();
  const auto loaded = fleet(state.range(0)).load(*files);
  const stsctl::Time now = *stsctl::parse_time("2026-11-24T00:00:00Z");
  std::vector<Desired> desired;
  std::vector<Observed> observed;
  for (const auto& domain : loaded.config->domains) {
    Change change{.published = *domain.desired.policy, .wanted = domain.desired, .mx = {}};
    change.published.mode = stsctl::sts::Mode::enforce;
    change.wanted.policy->mode = stsctl::sts::Mode::enforce;
    change.mx = {change.published.mx.front().host};
    make_change(change);
    observed.push_back(observed_before(change, now));
    desired.push_back(std::move(change.wanted));
  }
  for (auto _ : state)
    benchmark::DoNotOptimize(stsctl::plan::make(desired, observed, {.now = now}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void load_observe_and_make(benchmark::State& state) {
  const Fleet& domains = fleet(state.range(0));
  stsctl::cli::RealWorld real;
  const stsctl::io::Services& services = real.world().services;
  for (auto _ : state) {
    const auto loaded = domains.load(services.files);
    const auto accounts =
        stsctl::engine::open_accounts(*loaded.config, loaded.config->domains, services);
    const auto desired = stsctl::engine::resolve(loaded.config->domains, accounts);
    const auto observed = stsctl::engine::observe(desired, accounts, {});
    benchmark::DoNotOptimize(stsctl::plan::make(desired, observed, {.now = services.clock.now()}));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(load)->RangeMultiplier(10)->Range(1000, 100000)->Unit(benchmark::kMillisecond);
BENCHMARK(make)->RangeMultiplier(10)->Range(1000, 100000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(make_changes, replace_mx, replace_mx)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(make_changes, add_mx, add_mx)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(make_changes, begin_to_enforce, begin_to_enforce)
    ->Arg(10000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(make_changes, go_back_to_testing, go_back_to_testing)
    ->Arg(10000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(make_changes, keep_longer, keep_longer)
    ->Arg(10000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(make_changes, move_host, move_host)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(make_changes, retire, retire)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(load_observe_and_make)
    ->RangeMultiplier(10)
    ->Range(1000, 100000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
