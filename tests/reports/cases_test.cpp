// Reports that real senders sent, where they stand beside the checkout: an extra run. The project's
// own are in the other files here.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/inbox.h"
#include "reports/report.h"
#include "reports/samples.h"

namespace stsctl::reports {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path cases = fs::path(STSCTL_SOURCE_DIR) / ".." / "shared" / "cases" / "reports";

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Cases, Reports) {
  if (!fs::exists(cases / "expected.json")) GTEST_SKIP() << "not beside this checkout";
  const json expected = json::parse(content(cases / "expected.json"));
  std::size_t read = 0;
  for (const json& one : expected.at("reports")) {
    const std::string file = one.at("file");
    const auto report = read_report(content(cases / file), sample_now);
    EXPECT_EQ(report.has_value(), !file.starts_with("bad-"))
        << file << ": " << (report ? "" : to_string(report.error()));
    if (!report) continue;
    ++read;
    EXPECT_EQ(report->organization, one.at("organization").get<std::string>()) << file;
    EXPECT_EQ(report->id, one.at("report_id").get<std::string>()) << file;
    const json& policies = one.at("policies");
    ASSERT_EQ(report->policies.size(), policies.size()) << file;
    for (std::size_t i = 0; i < policies.size(); ++i) {
      const PolicyEntry& entry = report->policies[i];
      EXPECT_EQ(entry.successful, policies[i].value("success", std::uint64_t{0})) << file;
      const json& failed = policies[i].at("failure");
      EXPECT_EQ(entry.failed, failed.is_null() ? 0 : failed.get<std::uint64_t>()) << file;
      EXPECT_EQ(entry.failures.size(), policies[i].at("failure_details").get<std::size_t>())
          << file;
    }
  }
  EXPECT_GT(read, 20U);
}

TEST(Cases, Mails) {
  if (!fs::exists(cases / "eml")) GTEST_SKIP() << "not beside this checkout";
  const std::unique_ptr<io::Files> files = io::real_files();
  std::vector<Arrival> found;
  Inbox inbox(*files, {}, [&](Arrival arrival) {
    found.push_back(std::move(arrival));
    return true;
  });
  ASSERT_TRUE(inbox.read((cases / "eml").string()));
  EXPECT_GE(found.size(), 10U);
  EXPECT_EQ(found.size(), inbox.counts().mails);
  for (const Arrival& one : found) {
    ASSERT_TRUE(one.json) << one.source << ": " << to_string(one.json.error());
    const auto report = read_report(*one.json, sample_now);
    EXPECT_TRUE(report) << one.source << ": " << to_string(report.error());
  }
}

}  // namespace
}  // namespace stsctl::reports
