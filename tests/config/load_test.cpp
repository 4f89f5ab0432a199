// Every kind of fault, as its reader sees it: cases/NAME.yaml gives exactly cases/NAME.txt.
// STSCTL_UPDATE=1 rewrites those; the difference is reviewed.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "config/config.h"
#include "config/presets.h"
#include "engine/accounts.h"
#include "sts/mx_pattern.h"

namespace stsctl::config {
namespace {

namespace fs = std::filesystem;

const fs::path cases = fs::path(STSCTL_SOURCE_DIR) / "tests" / "config" / "cases";

std::string slurp(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// The disk below the cases, and an environment of one variable.
Sources sources(const std::unique_ptr<io::Files>& files) {
  return {
      .read = [&](const std::string& path, std::size_t limit) { return files->read(path, limit); },
      .glob = [&](const std::string& pattern) { return files->glob(pattern); },
      .env =
          [](const std::string& name) {
            return name == "PLAIN" ? std::optional<std::string>("s3cret-value") : std::nullopt;
          }};
}

class Cases : public testing::TestWithParam<std::string> {};

TEST_P(Cases, SayExactlyThis) {
  const auto files = io::real_files();
  fs::current_path(cases);
  const Loaded loaded = load(GetParam() + ".yaml", engine::builtin_catalog(), sources(files));
  std::string said;
  for (const Diagnostic& one : loaded.diagnostics)
    said += format(one) + "\n";
  const fs::path golden = cases / (GetParam() + ".txt");
  if (std::getenv("STSCTL_UPDATE") != nullptr) std::ofstream(golden) << said;
  EXPECT_EQ(said, slurp(golden));
  const bool failed = said.find(": error: ") != std::string::npos;
  EXPECT_EQ(loaded.config.has_value(), !failed);
  if (GetParam().starts_with("valid")) EXPECT_FALSE(failed);
  for (const char c : said)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

std::vector<std::string> all_cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(cases))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Config, Cases, testing::ValuesIn(all_cases()),
                         [](const auto& one) { return one.param; });

Loaded load_text(const std::string& text) {
  return load(
      "stsctl.yaml", engine::builtin_catalog(),
      {.read = [&](const std::string&, std::size_t) -> Result<std::string> { return text; },
       .glob = [](const std::string&) { return std::vector<std::string>{}; },
       .env = [](const std::string&) { return std::optional<std::string>("s3cret-value"); }});
}

constexpr const char* head =
    "version: 1\ndns: {zones: {provider: zonefile, directory: zones}}\n"
    "hosts: {web: {provider: directory, root: www}}\n"
    "defaults: {dns: zones, host: web, policy: {mode: testing, max_age: 1d}}\n";

const plan::Desired& domain(const Loaded& loaded, const std::string& name) {
  for (const Domain& one : loaded.config->domains)
    if (one.desired.domain.text() == name) return one.desired;
  throw std::out_of_range(name);
}

TEST(Load, LayersAddUp) {
  const auto files = io::real_files();
  fs::current_path(cases);
  const Loaded loaded = load("valid_everything.yaml", engine::builtin_catalog(), sources(files));
  ASSERT_TRUE(loaded.config);
  const plan::Desired& a = domain(loaded, "a.example");
  ASSERT_TRUE(a.policy);
  EXPECT_EQ(a.policy->mode, sts::Mode::enforce);
  EXPECT_EQ(a.policy->mx.size(), 2U);  // the preset's and its own
  EXPECT_EQ(a.fixed_id, "20260101");
  EXPECT_EQ(a.ttls.sts, Duration{300});
  EXPECT_TRUE(a.takeover);
  EXPECT_EQ(a.safety, plan::SenderKind::prompt);
  EXPECT_EQ(domain(loaded, "c.example").safety, plan::SenderKind::strict);
  EXPECT_EQ(a.longest_max_age, Duration{4 * 604800});
  ASSERT_TRUE(a.address);
  EXPECT_EQ(a.address->aaaa, std::vector<std::string>{"2001:db8::1"});
  EXPECT_FALSE(domain(loaded, "b.example").policy);
  EXPECT_EQ(domain(loaded, "c.example").policy->max_age, Duration{86400});  // from defaults
  EXPECT_EQ(domain(loaded, "d.example").policy->mode, sts::Mode::enforce);  // from its group
  EXPECT_EQ(domain(loaded, "d.example").policy->max_age, Duration{2 * 604800});
  const auto& e = *domain(loaded, "e.example").policy;  // its own mx instead of the group's preset
  ASSERT_EQ(e.mx.size(), 1U);
  EXPECT_EQ(e.mx.front().host.text(), "mx.e.example");
  // 'live' takes the place of named patterns, and they of it, the innermost level first.
  for (const char* name : {"f.example", "g.example", "i.example"}) {
    EXPECT_TRUE(domain(loaded, name).mx_live) << name;
    EXPECT_TRUE(domain(loaded, name).policy->mx.empty()) << name;
  }
  for (const char* name : {"a.example", "d.example", "e.example", "h.example"})
    EXPECT_FALSE(domain(loaded, name).mx_live) << name;
  EXPECT_EQ(domain(loaded, "h.example").policy->mx.size(), 2U);
}

const Domain& entry(const Loaded& loaded, const std::string& name) {
  for (const Domain& one : loaded.config->domains)
    if (one.desired.domain.text() == name) return one;
  throw std::out_of_range(name);
}

TEST(Load, RolloutsAreReadAsWritten) {
  const auto files = io::real_files();
  fs::current_path(cases);
  const Loaded loaded = load("valid_rollouts.yaml", engine::builtin_catalog(), sources(files));
  ASSERT_TRUE(loaded.config);
  using std::chrono::days;
  const rollout::Rollout careful{
      .name = "careful",
      .stages = {{.mode = sts::Mode::testing,
                  .max_age = days{1},
                  .lasts = days{14},
                  .gate = {.sessions = 100, .failures = rollout::Share{1000}, .verify = true}},
                 {.mode = sts::Mode::enforce,
                  .max_age = days{7},
                  .lasts = days{14},
                  .gate = {.failures = rollout::Share{1000}, .verify = true},
                  .brake = rollout::Brake{rollout::Share{20000}, days{1}}},
                 {.mode = sts::Mode::enforce, .max_age = days{26 * 7}}}};
  ASSERT_TRUE(entry(loaded, "a.example").rollout);
  EXPECT_EQ(*entry(loaded, "a.example").rollout, careful);
  const rollout::Rollout& patient = *entry(loaded, "c.example").rollout;
  EXPECT_EQ(patient.stages[1].brake, (rollout::Brake{rollout::Share{125000}, days{1}}));
  EXPECT_EQ(effect_of(patient, "dane-required"), rollout::Effect::blocks);
  EXPECT_EQ(effect_of(patient, "sts-policy-fetch-error"), rollout::Effect::shows);
}

TEST(Load, RolloutsFollowTheLayers) {
  const auto files = io::real_files();
  fs::current_path(cases);
  const Loaded loaded = load("valid_rollouts.yaml", engine::builtin_catalog(), sources(files));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(entry(loaded, "a.example").pins, rollout::Pins{});
  EXPECT_EQ(entry(loaded, "b.example").pins, (rollout::Pins{.hold = true, .stage = 2, .start = 3}));
  EXPECT_EQ(entry(loaded, "c.example").rollout->name, "patient");
  EXPECT_EQ(entry(loaded, "g.example").rollout->name, "patient");
  for (const char* name : {"d.example", "e.example", "f.example"}) {
    EXPECT_FALSE(entry(loaded, name).rollout) << name;
    EXPECT_FALSE(domain(loaded, name).rollout) << name;
  }
  EXPECT_FALSE(domain(loaded, "e.example").policy);
  EXPECT_EQ(domain(loaded, "f.example").policy->mode, sts::Mode::enforce);
  // Nobody may take what stands there before it is decided for what is to be published.
  const auto& undecided = domain(loaded, "a.example").rollout;
  ASSERT_TRUE(undecided);
  EXPECT_EQ(undecided->action, plan::RolloutAction::undecided);
  EXPECT_EQ(undecided->rollout, "careful");
}

TEST(Load, IncludedFilesAreOneConfiguration) {
  const auto files = io::real_files();
  fs::current_path(cases);
  const Loaded loaded = load("valid_include.yaml", engine::builtin_catalog(), sources(files));
  ASSERT_TRUE(loaded.config);
  ASSERT_EQ(loaded.config->domains.size(), 3U);
  EXPECT_EQ(domain(loaded, "b.example").policy->mode, sts::Mode::enforce);
}

TEST(Load, SecretsAreResolvedAndNeverEchoed) {
  const Loaded loaded =
      load_text(std::string("version: 1\ndns: {zones: {provider: zonefile, "
                            "directory: \"${env:PLAIN}\", pth: x}}\n"));
  ASSERT_FALSE(loaded.diagnostics.empty());
  for (const Diagnostic& one : loaded.diagnostics)
    EXPECT_EQ(format(one).find("s3cret"), std::string::npos) << format(one);
}

TEST(Load, SecretsMayBeLeftOutUnread) {
  const std::string text =
      "version: 1\ndns: {p: {provider: powerdns, endpoint: \"http://127.0.0.1:1\",\n"
      "  server: one, api_key: \"${env:UNSET}\"}}\n"
      "hosts: {web: {provider: directory, root: www}}\n"
      "domains: {a.example: {dns: p, host: web, policy: {mode: none, max_age: 1d}}}\n";
  EXPECT_TRUE(load_text(text).config->dns.front().settings.has("api_key"));
  bool asked = false;
  const Loaded loaded = load("x.yaml", engine::builtin_catalog(),
                             {.read = [&](const std::string&, std::size_t) { return text; },
                              .glob = [](const std::string&) { return std::vector<std::string>{}; },
                              .env =
                                  [&](const std::string&) {
                                    asked = true;
                                    return std::optional<std::string>("s3cret");
                                  },
                              .secrets = false});
  ASSERT_TRUE(loaded.config);
  EXPECT_FALSE(asked);
  EXPECT_FALSE(loaded.config->dns.front().settings.has("api_key"));
  EXPECT_EQ(loaded.config->dns.front().settings.text("server"), "one");
}

TEST(Load, SettingsThatDoNotFitTogetherAreShownWhereTheyStand) {
  const std::string text =
      "version: 1\ndns:\n  z: {provider: zonefile, directory: d, path: x}\n  y: {provider: "
      "zonefile}\nhosts: {web: {provider: directory, root: www}}\n";
  Error error{Code::invalid, "odd", "", "even"};
  int checks = 0;
  const auto faults = [&](const std::string& key, bool secrets) {
    config::Catalog catalog = engine::builtin_catalog();
    for (ProviderSpec& spec : catalog.dns)
      spec.check = [&](const Settings& settings) -> Result<Done> {
        ++checks;
        Error said = error;
        said.where = key.empty() ? "elsewhere:1:1" : settings.where(key);
        return std::unexpected(said);
      };
    const Loaded loaded =
        load("x.yaml", catalog,
             {.read = [&](const std::string&, std::size_t) { return text; },
              .glob = [](const std::string&) { return std::vector<std::string>{}; },
              .env = [](const std::string&) { return std::optional<std::string>{}; },
              .secrets = secrets});
    std::string all;
    for (const Diagnostic& one : loaded.diagnostics)
      all += format(one) + "\n";
    return all;
  };
  const std::string missing =
      "x.yaml:4:6: error: 'directory' is missing: Folder of the zone files.\n"
      "      y: {provider: zonefile}\n         ^\n";
  EXPECT_EQ(faults("path", true),
            "x.yaml:3:47: error: odd\n      z: {provider: zonefile, directory: d, path: x}\n" +
                std::string(50, ' ') + "^\n  hint: even\n" + missing);
  EXPECT_EQ(checks, 1) << "the other account is wrong already";
  EXPECT_EQ(faults("", true).substr(0, 23), "x.yaml:3:3: error: odd\n");
  EXPECT_EQ(faults("path", false), missing) << "secrets that are left out would be missed";
  error.code = Code::unauthorized;
  EXPECT_EQ(faults("path", true), missing) << "no fault of the text";
}

TEST(Load, ManyFaultsAreShortened) {
  std::string text = std::string(head) + "domains:\n";
  for (int i = 0; i < 1000; ++i)
    text += "  d" + std::to_string(i) + ".example: {bad: 1}\n";
  const Loaded loaded = load_text(text);
  EXPECT_FALSE(loaded.config);
  ASSERT_EQ(loaded.diagnostics.size(), 101U);
  EXPECT_NE(loaded.diagnostics.back().message.find("more faults"), std::string::npos);
}

TEST(Load, AFaultInDefaultsIsSaidOnce) {
  std::string text = std::string(head) + "domains:\n";
  text.replace(text.find("dns: zones,"), 11, "dns: zoned,");
  for (int i = 0; i < 50; ++i)
    text += "  d" + std::to_string(i) + ".example: {preset: proton}\n";
  const Loaded loaded = load_text(text);
  EXPECT_EQ(
      std::ranges::count(loaded.diagnostics, Diagnostic::Severity::error, &Diagnostic::severity),
      1);
}

TEST(Load, HugeAndBinaryFiles) {
  const auto answer = [](Result<std::string> text) {
    return load("x.yaml", engine::builtin_catalog(),
                {.read = [&](const std::string& path, std::size_t limit) -> Result<std::string> {
                   if (text && text->size() > limit)
                     return fail(Code::invalid, "longer than 67108864 bytes", path);
                   return text;
                 },
                 .glob = [](const std::string&) { return std::vector<std::string>{}; },
                 .env = [](const std::string&) { return std::optional<std::string>{}; }});
  };
  const auto message = [&](Result<std::string> text) {
    const Loaded loaded = answer(std::move(text));
    EXPECT_FALSE(loaded.config);
    return loaded.diagnostics.empty() ? "" : loaded.diagnostics.front().message;
  };
  EXPECT_NE(message(std::string(100U << 20U, 'a')).find("longer than"), std::string::npos);
  EXPECT_NE(message(std::string("version: 1\n\0", 12)).find("NUL"), std::string::npos);
  EXPECT_NE(message(fail(Code::not_found, "cannot read: No such file", "x.yaml")).find("No such"),
            std::string::npos);
}

TEST(Presets, AreSoundAndDocumented) {
  const std::string page = slurp(fs::path(STSCTL_SOURCE_DIR) / "docs" / "presets.md");
  for (const Preset& preset : presets()) {
    EXPECT_NE(page.find("`" + preset.name + "`"), std::string::npos) << preset.name;
    for (const std::string& pattern : preset.mx) {
      EXPECT_TRUE(sts::parse_mx_pattern(pattern, true)) << pattern;
      EXPECT_NE(page.find("`" + pattern + "`"), std::string::npos) << pattern;
    }
  }
}

}  // namespace
}  // namespace stsctl::config
