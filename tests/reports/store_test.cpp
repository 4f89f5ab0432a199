#include "reports/store.h"

#include <array>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/import.h"
#include "reports/migration.h"
#include "reports/samples.h"
#include "servers/running.h"

namespace stsctl::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const dns::Name example = *dns::Name::parse("example.com");
const dns::Name google = *dns::Name::parse("google.com");
const dns::Name evil = *dns::Name::parse("evil.example");
const Window always{.domain = {}, .from = Time{}, .to = sample_now};

class StoreTest : public ::testing::Test {
 protected:
  Kept add(const std::string& json, std::optional<dns::Name> signer = {}) {
    const auto kept =
        store_.add(*read_report(json, sample_now), example, {"here", signer, sample_now});
    EXPECT_TRUE(kept) << to_string(kept.error());
    return *kept;
  }
  std::vector<PolicyRow> policies(const Window& window = always) {
    std::vector<PolicyRow> rows;
    EXPECT_TRUE(store_.each_policy(window, [&](const PolicyRow& row) { rows.push_back(row); }));
    return rows;
  }
  std::vector<FailureRow> failures(const Window& window = always) {
    std::vector<FailureRow> rows;
    EXPECT_TRUE(store_.each_failure(window, [&](const FailureRow& row) { rows.push_back(row); }));
    return rows;
  }
  std::string text(TextId id) { return *store_.text(id); }

  Store store_ = *Store::open(":memory:", Database::Mode::create);
};

TEST_F(StoreTest, GivesBackWhatWasStored) {
  EXPECT_EQ(add(google_report, google), Kept::stored);
  const auto rows = policies();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(text(rows[0].domain), "example.com");
  EXPECT_EQ(text(rows[0].organization), "Google Inc.");
  EXPECT_EQ(text(rows[0].signer), "google.com");
  EXPECT_THAT(text(rows[0].policy), HasSubstr("mode: testing\n"));
  EXPECT_EQ(rows[0].type, PolicyType::sts);
  EXPECT_TRUE(rows[0].first && rows[0].counted);
  EXPECT_EQ(rows[0].successful, 53U);
  EXPECT_EQ(rows[0].failed, 2U);
  EXPECT_EQ(format_time(rows[0].begin), "2026-11-20T00:00:00Z");
  EXPECT_EQ(format_time(rows[0].end), "2026-11-20T23:59:59Z");
  const auto failed = failures();
  ASSERT_THAT(failed, SizeIs(1));
  EXPECT_EQ(text(failed[0].result), "certificate-expired");
  EXPECT_EQ(text(failed[0].mx), "mx2.backup.example.com");
  EXPECT_EQ(failed[0].sessions, 2U);
  EXPECT_EQ(failed[0].policy, rows[0].policy);
  EXPECT_THAT(*store_.domains(), ElementsAre("example.com"));
}

TEST_F(StoreTest, EachReportOnce) {
  EXPECT_EQ(add(google_report), Kept::stored);
  EXPECT_EQ(add(google_report), Kept::duplicate);
  EXPECT_EQ(add(with(google_report, "2026-11-20T00:00:00Z_", "2026-11-21T00:00:00Z_")),
            Kept::stored);
  EXPECT_EQ(add(with(google_report, "Google Inc.", "Gugel")), Kept::stored);
  EXPECT_THAT(policies(), SizeIs(3));
}

TEST_F(StoreTest, AVerifiedReportTakesThePlaceOfAnUnverifiedOne) {
  add(with(google_report, ": 53", ": 1"));
  EXPECT_EQ(add(google_report, google), Kept::replaced);
  EXPECT_EQ(add(google_report), Kept::duplicate);
  EXPECT_EQ(add(google_report, google), Kept::duplicate);
  ASSERT_THAT(policies(), SizeIs(1));
  EXPECT_EQ(policies()[0].successful, 53U);
  EXPECT_THAT(failures(), SizeIs(1));
}

TEST_F(StoreTest, NobodyKeepsAnothersReportOut) {
  EXPECT_EQ(add(google_report, evil), Kept::stored);
  EXPECT_EQ(add(google_report, google), Kept::stored);
  EXPECT_EQ(add(google_report, evil), Kept::duplicate);
  EXPECT_THAT(policies(), SizeIs(2));
}

TEST_F(StoreTest, OneSessionInTwoEntriesOfMicrosoftIsCountedOnce) {
  add(microsoft_report);
  const auto rows = policies();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_TRUE(rows[0].counted && rows[0].first);
  EXPECT_FALSE(rows[1].counted || rows[1].first);
  add(with(microsoft_report, "Microsoft Corporation", "Another"));
  EXPECT_TRUE(policies()[3].counted);
}

TEST_F(StoreTest, FailuresWithoutDetailsAndDetailsBeyondTheTotal) {
  add(with(google_report, R"("total-failure-session-count": 2)",
           R"("total-failure-session-count": 9)"));
  ASSERT_THAT(failures(), SizeIs(2));
  EXPECT_EQ(text(failures()[1].result), "unspecified");
  EXPECT_EQ(failures()[1].sessions, 7U);
  add(with(with(google_report, "2026-11-20T00:00:00Z_", "other_"),
           R"("total-failure-session-count": 2)", R"("total-failure-session-count": 1)"));
  EXPECT_EQ(policies()[1].failed, 2U);
}

TEST_F(StoreTest, WindowsAndDomains) {
  add(google_report);
  const Time begin = *parse_time("2026-11-20T00:00:00Z");
  const auto id = *store_.find_text("example.com");
  ASSERT_TRUE(id);
  EXPECT_THAT(policies({.domain = id, .from = begin, .to = begin + Duration{1}}), SizeIs(1));
  EXPECT_THAT(policies({.domain = id, .from = begin - Duration{1}, .to = begin}), IsEmpty());
  EXPECT_THAT(failures({.domain = id, .from = begin + Duration{1}, .to = sample_now}), IsEmpty());
  EXPECT_THAT(policies({.domain = 9999, .from = Time{}, .to = sample_now}), IsEmpty());
  EXPECT_THAT(failures({.domain = id, .from = begin, .to = sample_now}), SizeIs(1));
  EXPECT_EQ(*store_.find_text("example.net"), std::nullopt);
}

TEST_F(StoreTest, WhatIsSetAsideIsKeptOnceAndNotForEver) {
  const Origin origin{"here", {}, sample_now};
  EXPECT_EQ(store_.set_aside("no JSON", "{", origin), true);
  EXPECT_EQ(store_.set_aside("no JSON", "{", origin), false);
  EXPECT_THAT(*store_.aside(10), ElementsAre(Aside{sample_now, "here", "no JSON"}));
  for (int i = 0; i < 1100; ++i)
    ASSERT_EQ(store_.set_aside("no JSON", std::to_string(i), origin), true);
  EXPECT_EQ(store_.aside_count(), 1000);
}

TEST_F(StoreTest, ABatchIsWrittenAsAWholeOrNotAtAll) {
  ASSERT_TRUE(store_.begin());
  add(google_report);
  store_.roll_back();
  EXPECT_THAT(policies(), IsEmpty());
  ASSERT_TRUE(store_.begin());
  EXPECT_EQ(add(google_report), Kept::stored);
  ASSERT_TRUE(store_.commit());
  EXPECT_THAT(policies(), SizeIs(1));
}

class ImporterTest : public StoreTest {
 protected:
  void take(const std::string& json, std::optional<dns::Name> domain = {}) {
    ASSERT_TRUE(importer_.take(
        {.source = "mail", .json = json, .raw = {}, .signer = {}, .domain = domain}));
    ASSERT_TRUE(importer_.finish());
  }

  std::vector<std::string> reasons_;
  Importer importer_{store_,
                     sample_now,
                     {.ours = [](const dns::Name& name) { return name == example; },
                      .refused = [this](const Refusal& one) { reasons_.push_back(one.reason); }}};
};

TEST_F(ImporterTest, CountsWhatBecameOfEach) {
  take(google_report);
  take(google_report);
  take("{");
  take(with(google_report, R"("policy-domain": "example.com")",
            R"("policy-domain": "example.net")"));
  ASSERT_TRUE(importer_.take({.source = "mail",
                              .json = fail(Code::invalid, "the gzip data is cut off"),
                              .raw = "\x1f",
                              .signer = {}}));
  ASSERT_TRUE(importer_.finish());
  EXPECT_EQ(importer_.counts().stored, 1U);
  EXPECT_EQ(importer_.counts().duplicates, 1U);
  EXPECT_EQ(importer_.counts().set_aside, 3U);
  EXPECT_EQ(importer_.counts().verified, 0U);
  EXPECT_EQ(importer_.counts().found(), 5U);
  EXPECT_EQ(store_.aside_count(), 3);
  EXPECT_THAT(reasons_, ElementsAre("it is no JSON at byte 2", HasSubstr("example.net"),
                                    "the gzip data is cut off"));
}

TEST_F(ImporterTest, AMissingDomainIsThatOfTheMail) {
  const std::string bare = R"({"organization-name": "mx.example.net", "report-id": "1",
    "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
    "policies": [{"policy": {"policy-type": "no-policy-found"},
                  "summary": {"total-successful-session-count": 1}}]})";
  take(bare, example);
  take(bare);
  EXPECT_THAT(*store_.domains(), ElementsAre("", "example.com"));
}

TEST_F(ImporterTest, AReportOfSeveralDomainsCountsForEach) {
  const std::string entry =
      R"({"policy": {"policy-type": "no-policy-found", "policy-domain": "%"},
          "summary": {"total-successful-session-count": 1}})";
  take(with(google_report, "\"policies\": [",
            "\"policies\": [" + with(entry, "%", "example.com") + "," +
                with(entry, "%", "example.net") + ","));
  EXPECT_EQ(importer_.counts().stored, 1U);  // example.net is not ours
  EXPECT_THAT(policies(), SizeIs(2));
}

// ---- files ----

class StoreFile : public ::testing::Test {
 protected:
  Result<Store> open(Database::Mode mode = Database::Mode::create) {
    return Store::open(folder_.file("reports.sqlite3"), mode);
  }
  servers::Folder folder_;
};

TEST_F(StoreFile, IsThereAgain) {
  EXPECT_EQ(open(Database::Mode::must_exist).error().code, Code::not_found);
  {
    auto store = open();
    ASSERT_TRUE(store) << to_string(store.error());
    const Origin origin{"here", {}, sample_now};
    ASSERT_TRUE(store->add(*read_report(google_report, sample_now), example, origin));
    auto meanwhile = open(Database::Mode::must_exist);
    ASSERT_TRUE(meanwhile) << to_string(meanwhile.error());
    EXPECT_THAT(*meanwhile->domains(), ElementsAre("example.com"));
  }
  EXPECT_THAT(*open(Database::Mode::must_exist)->domains(), ElementsAre("example.com"));
}

TEST_F(StoreFile, AnotherProgramsDatabaseIsLeftAlone) {
  {
    auto other = Database::open(folder_.file("reports.sqlite3"), Database::Mode::create);
    ASSERT_TRUE(other && other->run("CREATE TABLE theirs (x)"));
  }
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::invalid);
  EXPECT_EQ(store.error().where, folder_.file("reports.sqlite3"));
  auto other = Database::open(folder_.file("reports.sqlite3"), Database::Mode::must_exist);
  EXPECT_FALSE(other->prepare("SELECT * FROM report"));
}

TEST_F(StoreFile, WhatIsNoDatabaseIsLeftAlone) {
  const std::string text(5000, 'x');
  folder_.write("reports.sqlite3", text);
  EXPECT_EQ(open().error().code, Code::invalid);
  EXPECT_EQ(std::filesystem::file_size(folder_.file("reports.sqlite3")), text.size());
}

TEST_F(StoreFile, OldStoresAreMigratedAndNewerOnesRefused) {
  const std::array steps{"CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y; CREATE TABLE b (z)",
                         "CREATE TABLE a (x)"};
  auto database = *Database::open(folder_.file("other"), Database::Mode::create);
  ASSERT_TRUE(migrate(database, std::span(steps).first(1)));
  ASSERT_TRUE(database.run("INSERT INTO a VALUES (7)"));
  ASSERT_TRUE(migrate(database, std::span(steps).first(2)));
  ASSERT_TRUE(migrate(database, std::span(steps).first(2)));
  EXPECT_EQ(*database.prepare("SELECT x FROM a WHERE y IS NULL")->number(), 7);
  EXPECT_EQ(*database.prepare("PRAGMA user_version")->number(), 2);
  EXPECT_FALSE(migrate(database, steps));  // a step that fails leaves all as it was
  EXPECT_EQ(*database.prepare("PRAGMA user_version")->number(), 2);
  EXPECT_EQ(migrate(database, std::span(steps).first(1)).error().code, Code::unsupported);
}

}  // namespace
}  // namespace stsctl::reports
