// Waiting for the zone's own name servers, on a clock that does not wait.

#include "engine/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_eyes.h"
#include "tests/fakes/records.h"

namespace stsctl::engine {
namespace {

using fakes::name;
using fakes::txt;
using io::Question;
using plan::RecordEdit;
using testing::AllOf;
using testing::HasSubstr;

const std::string owner = "_mta-sts.example.com";

TEST(IsBehind, TellsWhoHasNotHeardOfAnEdit) {
  const auto id = [](const char* text) { return txt(owner, {text}); };
  const auto a = [](std::vector<std::string> values) {
    return fakes::set_of(dns::Type::a, "mta-sts.example.com", std::move(values));
  };
  struct Case {
    const char* what;
    RecordEdit edit;
    std::vector<std::string> answered;
    bool behind;
  };
  for (const Case& c : std::vector<Case>{
           {"the new id", {id("1"), id("2")}, {"2"}, false},
           {"the old id", {id("1"), id("2")}, {"1"}, true},
           {"an older id", {id("1"), id("2")}, {"0"}, true},
           {"no id yet", {std::nullopt, id("2")}, {}, true},
           {"both", {id("1"), id("2")}, {"1", "2"}, true},
           {"two, in another order", {id("1"), txt(owner, {"2", "x"})}, {"x", "2"}, false},
           {"gone", {id("1"), std::nullopt}, {}, false},
           {"not gone", {id("1"), std::nullopt}, {"1"}, true},
           {"only the TTL", {id("1"), txt(owner, {"1"}, 60)}, {"1"}, false},
           {"the new address", {a({"192.0.2.1"}), a({"192.0.2.2"})}, {"192.0.2.2"}, false},
           {"the old address", {a({"192.0.2.1"}), a({"192.0.2.2"})}, {"192.0.2.1"}, true},
           {"a proxy's", {a({"192.0.2.1"}), a({"192.0.2.2"})}, {"198.51.100.1"}, false},
           {"no address yet", {std::nullopt, a({"192.0.2.2"})}, {}, true},
       })
    EXPECT_EQ(is_behind(c.edit, c.answered), c.behind) << c.what;
}

// Each name server answers for itself.
class Servers : public fakes::FakeResolver {
 public:
  Result<io::DnsAnswer> ask(const io::Nameserver& server, const dns::Name&, Question) override {
    ++asked;
    return by_address.at(server.address)(asked);
  }
  std::map<std::string, std::function<Result<io::DnsAnswer>(int)>> by_address;
  int asked = 0;
};

class AwaitRecords : public testing::Test {
 protected:
  AwaitRecords() {
    servers.set("example.com", Question::ns, {"ns1.example.net", "ns2.example.net"});
    servers.set("ns1.example.net", Question::a, {"192.0.2.1"});
    servers.set("ns2.example.net", Question::aaaa, {"2001:db8::2"});
    servers.by_address["192.0.2.1"] = always("2");
    servers.by_address["2001:db8::2"] = always("2");
    options.eyes.emplace(Eyes{servers, prober, clock});
  }

  static std::function<Result<io::DnsAnswer>(int)> always(const std::string& text) {
    return [text](int) { return io::DnsAnswer{.values = {text}}; };
  }

  Result<Done> wait() {
    return await_records(name("example.com"), {{txt(owner, {"1"}), txt(owner, {"2"})}}, options,
                         clock, {});
  }

  fakes::FakeClock clock;
  Servers servers;
  fakes::FakeProber prober;
  ConfirmOptions options;
};

TEST_F(AwaitRecords, OneLookIsEnoughWhereAllHaveThem) {
  EXPECT_TRUE(wait());
  EXPECT_EQ(servers.asked, 2);
}

TEST_F(AwaitRecords, WaitsForTheOneThatLags) {
  servers.by_address["2001:db8::2"] = [](int asked) {
    return io::DnsAnswer{.values = {asked < 20 ? "1" : "2"}};
  };
  const auto begin = clock.steady();
  EXPECT_TRUE(wait());
  EXPECT_EQ(servers.asked, 20);
  EXPECT_GT(clock.steady() - begin, std::chrono::seconds(10));
}

TEST_F(AwaitRecords, NamesTheOneThatNeverHasThem) {
  servers.by_address["2001:db8::2"] = always("1");
  const auto late = wait();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timeout);
  EXPECT_THAT(late.error().what, AllOf(HasSubstr("within 5 minutes"), HasSubstr("ns2.example.net"),
                                       HasSubstr("still answers \"1\""), HasSubstr(owner)));
  options.timeout = Duration(20);
  EXPECT_THAT(wait().error().what, HasSubstr("within 20 seconds"));
  options.wait = false;
  servers.asked = 0;
  EXPECT_THAT(wait().error().what, HasSubstr("at once"));
  EXPECT_EQ(servers.asked, 2);
}

TEST_F(AwaitRecords, AServerThatIsDownIsNotWaitedForWhileAnotherAnswers) {
  const auto down = [](int) -> Result<io::DnsAnswer> { return fail(Code::timeout, "no answer"); };
  servers.by_address["2001:db8::2"] = down;
  EXPECT_TRUE(wait());
  servers.by_address["192.0.2.1"] = down;
  EXPECT_THAT(wait().error().what, HasSubstr("no answer"));
}

TEST_F(AwaitRecords, AZoneWithoutServersIsTold) {
  servers.answers.clear();
  EXPECT_THAT(wait().error().what, HasSubstr("the zone's name servers cannot be found"));
}

TEST_F(AwaitRecords, AStopEndsIt) {
  servers.by_address["192.0.2.1"] = always("1");
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = await_records(name("example.com"), {{txt(owner, {"1"}), txt(owner, {"2"})}},
                                     options, clock, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::cancelled);
}

}  // namespace
}  // namespace stsctl::engine
