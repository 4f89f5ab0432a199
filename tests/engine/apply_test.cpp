#include "engine/apply.h"

#include <gtest/gtest.h>

#include "cli/real_world.h"
#include "engine/budget.h"
#include "engine/observe.h"
#include "plan/make.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_providers.h"

namespace stsctl::engine {
namespace {

using fakes::MemoryDns;
using fakes::MemoryHost;

// Two providers in memory under an engine that does not know.
class Apply : public testing::Test {
 protected:
  Apply() {
    auto memory_dns = std::make_unique<MemoryDns>(
        std::vector<std::string>{"a.example", "b.example", "shared.example"});
    auto memory_host = std::make_unique<MemoryHost>();
    dns = memory_dns.get();
    host = memory_host.get();
    accounts.dns.emplace("dns", std::move(memory_dns));
    accounts.hosts.emplace("web", std::move(memory_host));
  }

  void want(const std::string& name) {
    plan::Desired one{.domain = *dns::Name::parse(name), .dns = "dns", .host = "web"};
    one.policy =
        sts::Policy{sts::Mode::testing, {*sts::parse_mx_pattern("mail." + name)}, Duration{86400}};
    one.tlsrpt = sts::TlsRptRecord{{"mailto:tls@example.net"}};
    desired.push_back(std::move(one));
  }

  plan::Plan make() {
    return plan::make(desired, observe(desired, accounts, {}), {clock.now(), {}});
  }

  std::vector<Outcome> apply(const plan::Plan& plan, const providers::Watch& watch = {}) {
    const io::Services& all = real.world().services;
    return engine::apply(plan, accounts, options,
                         {all.files, all.process, clock, all.dns, all.http, all.log}, watch);
  }

  std::string id(const std::string& domain) const {
    const auto found = dns->sets.find({"_mta-sts." + domain, dns::Type::txt});
    return found == dns->sets.end() ? "" : found->second.values.front();
  }

  static inline cli::RealWorld real;
  fakes::FakeClock clock;
  Accounts accounts;
  MemoryDns* dns = nullptr;
  MemoryHost* host = nullptr;
  std::vector<plan::Desired> desired;
  ApplyOptions options;
};

TEST_F(Apply, PublishesPolicyBeforeIdAndIsThenDone) {
  want("a.example");
  for (const Outcome& outcome : apply(make()))
    EXPECT_EQ(outcome.ending, Ending::applied);
  EXPECT_EQ(dns->order,
            (std::vector<std::string>{"dns _smtp._tls.a.example", "dns _mta-sts.a.example"}));
  EXPECT_EQ(host->order, std::vector<std::string>{"policy a.example"});
  EXPECT_FALSE(make().domains.front().changed());
  EXPECT_EQ(apply(make()).front().ending, Ending::unchanged);
}

TEST_F(Apply, OneWriteAZoneAndStageForManyDomains) {
  for (int i = 0; i < 20; ++i)
    want("d" + std::to_string(i) + ".shared.example");
  apply(make());
  ASSERT_EQ(dns->writes.size(), 2U);  // before the policies and after
  EXPECT_EQ(dns->writes[0].edits, 20U);
  EXPECT_EQ(host->writes, 1);
}

TEST_F(Apply, OneDomainsConflictIsNotAnothers) {
  want("x.shared.example");
  want("y.shared.example");
  const plan::Plan plan = make();
  dns->put("_smtp._tls.x.shared.example", dns::Type::txt, "somebody was faster");
  const auto outcomes = apply(plan);
  EXPECT_EQ(outcomes[0].ending, Ending::failed);
  EXPECT_EQ(outcomes[0].error->code, Code::conflict);
  EXPECT_EQ(outcomes[1].ending, Ending::applied);
  EXPECT_EQ(id("x.shared.example"), "");  // the steps after the failed one were not taken
  EXPECT_NE(id("y.shared.example"), "");
}

TEST_F(Apply, AHostThatFailsKeepsTheIdBack) {
  want("a.example");
  want("b.example");
  host->broken.insert("a.example");
  const auto outcomes = apply(make());
  EXPECT_EQ(outcomes[0].ending, Ending::failed);
  EXPECT_EQ(outcomes[0].steps_taken, 1U);
  EXPECT_EQ(id("a.example"), "");
  EXPECT_EQ(outcomes[1].ending, Ending::applied);
}

TEST_F(Apply, WaitsUntilThePolicyIsSeen) {
  want("a.example");
  const plan::Plan plan = make();
  host->stale_reads = 5;
  EXPECT_EQ(apply(plan).front().ending, Ending::applied);
  EXPECT_GT(clock.passed(), std::chrono::milliseconds{1000});
  EXPECT_NE(id("a.example"), "");
}

TEST_F(Apply, APolicyThatIsNeverSeenIsNeverAnnounced) {
  want("a.example");
  const plan::Plan plan = make();
  host->stale_reads = 1'000'000;
  const auto outcomes = apply(plan);
  EXPECT_EQ(outcomes.front().ending, Ending::failed);
  EXPECT_EQ(outcomes.front().error->code, Code::timeout);
  EXPECT_EQ(id("a.example"), "");
  host->stale_reads = 0;  // the next apply goes on
  EXPECT_EQ(apply(make()).front().ending, Ending::applied);
}

// What a cache took just before the host began to serve the new policy ends that much later.
TEST_F(Apply, CountsTheEdgeDelayFromWhenTheHostServesThePolicy) {
  want("a.example");
  desired.front().edge_delay = Duration{600};
  const plan::Plan plan = make();
  host->stale_reads = 8;
  host->reads = 0;
  EXPECT_EQ(apply(plan).front().ending, Ending::applied);
  const auto until_served = std::chrono::milliseconds{100 * ((1 << 7) - 1) + 10'000};
  EXPECT_GE(clock.passed(), until_served + std::chrono::seconds{600});
  EXPECT_EQ(host->reads, 8 + 2) << "when it is served, and when no cache can be older";
}

// A retired domain whose older policies have ended.
class ApplyRemoval : public Apply {
 protected:
  ApplyRemoval() {
    want("a.example");
    apply(make());
    desired[0].retired = true;
    desired[0].policy->mode = sts::Mode::none;
    apply(make());
    clock.advance(std::chrono::hours(48));
    dns->order.clear();
    host->order.clear();
  }
};

TEST_F(ApplyRemoval, TakesThePolicyOutWhenNoResolverHoldsTheRecord) {
  const auto begin = clock.steady();
  EXPECT_EQ(apply(make()).front().ending, Ending::applied);
  EXPECT_EQ(id("a.example"), "");
  EXPECT_TRUE(host->bodies.empty());
  EXPECT_EQ(clock.steady() - begin, plan::default_sts_ttl);
  EXPECT_FALSE(make().domains.front().changed());
}

TEST_F(ApplyRemoval, KeepsThePolicyWhereNobodyWaits) {
  options.confirm.wait = false;
  const Outcome outcome = apply(make()).front();
  EXPECT_EQ(outcome.ending, Ending::failed);
  EXPECT_NE(outcome.error->what.find("--no-wait"), std::string::npos);
  EXPECT_EQ(id("a.example"), "");
  EXPECT_EQ(host->bodies.size(), 1U);
  options.confirm.wait = true;  // the next one waits anew, for nobody knows when the record went
  const auto begin = clock.steady();
  EXPECT_EQ(apply(make()).front().ending, Ending::applied);
  EXPECT_TRUE(host->bodies.empty());
  EXPECT_EQ(clock.steady() - begin, plan::default_sts_ttl);
}

TEST_F(ApplyRemoval, ThatIsStoppedWhileItWaitsGoesOnLater) {
  std::stop_source stop;
  const auto outcomes = apply(make(), {stop.get_token(), [&](std::size_t) {
                                         if (id("a.example").empty()) stop.request_stop();
                                       }});
  EXPECT_EQ(outcomes.front().ending, Ending::cancelled);
  EXPECT_EQ(host->bodies.size(), 1U);
  EXPECT_EQ(apply(make()).front().ending, Ending::applied);
  EXPECT_TRUE(host->bodies.empty());
}

TEST_F(Apply, AStopBeforeTheFirstStepTakesNone) {
  want("a.example");
  std::stop_source stop;
  stop.request_stop();
  const auto outcomes = apply(make(), {stop.get_token(), {}});
  EXPECT_EQ(outcomes.front().ending, Ending::cancelled);
  EXPECT_TRUE(dns->writes.empty());
}

TEST_F(Apply, ProgressCountsEveryStep) {
  want("a.example");
  want("b.example");
  const plan::Plan plan = make();
  std::atomic<std::size_t> steps{0};
  apply(plan, {{}, [&](std::size_t count) { steps += count; }});
  EXPECT_EQ(steps, plan.domains[0].steps.size() + plan.domains[1].steps.size());
}

TEST_F(Apply, UnreadableStopsThatDomainOnly) {
  want("a.example");
  want("b.example");
  want("nowhere.test");
  dns->unreadable.insert("b.example");
  const plan::Plan plan = make();
  const auto outcomes = apply(plan);
  EXPECT_EQ(outcomes[0].ending, Ending::applied);
  EXPECT_EQ(outcomes[1].ending, Ending::failed);
  EXPECT_EQ(outcomes[1].error->code, Code::unauthorized);
  EXPECT_EQ(outcomes[2].error->code, Code::not_found);
  EXPECT_EQ(dns->reads, 1);  // one call for all zones
}

TEST_F(Apply, AnAccountThatCannotBeOpenedIsItsDomainsError) {
  want("a.example");
  accounts.dns.clear();
  accounts.dns.emplace("dns", fail(Code::unauthorized, "no token", "dns (x)"));
  EXPECT_EQ(apply(make()).front().error->code, Code::unauthorized);
}

TEST_F(Apply, BudgetCountsOneWriteAZoneAStageAndOneCallAHost) {
  want("a.example");
  want("one.shared.example");
  want("two.shared.example");
  const plan::Plan plan = make();
  EXPECT_TRUE(request_budget(plan, accounts).empty()) << "nobody counts here";

  dns->counted = host->counted = true;
  dns->allowed = {{100, std::chrono::seconds(10)}};
  const auto budget = request_budget(plan, accounts);
  ASSERT_EQ(budget.size(), 2);
  // Two zones and three owners before the policy (TLS-RPT), the same after it (the id).
  EXPECT_EQ(budget[0], (plan::RequestBudget{"dns", 2 * (200 + 3), Duration(42)}));
  EXPECT_EQ(budget[1], (plan::RequestBudget{"web", 13 + 3000, Duration(0)}));
}

TEST_F(Apply, BudgetOfNothingToDoIsEmpty) {
  want("a.example");
  dns->counted = host->counted = true;
  apply(make());
  EXPECT_TRUE(request_budget(make(), accounts).empty());
}

}  // namespace
}  // namespace stsctl::engine
