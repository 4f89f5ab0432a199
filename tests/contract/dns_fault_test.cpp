// What every DNS provider makes of a service in trouble: nothing that could not be read passes for
// absent, nothing is done twice, and what is said of a write is what stands there.

#include <chrono>
#include <set>
#include <thread>

#include "dns_contract.h"

namespace stsctl::contract {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* owner = "_mta-sts.example.com";
const dns::RecordSet old_id = txt(owner, {"v=STSv1; id=1;"});
const dns::RecordSet new_id = txt(owner, {"v=STSv1; id=20261125;"});
const std::vector<RecordEdit> edit{{old_id, new_id}};

// The codes that fit a trouble which does not pass.
std::set<Code> codes_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::unauthorized:
    case Trouble::forbidden:
    case Trouble::echo:
      return {Code::unauthorized};
    case Trouble::gone:
      return {Code::not_found};
    case Trouble::too_many:
      return {Code::rate_limited};
    case Trouble::failing:
    case Trouble::overloaded:
      return {Code::internal, Code::unreachable, Code::invalid};  // invalid: a file
    case Trouble::moved:
      return {Code::protocol};
    case Trouble::malformed:
      return {Code::protocol, Code::invalid};
    case Trouble::cut_off:
      return {Code::unreachable, Code::protocol};
    case Trouble::slow:
      return {Code::timeout};
    case Trouble::reset:
      return {Code::unreachable};
  }
  return {};
}

class DnsTroubles : public DnsContract {
 protected:
  void SetUp() override {
    start(usual_zones());
    hurry();
    use({.timeout = trouble() == Trouble::slow ? patience_ : Duration{30}});
    // As the engine does with every secret of the configuration. What a provider says itself is
    // searched without that.
    if (trouble() == Trouble::echo)
      for (const std::string& secret : world().secrets())
        machine().services().log.hide(secret);
    world().forget();
  }
  Trouble trouble() const { return GetParam().trouble; }

  // The timeout where answers are slow: the shortest that can be set.
  Duration patience_{1};
  std::vector<std::string> live() const { return sees(owner, "TXT"); }
};

// --- reading

class DnsReadTroubles : public DnsTroubles {};

TEST_P(DnsReadTroubles, ATroubleThatLastsIsNamedAndNeverTakenForAbsent) {
  world().inject({.trouble = trouble(), .times = always});
  const auto sets = read("example.com", owner);
  ASSERT_FALSE(sets) << "read " << sets->size() << " sets";
  EXPECT_THAT(codes_of(trouble()), Contains(sets.error().code)) << to_string(sets.error());
  EXPECT_THAT(sets.error().what, Not(IsEmpty()));
  EXPECT_THAT(sets.error().where, Not(IsEmpty()));
  if (trouble() == Trouble::moved) EXPECT_EQ(world().requests().astray, 0U);
  world().heal();
  EXPECT_TRUE(read("example.com", owner)) << "it lasts longer than the trouble";
}

class DnsZoneSearches : public DnsTroubles {};

// A provider that knows its zones without asking finds them.
TEST_P(DnsZoneSearches, WhatCannotBeAskedForIsNoZoneThatIsMissing) {
  world().inject({.trouble = trouble(), .times = always});
  const auto zones = open().find_zones({name(owner)}, {});
  if (said(zones.front())) {
    EXPECT_EQ(*zones.front(), name("example.com"));
    return;
  }
  std::set<Code> codes = codes_of(trouble());
  // Name servers refuse what they do not hold, and some sign no refusal.
  if (trouble() == Trouble::forbidden) codes.insert(Code::not_found);
  EXPECT_THAT(codes, Contains(zones.front().error().code)) << to_string(zones.front().error());
}

class DnsPassingTroubles : public DnsTroubles {};

TEST_P(DnsPassingTroubles, AReadOutlivesIt) {
  world().inject({.trouble = trouble()});
  EXPECT_THAT(must_read("example.com", "_smtp._tls.example.com"),
              ElementsAre(txt("_smtp._tls.example.com", {"v=TLSRPTv1; rua=mailto:a@b.example"})));
}

class DnsZoneTroubles : public DnsTroubles {};

TEST_P(DnsZoneTroubles, TheTroubleOfOneZoneStopsNoOther) {
  world().inject({.trouble = trouble(), .times = always, .zone = "example.org"});
  const auto owners = [](const std::string& zone) {
    return std::vector{name("_mta-sts." + zone), name("_smtp._tls." + zone),
                       name("mta-sts." + zone)};
  };
  const auto sets = provider().read({{name("example.org"), owners("example.org")},
                                     {name("sub.example.com"), owners("sub.example.com")}},
                                    {});
  ASSERT_FALSE(said(sets[0]));
  EXPECT_THAT(to_string(sets[0].error()), HasSubstr("example.org"));
  ASSERT_TRUE(said(sets[1])) << to_string(sets[1].error());
  EXPECT_THAT(*sets[1],
              ElementsAre(set_of(dns::Type::a, "mta-sts.sub.example.com", {"192.0.2.7"}, 600)));
}

// --- writing

class DnsLostAnswers : public DnsTroubles {
 protected:
  // What is looked up afterwards must come in time on a busy machine too.
  DnsLostAnswers() { patience_ = Duration{2}; }
};

TEST_P(DnsLostAnswers, WhatHappenedIsDoneAndNotDoneAgain) {
  const std::uint64_t version = world().version("example.com");
  world().inject({.trouble = trouble(), .writes = true, .done = true});
  const auto done = write("example.com", edit);
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(live(), ElementsAre("v=STSv1; id=20261125;"));
  EXPECT_EQ(world().requests().writes_done, 1U);
  EXPECT_NE(world().version("example.com"), version);
}

TEST_P(DnsLostAnswers, ARemovalThatHappenedIsDone) {
  world().inject({.trouble = trouble(), .writes = true, .done = true});
  const auto done = write("example.com", {{old_id, std::nullopt}});
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(live(), IsEmpty());
  EXPECT_EQ(world().requests().writes_done, 1U);
}

class DnsUndoneWrites : public DnsTroubles {};

TEST_P(DnsUndoneWrites, WhatIsSaidIsWhatStandsThere) {
  world().inject({.trouble = trouble(), .writes = true});
  const auto done = write("example.com", edit);
  const bool passes = trouble() == Trouble::too_many || trouble() == Trouble::reset;
  if (passes) EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(live(), ElementsAre(done ? "v=STSv1; id=20261125;" : "v=STSv1; id=1;"))
      << (done ? "" : to_string(done.error()));
  EXPECT_LE(world().requests().writes_done, 1U);
}

TEST_P(DnsUndoneWrites, ATroubleThatLastsIsNamed) {
  world().inject({.trouble = trouble(), .writes = true, .times = always});
  const auto done = write("example.com", edit);
  ASSERT_FALSE(done);
  EXPECT_THAT(codes_of(trouble()), Contains(done.error().code)) << to_string(done.error());
  EXPECT_THAT(done.error().where, Not(IsEmpty()));
  EXPECT_THAT(live(), ElementsAre("v=STSv1; id=1;"));
}

class DnsRefusals : public DnsTroubles {};

TEST_P(DnsRefusals, ARefusedWriteNamesItsZoneAndIsNotTriedAgain) {
  world().inject({.trouble = trouble(), .writes = true, .times = always});
  const auto done = write("example.com", edit);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unauthorized);
  EXPECT_THAT(to_string(done.error()), HasSubstr("example.com"));
  EXPECT_THAT(done.error().hint, Not(IsEmpty()));
  EXPECT_THAT(live(), ElementsAre("v=STSv1; id=1;"));
  EXPECT_EQ(world().requests().writes, 1U);
}

// --- between reading and writing

class DnsHeldWrites : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }
  void neighbour_writes() {
    world().change("example.com", owner, "TXT", {txt_line(owner, "v=STSv1; id=neighbour;")});
  }
};

// Capabilities::compare_and_swap is neither more nor less than what the service does.
TEST_P(DnsHeldWrites, OnlyTheServiceItselfCatchesAChangeInBetween) {
  const auto done = write_held("example.com", edit, [&] { neighbour_writes(); });
  if (provider().capabilities().compare_and_swap) {
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::conflict) << to_string(done.error());
    EXPECT_THAT(sees(owner, "TXT"), ElementsAre("v=STSv1; id=neighbour;"));
  } else {
    EXPECT_TRUE(done) << "the service compares: say so in capabilities";
  }
}

TEST_P(DnsHeldWrites, ATtlThatChangedInBetweenIsCaughtToo) {
  const auto longer = txt(owner, {"v=STSv1; id=1;"}, 600);
  const auto done = write_held("example.com", {{old_id, longer}}, [&] {
    world().change("example.com", owner, "TXT", {txt_line(owner, "v=STSv1; id=1;", 120)});
  });
  if (!provider().capabilities().compare_and_swap) return;
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict) << to_string(done.error());
}

class DnsHeldBatches : public DnsHeldWrites {};

// A record that cannot stand beside one of ours appears: the service refuses that edit.
TEST_P(DnsHeldBatches, ABatchHappensWhollyOrNotAtAll) {
  const dns::RecordSet fresh = txt("_mta-sts.new.example.com", {"v=STSv1; id=7;"});
  const auto done = write_held("example.com", {{old_id, new_id}, {std::nullopt, fresh}}, [&] {
    world().change("example.com", "_mta-sts.new.example.com", "CNAME",
                   {"_mta-sts.new.example.com. 300 IN CNAME elsewhere.example."});
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::conflict) << to_string(done.error());
  EXPECT_THAT(sees("_mta-sts.new.example.com", "TXT"), IsEmpty());
  if (provider().capabilities().atomic_batch)
    EXPECT_THAT(sees(owner, "TXT"), ElementsAre("v=STSv1; id=1;"));
}

TEST_P(DnsHeldWrites, AnOutcomeThatCannotBeLookedUpIsCalledUnknown) {
  hurry();
  const auto done = write_held(
      "example.com", edit, [&] { world().inject({.trouble = Trouble::reset, .times = always}); },
      Fault{.trouble = Trouble::reset, .writes = true, .done = true});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unreachable) << to_string(done.error());
  EXPECT_THAT(done.error().what, HasSubstr("lost"));
  EXPECT_THAT(done.error().hint, HasSubstr("plan"));
}

// The answer does not come, the provider tries again and succeeds; then the first request arrives.
TEST_P(DnsHeldWrites, AWriteThatArrivesLateFindsItsBeforeGone) {
  use({.timeout = Duration{2}});
  world().hold_next_write();
  const auto done = write("example.com", edit);
  EXPECT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(sees(owner, "TXT"), ElementsAre("v=STSv1; id=20261125;"));
  neighbour_writes();
  const std::size_t before = world().requests().writes_done;
  world().release();
  ASSERT_TRUE(servers::wait_until([&] { return world().requests().writes_done > before; }));
  if (provider().capabilities().compare_and_swap)
    EXPECT_THAT(sees(owner, "TXT"), ElementsAre("v=STSv1; id=neighbour;"));
}

// --- stopping

class DnsStops : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }
};

TEST_P(DnsStops, AfterAStopNothingIsAskedForAnyMore) {
  DnsProvider& fresh = open();
  provider();
  std::stop_source stop;
  stop.request_stop();
  const Watch watch{stop.get_token(), {}};
  world().forget();
  const auto sets = provider().read(
      {{name("example.com"), {name(owner)}}, {name("example.org"), {name("_mta-sts.example.org")}}},
      watch);
  const auto zones = fresh.find_zones({name(owner), name("_mta-sts.example.org")}, watch);
  EXPECT_EQ(world().requests().all, 0U);
  ASSERT_EQ(sets.size(), 2U);
  ASSERT_EQ(zones.size(), 2U);
  for (const auto& one : sets)
    EXPECT_EQ(said(one).error().code, Code::cancelled);
  for (const auto& one : zones)
    EXPECT_EQ(said(one).error().code, Code::cancelled);
}

class DnsStoppedWaits : public DnsContract {
 protected:
  void SetUp() override { start(usual_zones()); }
};

// In real time: what waits to try again goes home when the program is asked to end.
TEST_P(DnsStoppedWaits, AStopEndsTheWaitingAndTheTrying) {
  std::stop_source stop;
  stop_by(stop.get_token());
  provider();
  world().inject({.trouble = GetParam().trouble, .writes = true, .times = always});
  world().forget();
  Result<Done> done;
  std::chrono::steady_clock::time_point stopped;
  {
    const std::jthread writer([&] { done = write("example.com", edit); });
    ASSERT_TRUE(servers::wait_until([&] { return world().requests().writes >= 1; }));
    stop.request_stop();
    stopped = std::chrono::steady_clock::now();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, std::chrono::seconds(15));
  EXPECT_FALSE(done);
  EXPECT_LE(world().requests().writes, 2U) << "one may have been on its way";
  EXPECT_THAT(sees(owner, "TXT"), ElementsAre("v=STSv1; id=1;"));
}

std::vector<Trouble> without(std::vector<Trouble> troubles, Trouble one) {
  std::erase(troubles, one);
  return troubles;
}

const std::vector every_trouble{Trouble::unauthorized, Trouble::forbidden, Trouble::gone,
                                Trouble::too_many,     Trouble::failing,   Trouble::overloaded,
                                Trouble::moved,        Trouble::malformed, Trouble::cut_off,
                                Trouble::slow,         Trouble::reset,     Trouble::echo};

std::vector<WorldCase> counted(const std::vector<Trouble>& troubles) {
  std::vector<WorldCase> cases = worlds_in(troubles);
  std::erase_if(cases,
                [](const WorldCase& one) { return one.kind->lacks.contains(Need::counting); });
  return cases;
}

#define INSTANTIATE(suite, cases) \
  INSTANTIATE_TEST_SUITE_P(Worlds, suite, testing::ValuesIn(cases), trouble_name)

INSTANTIATE(DnsReadTroubles, worlds_in(every_trouble));
INSTANTIATE(DnsZoneSearches, worlds_in(without(every_trouble, Trouble::slow)));
INSTANTIATE(DnsPassingTroubles,
            worlds_in({Trouble::too_many, Trouble::overloaded, Trouble::cut_off, Trouble::reset}));
INSTANTIATE(DnsZoneTroubles,
            worlds_in({Trouble::forbidden, Trouble::gone, Trouble::failing, Trouble::malformed}));
INSTANTIATE(DnsLostAnswers, counted({Trouble::failing, Trouble::overloaded, Trouble::malformed,
                                     Trouble::cut_off, Trouble::slow, Trouble::reset}));
INSTANTIATE(DnsUndoneWrites,
            counted({Trouble::gone, Trouble::too_many, Trouble::failing, Trouble::overloaded,
                     Trouble::moved, Trouble::malformed, Trouble::reset}));
INSTANTIATE(DnsRefusals, counted({Trouble::unauthorized, Trouble::forbidden}));
INSTANTIATE(DnsStoppedWaits, counted({Trouble::too_many, Trouble::failing, Trouble::overloaded}));
INSTANTIATE_TEST_SUITE_P(Worlds, DnsHeldWrites, testing::ValuesIn(worlds_with(Need::holding)),
                         world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsHeldBatches,
                         testing::ValuesIn(worlds_with(Need::holding, Need::lone_cname)),
                         world_name);
INSTANTIATE_TEST_SUITE_P(Worlds, DnsStops, testing::ValuesIn(worlds_with(Need::counting)),
                         world_name);

}  // namespace
}  // namespace stsctl::contract
