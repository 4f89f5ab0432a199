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

// Every domain changes its MX host: the policy keeps the old one, an id of ours is published, and
// the proof runs against the records.
void make_mx_changes(benchmark::State& state) {
  const auto files = stsctl::io::real_files();
  const auto loaded = fleet(state.range(0)).load(*files);
  const stsctl::Time now = *stsctl::parse_time("2026-11-24T00:00:00Z");
  std::vector<Desired> desired;
  std::vector<Observed> observed;
  for (const auto& domain : loaded.config->domains) {
    Desired wanted = domain.desired;
    wanted.policy->mode = stsctl::sts::Mode::enforce;
    stsctl::sts::Policy old = *wanted.policy;
    old.mx = {*stsctl::sts::parse_mx_pattern("old." + wanted.domain.text())};
    const std::string id = stsctl::sts::format_policy_id(
        {now - std::chrono::days{30}, std::chrono::floor<std::chrono::days>(now),
         stsctl::sts::policy_digest(old)});
    const stsctl::dns::Name owner = stsctl::plan::owners(wanted.domain).sts;
    stsctl::plan::NameState sts{wanted.domain, {}};
    sts.sets.push_back({owner,
                        stsctl::dns::Type::txt,
                        stsctl::Duration{300},
                        {stsctl::sts::format_sts_record({id})}});
    const stsctl::plan::NameState nothing{wanted.domain, {}};
    observed.push_back({wanted.domain, sts, nothing, nothing,
                        std::optional(stsctl::sts::format_policy(old)),
                        stsctl::plan::LiveMx{{old.mx.front().host}, stsctl::Duration{3600}}});
    desired.push_back(std::move(wanted));
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
BENCHMARK(make_mx_changes)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(load_observe_and_make)
    ->RangeMultiplier(10)
    ->Range(1000, 100000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
