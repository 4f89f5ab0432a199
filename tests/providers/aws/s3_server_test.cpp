// The host against the emulators of S3 and CloudFront: what goes wrong at a store, and when the
// edges in front of it are told of a change.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "fakes/fake_http.h"
#include "io/curl_http.h"
#include "providers/aws/aws_world.h"
#include "providers/aws/s3.h"
#include "servers/emulator.h"

namespace stsctl::providers::aws {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* distribution = "E2QWRUHAPOMQZL";
constexpr const char* secret = "secret+of/no-worth";
constexpr const char* sender_path = "/.well-known/mta-sts.txt";

std::string key_of(const std::string& domain) {
  return fmt::format("mta-sts.{}/.well-known/mta-sts.txt", domain);
}

plan::PolicyEdit edit(const std::string& domain, const std::optional<std::string>& before,
                      const std::optional<std::string>& after) {
  const auto file = [&](const std::optional<std::string>& body) {
    return body ? std::optional(plan::PolicyFile{*dns::Name::parse(domain), *body}) : std::nullopt;
  };
  return {.before = file(before), .after = file(after)};
}

class S3AtServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    store_ = std::make_unique<servers::Emulator>("s3.py");
    edges_ = std::make_unique<servers::Emulator>("cloudfront.py");
  }
  static void TearDownTestSuite() {
    store_.reset();
    edges_.reset();
  }

  void SetUp() override {
    world_.env["AWS_ACCESS_KEY_ID"] = "AKIATEST";
    world_.env["AWS_SECRET_ACCESS_KEY"] = secret;
    load_store();
    load_edges();
  }
  void TearDown() override { EXPECT_THAT(world_.logged(), Not(HasSubstr(secret))); }

  // Signatures hold longer than usual: the clock leaps while edges are waited for.
  static json identity(const json& denied = json::array()) {
    return {{"keys", {{{"access_key", "AKIATEST"}, {"secret_key", secret}, {"denied", denied}}}},
            {"tolerance", 7200}};
  }
  static void load_store(const json& more = json::object()) {
    json state{{"buckets", {{"policies", {{"region", "eu-central-1"}}}}}, {"identity", identity()}};
    state.update(more);
    store_->clear_faults();
    store_->load(state.dump());
    store_->forget();
  }
  static void load_edges(const json& more = json::object()) {
    json state{{"distributions", {distribution}}, {"identity", identity()}};
    state.update(more);
    edges_->clear_faults();
    edges_->load(state.dump());
    edges_->forget();
  }

  static Settings settings() {
    Settings settings;
    settings.set("endpoint", store_->url(), "");
    settings.set("bucket", "policies", "");
    settings.set("region", "eu-central-1", "");
    settings.set("timeout", std::int64_t{20}, "");
    return settings;
  }
  static Settings with_distribution() {
    Settings more = settings();
    more.set("distribution", distribution, "stsctl.yaml:9:5");
    more.set("cloudfront_endpoint", edges_->url(), "");
    return more;
  }

  Result<Done> write_one(const Settings& settings, const plan::PolicyEdit& edit) {
    return write(settings, {edit}).front();
  }
  std::vector<Result<Done>> write(const Settings& settings,
                                  const std::vector<plan::PolicyEdit>& edits,
                                  const Watch& watch = {}) {
    const auto host = s3_kind().make(settings, world_.services());
    if (!host) throw std::runtime_error(to_string(host.error()));
    return (*host)->write(edits, watch);
  }

  static std::optional<std::string> stored(const std::string& domain) {
    const json objects = json::parse(store_->dump())["buckets"]["policies"]["objects"];
    const auto found = objects.find(key_of(domain));
    if (found == objects.end()) return std::nullopt;
    return decode_base64(found->at("body").get<std::string>());
  }
  static std::vector<std::vector<std::string>> invalidated() {
    std::vector<std::vector<std::string>> all;
    const json made = json::parse(edges_->dump())["invalidations"][distribution];
    for (const json& one : made)
      all.push_back(one["paths"]);
    return all;
  }
  static std::vector<std::string> requests(const servers::Emulator& at) {
    std::vector<std::string> all;
    for (const servers::Journaled& one : at.journal())
      all.push_back(fmt::format("{} {}", one.method, one.status));
    return all;
  }

  static std::unique_ptr<servers::Emulator> store_;
  static std::unique_ptr<servers::Emulator> edges_;
  std::unique_ptr<io::Http> http_ = io::real_http();
  AwsWorld world_{*http_, io::real_clock()->now()};
};

std::unique_ptr<servers::Emulator> S3AtServer::store_;
std::unique_ptr<servers::Emulator> S3AtServer::edges_;

TEST_F(S3AtServer, SlowDownIsWaitedOut) {
  load_store({{"slow_down", 3}});
  const Result<Done> done = write_one(settings(), edit("example.com", {}, "one"));
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(stored("example.com"), "one");
  EXPECT_THAT(requests(*store_),
              ElementsAre("GET 503", "GET 503", "GET 503", "GET 404", "PUT 200"));
}

TEST_F(S3AtServer, SlowDownWithoutEndIsTold) {
  load_store({{"slow_down", 1000}});
  const Result<Done> done = write_one(settings(), edit("example.com", {}, "one"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::rate_limited);
  EXPECT_THAT(done.error().what, HasSubstr("SlowDown"));
  EXPECT_EQ(stored("example.com"), std::nullopt);
}

TEST_F(S3AtServer, AWriteThatMeetsAnotherIsLookedUpAndRepeated) {
  load_store({{"racing", 2}});
  const Result<Done> done = write_one(settings(), edit("example.com", {}, "one"));
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(stored("example.com"), "one");
  EXPECT_THAT(requests(*store_),
              ElementsAre("GET 404", "PUT 409", "GET 404", "PUT 409", "GET 404", "PUT 200"));
}

TEST_F(S3AtServer, WhoAlwaysMeetsAnotherGivesUp) {
  load_store({{"racing", 1000}});
  const Result<Done> done = write_one(settings(), edit("example.com", {}, "one"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("ConditionalRequestConflict"));
  EXPECT_EQ(stored("example.com"), std::nullopt);
}

TEST_F(S3AtServer, AStoreWithoutConditionsIsAskedWithoutThem) {
  load_store({{"conditions", "refused"}});
  const auto host = s3_kind().make(settings(), world_.services());
  ASSERT_TRUE(host) << to_string(host.error());
  EXPECT_TRUE((*host)->write({edit("example.com", {}, "one")}, {}).front());
  EXPECT_TRUE((*host)->write({edit("example.com", "one", "two")}, {}).front());
  EXPECT_EQ(stored("example.com"), "two");
  EXPECT_THAT(requests(*store_),
              ElementsAre("GET 404", "PUT 501", "PUT 200", "GET 200", "PUT 200"));
  const Result<Done> lost = (*host)->write({edit("example.com", "one", "three")}, {}).front();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::conflict);
}

TEST_F(S3AtServer, AnotherRegionIsNamed) {
  for (const auto& [state, code] : std::vector<std::pair<json, std::string>>{
           {json::object(), "AuthorizationHeaderMalformed"},
           {{{"endpoint_region", "us-east-1"}}, "PermanentRedirect"}}) {
    load_store(state);
    Settings elsewhere = settings();
    elsewhere.set("region", "us-east-1", "");
    const Result<Done> done = write_one(elsewhere, edit("example.com", {}, "one"));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::invalid);
    EXPECT_THAT(done.error().what, HasSubstr(code));
    EXPECT_EQ(done.error().hint, "set 'region: eu-central-1'");
  }
}

TEST_F(S3AtServer, WithoutADistributionNobodyIsTold) {
  EXPECT_TRUE(write_one(settings(), edit("example.com", {}, "one")));
  EXPECT_THAT(edges_->journal(), IsEmpty());
}

TEST_F(S3AtServer, OneInvalidationTellsOfAllChanges) {
  load_edges({{"polls", 3}});
  load_store({{"identity", identity({fmt::format("s3:PutObject arn:aws:s3:::policies/{}",
                                                 key_of("shut.example"))})}});
  const auto results =
      write(with_distribution(), {edit("b.example", {}, "one"), edit("shut.example", {}, "one"),
                                  edit("a.example", {}, "one")});
  EXPECT_TRUE(results[0]);
  EXPECT_FALSE(results[1]);
  EXPECT_TRUE(results[2]);
  EXPECT_THAT(invalidated(), ElementsAre(ElementsAre(sender_path, "/" + key_of("a.example"),
                                                     "/" + key_of("b.example"))));
  EXPECT_THAT(requests(*edges_), ElementsAre("POST 201", "GET 200", "GET 200", "GET 200"));
  // 2 s, 3 s and 4.5 s.
  EXPECT_EQ(world_.clock.passed(), std::chrono::milliseconds(3500));
}

TEST_F(S3AtServer, WhatGoesBackToAnEarlierTextIsDroppedAgain) {
  const std::vector<std::optional<std::string>> texts{{}, "A", "B", "A", "B", {}, "A"};
  for (std::size_t i = 1; i < texts.size(); ++i)
    EXPECT_TRUE(write_one(with_distribution(), edit("example.com", texts[i - 1], texts[i])));
  EXPECT_THAT(invalidated(), SizeIs(texts.size() - 1));
}

TEST_F(S3AtServer, ALostAnswerFindsTheSameInvalidation) {
  edges_->fault(R"({"method": "POST", "done": true, "reset": true, "times": 2})");
  EXPECT_TRUE(write_one(with_distribution(), edit("example.com", {}, "one")));
  EXPECT_THAT(invalidated(), SizeIs(1));
  EXPECT_THAT(requests(*edges_), ElementsAre("POST 201", "POST 201", "POST 201", "GET 200"));
}

TEST_F(S3AtServer, WhatAnApplyThatDiedHadStoredIsToldToo) {
  EXPECT_TRUE(write_one(settings(), edit("example.com", {}, "one")));
  EXPECT_TRUE(write_one(with_distribution(), edit("example.com", {}, "one")));
  EXPECT_THAT(invalidated(), SizeIs(1));
}

TEST_F(S3AtServer, NothingStoredIsNothingToTell) {
  EXPECT_TRUE(write_one(settings(), edit("example.com", {}, "other")));
  const Result<Done> done = write_one(with_distribution(), edit("example.com", {}, "one"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_THAT(edges_->journal(), IsEmpty());
}

TEST_F(S3AtServer, TooManyInProgressAreWaitedFor) {
  load_edges({{"most_files", 2}, {"polls", 2}});
  const std::string busy =
      "<ErrorResponse><Error><Code>TooManyInvalidationsInProgress</Code></Error></ErrorResponse>";
  edges_->fault(json{{"method", "POST"}, {"status", 400}, {"body", busy}, {"times", 4}}.dump());
  EXPECT_TRUE(write_one(with_distribution(), edit("example.com", {}, "one")));
  EXPECT_THAT(requests(*edges_), ElementsAre("POST 400", "POST 400", "POST 400", "POST 400",
                                             "POST 201", "GET 200", "GET 200"));
}

TEST_F(S3AtServer, WhatEdgesMayStillServeIsTakenBack) {
  struct Case {
    json edges;
    std::vector<std::string> denied;
    Code code;
    const char* what;
    const char* hint;
  };
  for (const Case& c : std::vector<Case>{
           {json::object(),
            {"cloudfront:CreateInvalidation"},
            Code::unauthorized,
            "AccessDenied",
            "allow cloudfront:CreateInvalidation"},
           {json::object(),
            {"cloudfront:GetInvalidation"},
            Code::unauthorized,
            "AccessDenied",
            "allow cloudfront:GetInvalidation"},
           {{{"distributions", {"EOTHER"}}},
            {},
            Code::not_found,
            "NoSuchDistribution",
            "'distribution'"},
           {{{"most_files", 1}}, {}, Code::rate_limited, "TooManyInvalidationsInProgress", ""},
           {{{"polls", nullptr}}, {}, Code::timeout, "still in progress after 10 minutes", ""}}) {
    load_store();
    EXPECT_TRUE(write_one(settings(), edit("old.example", {}, "old")));
    json state{{"identity", identity(c.denied)}};
    state.update(c.edges);
    load_edges(state);
    const auto results = write(
        with_distribution(), {edit("old.example", "old", "new"), edit("fresh.example", {}, "new")});
    for (const Result<Done>& result : results) {
      ASSERT_FALSE(result) << c.what;
      EXPECT_EQ(result.error().code, c.code) << to_string(result.error());
      EXPECT_THAT(result.error().what, HasSubstr(c.what));
      EXPECT_THAT(result.error().hint, AllOf(HasSubstr(c.hint), HasSubstr("as it was before")));
    }
    EXPECT_EQ(stored("old.example"), "old") << c.what;
    EXPECT_EQ(stored("fresh.example"), std::nullopt) << c.what;
  }
}

TEST_F(S3AtServer, WhatCannotBeTakenBackIsSaid) {
  load_edges({{"identity", identity({"cloudfront:CreateInvalidation"})}});
  load_store({{"identity", identity({"s3:DeleteObject"})}});
  const Result<Done> done = write_one(with_distribution(), edit("example.com", {}, "new"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().hint, HasSubstr("the policy is stored, and edges may serve"));
  EXPECT_EQ(stored("example.com"), "new");
}

TEST_F(S3AtServer, WhoeverStopsDoesNotWaitForTheEdges) {
  load_edges({{"polls", nullptr}});
  std::stop_source stop;
  const Watch watch{stop.get_token(), [&](std::size_t) { stop.request_stop(); }};
  const auto results = write(with_distribution(), {edit("example.com", {}, "new")}, watch);
  ASSERT_FALSE(results.front());
  EXPECT_EQ(results.front().error().code, Code::cancelled);
}

TEST_F(S3AtServer, ARequestBudgetCountsTheInvalidation) {
  const auto plain = s3_kind().make(settings(), world_.services());
  const auto told = s3_kind().make(with_distribution(), world_.services());
  ASSERT_TRUE(plain && told);
  EXPECT_EQ((*plain)->write_requests(10), 20U);
  EXPECT_GT((*told)->write_requests(10), 21U);
  EXPECT_EQ((*told)->write_requests(0), 0U);
}

TEST_F(S3AtServer, ADistributionThatCannotBeIsRefused) {
  const auto refusal = [&](const std::map<std::string, std::string>& changes) {
    Settings settings = with_distribution();
    for (const auto& [name, value] : changes)
      settings.set(name, value, "stsctl.yaml:9:5");
    const auto host = s3_kind().make(settings, world_.services());
    return host ? std::string() : to_string(host.error());
  };
  EXPECT_EQ(refusal({}), "");
  EXPECT_THAT(refusal({{"distribution", "d111111abcdef8.cloudfront.net"}}),
              AllOf(HasSubstr("stsctl.yaml:9:5"), HasSubstr("E2QWRUHAPOMQZL")));
  Settings settings = S3AtServer::settings();
  settings.set("distribution", distribution, "stsctl.yaml:9:5");
  const auto beside_minio = s3_kind().make(settings, world_.services());
  ASSERT_FALSE(beside_minio);
  EXPECT_THAT(to_string(beside_minio.error()), HasSubstr("not Amazon's"));
  settings.set("endpoint", "https://s3.us-gov-west-1.amazonaws.com", "");
  settings.set("region", "us-gov-west-1", "");
  const auto at_gov_cloud = s3_kind().make(settings, world_.services());
  ASSERT_FALSE(at_gov_cloud);
  EXPECT_EQ(at_gov_cloud.error().code, Code::unsupported);
}

TEST(S3Region, IsUsEast1WhereNobodySays) {
  fakes::FakeHttp http;
  AwsWorld world(http);
  world.env["AWS_ACCESS_KEY_ID"] = "AKIATEST";
  world.env["AWS_SECRET_ACCESS_KEY"] = secret;
  Settings settings;
  settings.set("bucket", "policies", "");
  const auto host = s3_kind().make(settings, world.services());
  ASSERT_TRUE(host) << to_string(host.error());
  static_cast<void>((*host)->read({*dns::Name::parse("example.com")}, {}));
  const auto requests = http.requests();
  ASSERT_FALSE(requests.empty());
  EXPECT_THAT(requests.front().url, HasSubstr("https://policies.s3.us-east-1.amazonaws.com/"));
  EXPECT_THAT(*io::find_header(requests.front().headers, "Authorization"),
              HasSubstr("/us-east-1/s3/"));
}

}  // namespace
}  // namespace stsctl::providers::aws
