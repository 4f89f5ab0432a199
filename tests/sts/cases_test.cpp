// Facts gathered from ten implementations, where they stand beside the checkout: an extra run. The
// project's own tables are in the other files here.
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dns/record_set.h"
#include "sts/policy.h"
#include "sts/record.h"

namespace stsctl::sts {
namespace {

using nlohmann::json;

json load(const std::string& name) {
  const std::filesystem::path path =
      std::filesystem::path(STSCTL_SOURCE_DIR) / ".." / "shared" / "cases" / name;
  std::ifstream in(path);
  return in ? json::parse(in) : json();
}

#define LOAD_OR_SKIP(name) \
  load(name);              \
  if (cases.is_null()) GTEST_SKIP() << name << " is not beside this checkout"

// A case may hold several character-strings of one record, or several records; the reason says.
std::vector<std::string> records(const json& one) {
  return one.at("txt").get<std::vector<std::string>>();
}

TEST(Cases, StsRecords) {
  const json cases = LOAD_OR_SKIP("sts_records.json");
  for (const json& one : cases) {
    const auto checked = parse_sts_records(records(one));
    EXPECT_EQ(checked.value.has_value(), one.at("valid").get<bool>()) << one.dump();
    if (checked.value && one.at("valid")) EXPECT_EQ(checked.value->id, one.at("id")) << one.dump();
    if (!checked.value) EXPECT_NE(errors(checked.findings), "") << one.dump();
  }
}

TEST(Cases, Policies) {
  const json cases = LOAD_OR_SKIP("policies.json");
  for (const json& one : cases) {
    const auto checked = parse_policy(one.at("body").get<std::string>());
    ASSERT_EQ(checked.value.has_value(), one.at("valid").get<bool>())
        << one.dump() << errors(checked.findings);
    if (!checked.value) {
      EXPECT_NE(errors(checked.findings), "");
      continue;
    }
    EXPECT_EQ(to_string(checked.value->mode), one.at("mode").get<std::string>());
    EXPECT_EQ(checked.value->max_age.count(), one.at("max_age").get<std::int64_t>());
    std::vector<std::string> mx;
    for (const MxPattern& pattern : checked.value->mx)
      mx.push_back(format_mx_pattern(pattern));
    EXPECT_EQ(json(mx), one.value("mx", json::array())) << one.dump();
  }
}

// Where a well-known sender rejects what the RFC allows, a warning names it.
TEST(Cases, WarningsNameTheSendersThatReject) {
  const json cases = LOAD_OR_SKIP("policies.json");
  const std::map<std::string, std::string> names{
      {"chasquid", "chasquid"}, {"stalwart", "Stalwart"}, {"kumomta", "KumoMTA"}};
  for (const json& one : cases) {
    if (!one.at("valid")) continue;
    std::string said;
    for (const Finding& finding : parse_policy(one.at("body").get<std::string>()).findings)
      said += finding.message;
    for (const auto& [key, name] : names)
      if (one.at("verdicts").value(key, json()) == json(false))
        EXPECT_TRUE(said.find(name) != std::string::npos ||
                    said.find("most others") != std::string::npos)
            << key << " " << one.at("body") << " " << said;
  }
}

TEST(Cases, MxMatch) {
  const json cases = LOAD_OR_SKIP("mx_match.json");
  for (const json& one : cases) {
    const auto pattern = parse_mx_pattern(one.at("pattern").get<std::string>());
    const auto host = dns::Name::parse(one.at("host").get<std::string>());
    EXPECT_EQ(pattern && host && matches(*pattern, *host), one.at("match").get<bool>())
        << one.dump();
  }
}

TEST(Cases, TlsRptRecords) {
  const json cases = LOAD_OR_SKIP("tlsrpt_records.json");
  for (const json& one : cases) {
    const auto checked = parse_tlsrpt_records(records(one));
    ASSERT_EQ(checked.value.has_value(), one.at("valid").get<bool>())
        << one.dump() << errors(checked.findings);
  }
}

}  // namespace
}  // namespace stsctl::sts
