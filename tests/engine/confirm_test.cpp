#include "engine/confirm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_eyes.h"
#include "tests/fakes/memory_providers.h"

namespace stsctl::engine {
namespace {

using testing::HasSubstr;

const std::string body = "version: STSv1\r\nmode: testing\r\nmx: m.example\r\nmax_age: 86400\r\n";

class Confirm : public testing::Test {
 protected:
  Confirm() {
    wait.host = "web";
    wait.file.body = body;
    host.bodies["example.com"] = body;
    resolver.set("mta-sts.example.com", io::Question::a, {"192.0.2.1", "192.0.2.2"});
    prober.policy = [](const io::ProbeTarget&) { return io::Reply{.status = 200, .body = body}; };
  }

  Result<Done> confirm() {
    std::optional<Result<Done>> settled;
    await_policies(host, {&wait}, options, clock, {}, [&](std::size_t, const Result<Done>& result) {
      EXPECT_FALSE(settled) << "settled twice";
      settled = result;
    });
    return settled.value_or(fail(Code::internal, "never settled"));
  }

  void look_outside() { options.eyes.emplace(Eyes{resolver, prober, clock}); }

  fakes::FakeClock clock;
  fakes::MemoryHost host;
  fakes::FakeResolver resolver;
  fakes::FakeProber prober;
  plan::PolicyServed wait{.host = {}, .file = {*dns::Name::parse("example.com"), {}}};
  ConfirmOptions options;
};

TEST_F(Confirm, AsksTheHostAloneWithoutEyes) {
  EXPECT_TRUE(confirm());
  EXPECT_EQ(prober.fetches, 0);
}

TEST_F(Confirm, FetchesFromEveryAddress) {
  look_outside();
  EXPECT_TRUE(confirm());
  EXPECT_EQ(prober.fetches, 2);
}

TEST_F(Confirm, LineEndsAreNoDifference) {
  look_outside();
  prober.policy = [](const io::ProbeTarget&) {
    std::string lines = body;
    std::erase(lines, '\r');
    return io::Reply{.status = 200, .body = lines};
  };
  EXPECT_TRUE(confirm());
}

TEST_F(Confirm, WaitsUntilTheLastAddressServesIt) {
  look_outside();
  prober.policy = [this](const io::ProbeTarget& target) {
    const bool old = target.address == "192.0.2.2" && prober.fetches < 7;
    return io::Reply{.status = 200, .body = old ? "old" : body};
  };
  EXPECT_TRUE(confirm());
  EXPECT_GE(prober.fetches, 7);
}

TEST_F(Confirm, WaitsForACertificate) {
  look_outside();
  prober.policy = [this](const io::ProbeTarget&) -> Result<io::Reply> {
    if (prober.fetches < 5) return fail(Code::unauthorized, "the certificate is for another name");
    return io::Reply{.status = 200, .body = body};
  };
  EXPECT_TRUE(confirm());
}

struct Late {
  const char* name;
  std::function<void(fakes::FakeResolver& asked, fakes::FakeProber& probed)> spoil;
  const char* said;
};

TEST_F(Confirm, SaysWhatWasSeenLastWhenTimeIsUp) {
  look_outside();
  const auto serve = [](const Result<io::Reply>& reply) {
    return [reply](fakes::FakeResolver&, fakes::FakeProber& probed) {
      probed.policy = [reply](const io::ProbeTarget&) { return reply; };
    };
  };
  for (const Late& late : std::vector<Late>{
           {"another policy", serve(io::Reply{.status = 200, .body = "old"}),
            "mta-sts.example.com [192.0.2.1]: it serves another policy"},
           {"not found", serve(io::Reply{.status = 404}), "it answers 404"},
           {"a redirect", serve(io::Reply{.status = 301}), "it answers 301"},
           {"no certificate", serve(fail(Code::unauthorized, "no certificate")), "no certificate"},
           {"no address",
            [](fakes::FakeResolver& asked, fakes::FakeProber&) {
              asked.set("mta-sts.example.com", io::Question::a, {});
            },
            "no address yet"},
           {"no DNS",
            [](fakes::FakeResolver& asked, fakes::FakeProber&) {
              asked.answers.insert_or_assign(
                  std::pair{std::string("mta-sts.example.com"), io::Question::aaaa},
                  fail(Code::timeout, "no name server"));
            },
            "no name server"}}) {
    late.spoil(resolver, prober);
    const auto begin = clock.steady();
    const Result<Done> result = confirm();
    ASSERT_FALSE(result) << late.name;
    EXPECT_EQ(result.error().code, Code::timeout) << late.name;
    EXPECT_THAT(result.error().what, HasSubstr(late.said)) << late.name;
    EXPECT_THAT(result.error().hint, HasSubstr("not announced yet"));
    EXPECT_GE(clock.steady() - begin, std::chrono::minutes(5)) << late.name;
  }
}

TEST_F(Confirm, TheTimeoutGivenCounts) {
  look_outside();
  prober.policy = nullptr;
  options.timeout = Duration(3600);
  const auto begin = clock.steady();
  EXPECT_FALSE(confirm());
  EXPECT_GE(clock.steady() - begin, std::chrono::hours(1));
}

TEST_F(Confirm, WithoutWaitOneLookIsAll) {
  look_outside();
  options.wait = false;
  EXPECT_TRUE(confirm()) << "what is served already is done";
  prober.policy = nullptr;
  prober.fetches = 0;
  const Result<Done> result = confirm();
  ASSERT_FALSE(result);
  EXPECT_EQ(prober.fetches, 1);
  EXPECT_THAT(result.error().what, HasSubstr("--no-wait"));
}

TEST_F(Confirm, CachesBeforeTheHostAreGivenTheirTime) {
  look_outside();
  wait.settle = Duration(600);
  const auto begin = clock.steady();
  EXPECT_TRUE(confirm());
  EXPECT_GE(clock.steady() - begin, std::chrono::minutes(10));
  EXPECT_EQ(prober.fetches, 2) << "looking before that would prove nothing";
}

TEST_F(Confirm, AnAddressThatIsStillAnotherHostsIsNotLookedAt) {
  look_outside();
  wait.outside = false;
  prober.policy = nullptr;
  EXPECT_TRUE(confirm());
}

struct Clocks {
  const char* name;
  Duration behind_here;
  std::optional<std::string> date;
  std::optional<std::string> said;  // none: it is late enough
};

// Nothing is taken out because one clock runs ahead; the fakes' own shows 2027-01-15T08:00:00Z.
TEST_F(Confirm, ARemovalIsDueByBothClocks) {
  look_outside();
  for (const Clocks& clocks : std::vector<Clocks>{
           {"both", {}, "Fri, 15 Jan 2027 08:00:00 GMT", {}},
           {"ours is behind", Duration{60}, "Fri, 15 Jan 2027 08:01:00 GMT", "this machine's"},
           {"ours is ahead", {}, "Sat, 16 Jan 2026 08:00:00 GMT", "the policy host's"},
           {"no Date", {}, {}, {}},
           {"no date in it", {}, "soon", {}}}) {
    wait.not_before = clock.now() + clocks.behind_here;
    prober.policy = [&](const io::ProbeTarget&) {
      io::Reply reply{.status = 200, .body = body};
      if (clocks.date) reply.headers.push_back({"date", *clocks.date});
      return reply;
    };
    const auto begin = clock.steady();
    const Result<Done> result = confirm();
    EXPECT_EQ(clock.steady(), begin) << clocks.name << ": no waiting mends a clock";
    EXPECT_EQ(result.has_value(), !clocks.said) << clocks.name;
    if (!clocks.said || result) continue;
    EXPECT_EQ(result.error().code, Code::invalid) << clocks.name;
    EXPECT_THAT(result.error().what, HasSubstr(*clocks.said)) << clocks.name;
  }
}

TEST_F(Confirm, ARemovalWhosePolicyIsNotServedSaysSo) {
  look_outside();
  wait.not_before = clock.now();
  host.bodies.clear();
  const Result<Done> result = confirm();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what, HasSubstr("takes MTA-STS back"));
  EXPECT_THAT(result.error().hint, HasSubstr("nothing was taken out"));
}

}  // namespace
}  // namespace stsctl::engine
