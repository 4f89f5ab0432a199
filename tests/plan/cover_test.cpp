// Expand and contract: which patterns are published while MX records change.
#include "plan/cover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::plan {
namespace {

using testing::ElementsAreArray;
using Texts = std::vector<std::string>;

const Time now = *parse_time("2026-11-24T08:00:00Z");
constexpr Duration hour{3600};

std::vector<sts::MxPattern> patterns(const Texts& texts) {
  std::vector<sts::MxPattern> all;
  for (const std::string& text : texts)
    all.push_back(*sts::parse_mx_pattern(text));
  return all;
}

Texts texts(const std::vector<sts::MxPattern>& patterns) {
  Texts all;
  for (const sts::MxPattern& pattern : patterns)
    all.push_back(sts::format_mx_pattern(pattern));
  return all;
}

// What is kept: "old named", "old leaving 24h".
Texts kept(const CoverAnswer& answer) {
  Texts all;
  for (const Kept& one : answer.kept) {
    all.push_back(sts::format_mx_pattern(one.pattern) + " " + to_string(one.why));
    if (one.until) all.back() += " " + std::to_string((*one.until - now) / hour) + "h";
  }
  return all;
}

struct Case {
  const char* name;
  Texts wanted;
  Texts published;
  std::optional<Texts> live;  // none: cannot be read
  Texts leaving;              // as the id says,
  int hours = 0;              // so long ago
  Texts answer;               // published beside those wanted
  Texts kept;
  Texts left;  // as the id is to say
  Duration ttl{3600};
  bool remembers = true;
};

std::vector<Case> cases() {
  return {
      {"first policy", {"a.x"}, {}, Texts{"a.x"}, {}, 0, {}, {}, {}},
      {"nothing changes", {"a.x"}, {"a.x"}, Texts{"a.x"}, {}, 0, {}, {}, {}},
      {"a host more", {"a.x", "b.x"}, {"a.x"}, Texts{"a.x"}, {}, 0, {}, {}, {}},
      {"expand: the records still name the old host",
       {"new.x"},
       {"old.x"},
       Texts{"old.x"},
       {},
       0,
       {"old.x"},
       {"old.x named"},
       {}},
      {"they name both",
       {"new.x"},
       {"old.x", "new.x"},
       Texts{"old.x", "new.x"},
       {},
       0,
       {"old.x"},
       {"old.x named"},
       {}},
      {"they no longer do: the id is to say so",
       {"new.x"},
       {"old.x", "new.x"},
       Texts{"new.x"},
       {},
       0,
       {"old.x"},
       {"old.x leaving 24h"},
       {"old.x"}},
      {"it says so, not for long enough",
       {"new.x"},
       {"old.x", "new.x"},
       Texts{"new.x"},
       {"old.x"},
       23,
       {"old.x"},
       {"old.x leaving 1h"},
       {"old.x"}},
      {"contract", {"new.x"}, {"old.x", "new.x"}, Texts{"new.x"}, {"old.x"}, 24, {}, {}, {}},
      {"a longer TTL is waited for",
       {"new.x"},
       {"old.x", "new.x"},
       Texts{"new.x"},
       {"old.x"},
       24,
       {"old.x"},
       {"old.x leaving 24h"},
       {"old.x"},
       48 * hour},
      {"named again: the id is to say so no more",
       {"new.x"},
       {"old.x", "new.x"},
       Texts{"old.x"},
       {"old.x"},
       30,
       {"old.x"},
       {"old.x named"},
       {}},
      {"another left later: both wait anew",
       {"new.x"},
       {"old.x", "older.x", "new.x"},
       Texts{"new.x"},
       {"older.x"},
       30,
       {"old.x", "older.x"},
       {"old.x leaving 24h", "older.x leaving 24h"},
       {"old.x", "older.x"}},
      {"of two that left, one came back: the other goes when its time is over",
       {"new.x"},
       {"old.x", "older.x", "new.x"},
       Texts{"old.x"},
       {"old.x", "older.x"},
       30,
       {"old.x"},
       {"old.x named"},
       {}},
      {"wanted again",
       {"new.x", "old.x"},
       {"old.x", "new.x"},
       Texts{"new.x"},
       {"old.x"},
       1,
       {},
       {},
       {}},
      {"the records cannot be read: all stays as it is",
       {"new.x"},
       {"old.x", "older.x", "new.x"},
       std::nullopt,
       {"old.x"},
       30,
       {"old.x", "older.x"},
       {"old.x unknown", "older.x unknown"},
       {"old.x"}},
      {"the domain takes no mail: nothing is named",
       {"new.x"},
       {"old.x"},
       Texts{},
       {"old.x"},
       24,
       {},
       {},
       {}},
      {"a host that nobody listed",
       {"a.x"},
       {},
       Texts{"a.x", "c.x", "b.x"},
       {},
       0,
       {"b.x", "c.x"},
       {"b.x named", "c.x named"},
       {}},
      {"a name that no policy can hold", {"a.x"}, {}, Texts{"a.x", "b_b.x"}, {}, 0, {}, {}, {}},
      {"a wider pattern loses nothing", {"*.x"}, {"a.x"}, Texts{"a.x"}, {}, 0, {}, {}, {}},
      {"a narrower one does, though it allows all that is named",
       {"a.x"},
       {"*.x"},
       Texts{"a.x"},
       {},
       0,
       {"*.x"},
       {"*.x leaving 24h"},
       {"*.x"}},
      {"and keeps the wider while it must",
       {"a.x"},
       {"*.x"},
       Texts{"a.x", "b.x"},
       {},
       0,
       {"*.x"},
       {"*.x named"},
       {}},
      {"ids that cannot say so: what is gone goes",
       {"new.x"},
       {"old.x", "older.x"},
       Texts{"old.x"},
       {},
       0,
       {"old.x"},
       {"old.x named"},
       {},
       hour,
       false},
  };
}

CoverAnswer answer(const Case& one) {
  LiveMx live{.hosts = {}, .ttl = one.ttl};
  for (const std::string& host : one.live.value_or(Texts{}))
    live.hosts.push_back(*dns::Name::parse(host));
  return cover({.wanted = patterns(one.wanted),
                .published = patterns(one.published),
                .live = one.live ? &live : nullptr,
                .leaving = patterns(one.leaving),
                .since = now - one.hours * hour,
                .remembers = one.remembers,
                .now = now});
}

TEST(Cover, KeepsWhatSendersMayStillNeed) {
  for (const Case& one : cases()) {
    const CoverAnswer made = answer(one);
    Texts all = one.wanted;
    all.insert(all.end(), one.answer.begin(), one.answer.end());
    EXPECT_THAT(texts(made.patterns), ElementsAreArray(all)) << one.name;
    EXPECT_THAT(kept(made), ElementsAreArray(one.kept)) << one.name;
    EXPECT_THAT(texts(made.leaving), ElementsAreArray(one.left)) << one.name;
  }
}

TEST(Cover, TheDomainItselfIsKeptButNotAdded) {
  const LiveMx live{{*dns::Name::parse("x")}, hour, true};
  CoverQuestion question{.wanted = patterns({"a.x"}), .live = &live, .now = now};
  EXPECT_THAT(kept(cover(question)), testing::IsEmpty()) << "there are no MX records";
  question.published = patterns({"x"});
  EXPECT_THAT(kept(cover(question)), testing::ElementsAre("x named"));
}

TEST(Cover, OfWhatItSaidIsTheSame) {
  for (const Case& one : cases()) {
    if (!one.remembers) continue;
    const CoverAnswer first = answer(one);
    Case again = one;
    again.published = texts(first.patterns);
    again.leaving = texts(first.leaving);
    if (first.leaving != patterns(one.leaving)) again.hours = 0;
    EXPECT_EQ(answer(again), first) << one.name;
  }
}

}  // namespace
}  // namespace stsctl::plan
