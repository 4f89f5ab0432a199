// Facts gathered from ten implementations, where they stand beside the checkout: an extra run. The
// project's own tables are in the other files here.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

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
    if (checked.value && one.at("valid"))
      EXPECT_EQ(checked.value->id, one.at("id").get<std::string>()) << one.dump();
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

// How our messages call the senders whose verdicts the cases hold.
const std::map<std::string, std::string> senders{
    {"chasquid", "chasquid"},
    {"go-mtasts", "go-mtasts"},
    {"kumomta", "KumoMTA"},
    {"mox", "mox"},
    {"postfix-mta-sts-resolver", "postfix-mta-sts-resolver"},
    {"postfix-tlspol", "postfix-tlspol"},
    {"stalwart", "Stalwart"}};

std::string warnings(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings)
    if (finding.severity == Severity::warning) text += finding.message + "\n";
  return text;
}

// Counts the verdicts that differ from the RFC's, and of those the ones a warning names.
class Coverage {
 public:
  void count(const json& one, const std::vector<Finding>& findings,
             bool (*differs)(const json& one, const json& verdict)) {
    const std::string said = warnings(findings);
    for (const auto& [key, name] : senders) {
      if (!one.at("verdicts").contains(key)) continue;
      if (!differs(one, one.at("verdicts").at(key))) continue;
      ++different_;
      if (said.find(name) != std::string::npos)
        ++named_;
      else
        missing_ += key + ": " + one.dump() + "\n";
    }
  }
  void expect_all() const {
    std::cout << "warnings name the sender in " << named_ << " of " << different_
              << " verdicts that differ from the RFC's\n";
    EXPECT_GT(different_, 0);
    EXPECT_EQ(named_, different_) << missing_;
  }

 private:
  int different_ = 0;
  int named_ = 0;
  std::string missing_;
};

// Where a well-known sender reads a valid record or policy otherwise, a warning names it.
TEST(Cases, WarningsNameTheSendersThatDifferOnPolicies) {
  const json cases = LOAD_OR_SKIP("policies.json");
  Coverage coverage;
  for (const json& one : cases)
    if (one.at("valid"))
      coverage.count(one, parse_policy(one.at("body").get<std::string>()).findings,
                     [](const json& right, const json& verdict) {
                       return !verdict.is_object() || verdict.at("mode") != right.at("mode") ||
                              verdict.at("max_age") != right.at("max_age");
                     });
  coverage.expect_all();
}

TEST(Cases, WarningsNameTheSendersThatDifferOnRecords) {
  const json cases = LOAD_OR_SKIP("sts_records.json");
  Coverage coverage;
  for (const json& one : cases)
    if (one.at("valid"))
      coverage.count(one, parse_sts_records(records(one)).findings,
                     [](const json& right, const json& verdict) {
                       return verdict != json(true) && verdict != right.at("id");
                     });
  coverage.expect_all();
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
    if (checked.value) EXPECT_EQ(json(checked.value->rua), one.at("rua")) << one.dump();
  }
}

}  // namespace
}  // namespace stsctl::sts
